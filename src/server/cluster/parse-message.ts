import type { FromServerProcess } from './messages.ts';

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

/** The fields of each message from a server process. */
const FIELDS: { readonly [kind in FromServerProcess['kind']]: Fields } = {
  hello: {},
  ready: { urls: listOf(isText) },
  failed: { error: isFailure },
  reloaded: { error: (value) => value === null || isFailure(value) },
  answer: { id: isNumber, answer: (value) => typeof value === 'boolean' || listOf(isRoute)(value) },
  alive: { connections: isNumber },
};

/**
 * The message in `value`; null if it is not one. An application in TypeScript runs in the server process and may send messages of its own to
 * what it takes for its parent, such as pm2.
 */
export function parseMessage(value: unknown): FromServerProcess | null {
  if (typeof value !== 'object' || value === null) return null;
  const { kind } = value as { readonly kind?: unknown };
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return null;
  return has(value, FIELDS[kind as FromServerProcess['kind']]) ? (value as FromServerProcess) : null;
}

function has(value: unknown, fields: Fields): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const object = value as Readonly<Record<string, unknown>>;
  return Object.entries(fields).every(([name, check]) => check(object[name]));
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

function isFailure(value: unknown): boolean {
  const code: Check = (one) => one === null || isText(one);
  return has(value, { code, message: isText, advice: isText, cause: isText });
}

function isRoute(value: unknown): boolean {
  return has(value, { route: isText, waiting: isNumber, backends: listOf(isBackend) });
}

function isBackend(value: unknown): boolean {
  return has(value, { name: isText, state: isText, active: isNumber });
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
