import { type Check, type Fields, has, isFlag, isNumber, isText, listOf, nullOr } from './checks.ts';
import type { About, FromServerProcess } from './messages.ts';
import { isFamily } from './parse-families.ts';
import { isLiveRequest, isReport, isRoute, isWorkerStacks } from './parse-status.ts';

/** The answers to the questions of the primary. */
const ANSWERS: { readonly [about in About]: Check } = {
  backends: listOf(isRoute),
  backend: isFlag,
  drain: isFlag,
  scale: (value) => isNumber(value) || value === 'unknown' || value === 'changing',
  status: isReport,
  requests: listOf(isLiveRequest),
  stacks: listOf(isWorkerStacks),
  traces: isText,
  log: listOf(isText),
  metrics: nullOr(listOf(isFamily)),
};

/** The fields of each message from a server process. */
const FIELDS: { readonly [kind in FromServerProcess['kind']]: Fields } = {
  hello: {},
  ready: { urls: listOf(isText) },
  failed: { error: isFailure },
  reached: { id: isNumber, step: (value) => value === 'prepared' || value === 'proved' },
  reloaded: { id: isNumber, error: nullOr(isFailure) },
  answer: { id: isNumber, about: isAbout },
  followed: { id: isNumber, lines: isText },
  show: { id: isNumber, question: isShownQuestion },
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
  if (!has(value, FIELDS[kind as FromServerProcess['kind']])) return null;
  const message = value as FromServerProcess;
  return message.kind !== 'answer' || ANSWERS[message.about](message.answer) ? message : null;
}

/** The fields of a question about traces are those that the API has checked. */
function isShownQuestion(value: unknown): boolean {
  if (has(value, { about: (about) => about === 'status' || about === 'requests' || about === 'metrics' })) return true;
  return has(value, {
    about: (about) => about === 'traces',
    question: (question) => has(question, { method: isText }),
  });
}

function isAbout(value: unknown): boolean {
  return typeof value === 'string' && Object.hasOwn(ANSWERS, value);
}

function isFailure(value: unknown): boolean {
  return has(value, { code: nullOr(isText), message: isText, advice: isText, cause: isText });
}
