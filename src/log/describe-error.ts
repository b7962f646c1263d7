import { asError, describeThrown, ViaductError } from '../errors.ts';

/** Describes an error for the log: a `ViaductError` with its Python traceback, any other error with its stack. */
export function describeError(thrown: unknown): string {
  const error = asError(thrown);
  if (!(error instanceof ViaductError)) return describeThrown(error);
  return [error.message, tracebackOf(error)]
    .filter((text) => text !== '')
    .join('\n')
    .trimEnd();
}

/** The Python traceback of an error, or ''. */
function tracebackOf(thrown: unknown): string {
  const error = asError(thrown);
  return error instanceof ViaductError && typeof error.cause === 'string' ? error.cause : '';
}
