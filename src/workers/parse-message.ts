import type { FromPython } from './messages.ts';
import { isCollectedFamily } from './metrics/collected.ts';

type Check = (value: unknown) => boolean;

/** The fields of each message from Python. `proof.decoded` may be anything: it is compared with what was sent. */
const FIELDS: { readonly [kind in FromPython['kind']]: Readonly<Record<string, Check>> } = {
  zygote: { release: isNumber, pid: isPid, version: isText },
  loaded: {},
  unsafe: { findings: isTexts },
  broken: { traceback: isText, reason: isText, exception: isText },
  unable: { reason: isText },
  forked: { worker: isNumber, pid: isPid },
  unforked: { worker: isNumber, reason: isText },
  hooked: { hook: isReleaseHook, code: Number.isSafeInteger, report: isText },
  exited: { worker: isNumber, code: Number.isSafeInteger },
  worker: { release: isNumber, worker: isNumber, pid: isPid },
  proof: { descriptor: isNumber, size: isNumber },
  lane: { release: isNumber, worker: isNumber, index: isNumber },
  log: { level: isLogLevel, text: isText, request: (value) => value === null || isNumber(value) },
  output: { stream: (value) => value === 'stdout' || value === 'stderr', text: isText, request: isNumber },
  interrupted: { lane: isNumber, request: isNumber, raised: isBoolean, stack: isText },
  stacks: { threads: (value) => Array.isArray(value) && value.every(isThread) },
  collected: { families: (value) => Array.isArray(value) && value.every(isCollectedFamily) },
  alive: {},
};

/** The message in `json`; null if it is not one. */
export function parseMessage(json: string): FromPython | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const message = value as Readonly<Record<string, unknown>>;
  const { kind } = message;
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return null;
  const fields = Object.entries(FIELDS[kind as FromPython['kind']]);
  return fields.every(([name, check]) => check(message[name])) ? (value as FromPython) : null;
}

function isThread(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, lane, stack } = value as Readonly<Record<string, unknown>>;
  return isText(name) && (lane === null || isNumber(lane)) && isText(stack);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Not 0 or 1: this number may be passed to kill(2). */
function isPid(value: unknown): boolean {
  return isNumber(value) && (value as number) > 1;
}

function isReleaseHook(value: unknown): boolean {
  return value === 'on_ready' || value === 'on_reload';
}

function isLogLevel(value: unknown): boolean {
  return value === 'error' || value === 'warn' || value === 'info';
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
