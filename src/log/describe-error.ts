import { ViaductError } from '../errors.ts';

/** An error for the log: one of ours with its traceback, any other with its stack. */
export function describeError(error: unknown): string {
  if (error instanceof ViaductError)
    return [error.message, tracebackOf(error)]
      .filter((text) => text !== '')
      .join('\n')
      .trimEnd();
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The Python traceback that an error carries, or ''. */
export function tracebackOf(error: unknown): string {
  return error instanceof ViaductError && typeof error.cause === 'string' ? error.cause : '';
}
