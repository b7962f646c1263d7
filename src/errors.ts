import { inspect } from 'node:util';

/** Every way in which Viaduct itself fails. An error of a client is not one of these: it gets a status. */
export type ErrorCode =
  /** A flag, setting or argument that does not make sense: exit code 2. */
  | 'USAGE'
  /** A settings file or an option that cannot be read, or has an invalid value: exit code 2. */
  | 'SETTINGS'
  /** There is no Python interpreter, or only one that is too old. */
  | 'PYTHON_MISSING'
  /** There is no application to serve, or more than one. */
  | 'APPLICATION_MISSING'
  /** The application cannot be imported. */
  | 'APPLICATION_BROKEN'
  /** An address cannot be bound. */
  | 'LISTEN'
  /** A certificate or key cannot be used. */
  | 'CERTIFICATE'
  /** A worker or zygote died, or broke the protocol. */
  | 'WORKER'
  /** A status or header that would split the message or desynchronise the connection. */
  | 'HEADER_INVALID'
  /** A response that breaks its own framing. */
  | 'RESPONSE_INVALID'
  /** A backend whose response broke off. */
  | 'UPSTREAM'
  /** An application or middleware that breaks the WSGI contract (PEP 3333). */
  | 'CONTRACT';

/** The error class of Viaduct. Plain mistakes in calls, such as a middleware that is not a function, are `TypeError`. `message` reads: Cannot <verb> <thing> "value": <state>. `advice` says what to do about it, or is ''. */
export class ViaductError extends Error {
  /** What kind of failure it is. */
  readonly code: ErrorCode;
  /** What to do about it; '' for no advice. */
  readonly advice: string;

  /** `cause` is the error behind this one: a traceback of Python is a string. */
  constructor(code: ErrorCode, message: string, options: { advice?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ViaductError';
    this.code = code;
    this.advice = options.advice ?? '';
  }

  /** 2 when the user's input is wrong, 1 for all other errors. */
  get exitCode(): 1 | 2 {
    return this.code === 'USAGE' || this.code === 'SETTINGS' ? 2 : 1;
  }
}

/**
 * What the system refused, such as a file without permission or a full disk, as an error of the user's machine; null for any other error. Errors
 * of the system have the name of the call that failed.
 */
export function systemErrorOf(thrown: unknown): ViaductError | null {
  const error = asError(thrown);
  if (!('syscall' in error) || error instanceof ViaductError) return null;
  return new ViaductError('WORKER', `Cannot continue: ${error.message}`, {
    advice: 'Check the permissions of this user, the free space and the limits of the system.',
    cause: error,
  });
}

/** Describes what was thrown, which may be any value, by its stack if it has one. Never throws itself. */
export function describeThrown(thrown: unknown): string {
  const error = asError(thrown);
  return error.stack || `${error.name}: ${error.message}`;
}

/** The message of an error, or another thrown value as text. Never throws itself. */
export function messageOf(thrown: unknown): string {
  return asError(thrown).message;
}

/**
 * Returns what was thrown if it is an error whose stack, message and name are texts. Any other value becomes the message and the cause of an
 * error without a stack. Never throws itself, although a property or a Proxy may.
 */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && isText(thrown.message) && isText(thrown.name) && isText(thrown.stack ?? ''))
      return thrown;
  } catch {
    // The value is described below.
  }
  const error = new Error(textOf(thrown), { cause: thrown });
  error.stack = error.message;
  return error;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function textOf(value: unknown): string {
  for (const convert of [String, inspect]) {
    try {
      return convert(value);
    } catch {
      // An object without a prototype has no text of its own.
    }
  }
  return 'a value that cannot be printed';
}
