import { ViaductError } from '../errors.ts';
import { reasonPhrase } from '../http/semantics/status.ts';

/** A status as an application gives it. */
export interface Status {
  readonly code: number;
  /** '' for the usual one. */
  readonly reason: string;
}

/** Applications use few: they are parsed once. */
const MEMORY = 1024;
const known = new Map<string, Status>();

/**
 * Reads `404 Not Found`: a code of 200 to 999, a space and a reason phrase.
 *
 * @throws ViaductError `HEADER_INVALID` for anything else.
 */
export function parseStatus(status: string): Status {
  const before = known.get(status);
  if (before !== undefined) return before;
  const [, digits, text = ''] =
    (typeof status === 'string' && /^([2-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(status)) || [];
  if (digits === undefined) {
    const what = typeof status === 'string' ? JSON.stringify(status) : typeof status;
    throw new ViaductError(
      'HEADER_INVALID',
      `Cannot send status ${what}: it must be a code of 200 to 999, a space and a reason`,
    );
  }
  const code = Number(digits);
  const parsed = { code, reason: text === reasonPhrase(code) ? '' : text };
  if (known.size < MEMORY) known.set(status, parsed);
  return parsed;
}

/** `404 Not Found`. */
export function formatStatus(code: number, reason: string): string {
  return `${code} ${reason === '' ? reasonPhrase(code) : reason}`;
}
