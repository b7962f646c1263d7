import { ViaductError } from '../errors.ts';
import type { RecordedException } from './recorded-exception.ts';

/** The application cannot be imported. `cause` is the traceback of Python or the stack of JavaScript as text, when there is one. */
export class BrokenImport extends ViaductError {
  /** What the import raised, with the source around each frame; null if it is not known. */
  readonly exception: () => RecordedException | null;

  constructor(
    message: string,
    exception: () => RecordedException | null,
    options: { advice?: string; cause?: unknown },
  ) {
    super('APPLICATION_BROKEN', message, options);
    this.exception = exception;
  }
}
