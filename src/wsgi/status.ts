import { ViaductError } from '../errors.ts';
import { reasonPhrase } from '../http/semantics/status.ts';

/** A status as an application writes it. */
export interface Status {
  readonly code: number;
  /** The reason phrase; '' for the standard one. */
  readonly reason: string;
}

/** Statuses that were parsed already. Applications use few. */
const cache = new Map<string, Status>();
const CACHE_MAX = 1024;

/**
 * Reads `404 Not Found`: a code of 200 to 599, a space and a reason phrase.
 *
 * @throws ViaductError `HEADER_INVALID` for anything else
 */
export function parseStatus(status: string): Status {
  const cached = cache.get(status);
  if (cached !== undefined) return cached;
  const [, digits, text = ''] =
    (typeof status === 'string' && /^([2-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(status)) || [];
  if (digits === undefined) {
    const shown = typeof status === 'string' ? JSON.stringify(status) : typeof status;
    throw new ViaductError(
      'HEADER_INVALID',
      `Cannot send status ${shown}: it must be a code of 200 to 599, a space and a reason`,
    );
  }
  const code = Number(digits);
  const parsed = { code, reason: text === reasonPhrase(code) ? '' : text };
  if (cache.size < CACHE_MAX) cache.set(status, parsed);
  return parsed;
}

/** `404 Not Found`. */
export function formatStatus(code: number, reason: string): string {
  return `${code} ${reason === '' ? reasonPhrase(code) : reason}`;
}
