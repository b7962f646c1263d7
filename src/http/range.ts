/** Bytes `start` to `end` (exclusive) of a representation. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than a reader of documents asks for are an attack on the server's patience (RFC 9110 section 17.15). */
const RANGES_MAX = 16;

/**
 * Reads a Range field for a representation of `size` bytes (RFC 9110 section 14.2). Returns the ranges to send, ordered and merged
 * where they overlap or touch; 'all' when the field is to be ignored, because it is malformed, of another unit, or asks for as much
 * as the whole; 'none' when no range can be satisfied, which is answered with 416.
 */
export function readRanges(value: string, size: number): readonly ByteRange[] | 'all' | 'none' {
  const match = /^bytes=(.+)$/i.exec(value);
  if (match === null) return 'all';
  const specs = (match[1] as string).split(',').map((spec) => spec.trim());
  if (specs.length > RANGES_MAX) return 'all';
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const bounds = /^(\d{0,15})-(\d{0,15})$/.exec(spec);
    if (bounds === null || spec === '-') return 'all';
    const range = satisfy(bounds[1] as string, bounds[2] as string, size);
    if (range === 'malformed') return 'all';
    if (range !== null) ranges.push(range);
  }
  if (ranges.length === 0) return 'none';
  const merged = merge(ranges);
  const total = merged.reduce((sum, { start, end }) => sum + end - start, 0);
  return merged.length > 1 && total >= size ? 'all' : merged;
}

/** One range, cut to the representation; null when it lies behind its end. */
function satisfy(first: string, last: string, size: number): ByteRange | null | 'malformed' {
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? null : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'malformed';
  if (start >= size) return null;
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

function merge(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else merged.push(range);
  }
  return merged;
}
