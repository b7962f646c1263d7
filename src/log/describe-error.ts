import { ViaductError } from '../errors.ts';

/** Describes an error for the log: a `ViaductError` with its Python traceback, any other error with its stack. */
export function describeError(error: unknown): string {
  if (error instanceof ViaductError)
    return [error.message, tracebackOf(error)]
      .filter((text) => text !== '')
      .join('\n')
      .trimEnd();
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The Python traceback of an error, or ''. */
export function tracebackOf(error: unknown): string {
  return error instanceof ViaductError && typeof error.cause === 'string' ? error.cause : '';
}
