/** Bytes `start` to `end` (exclusive) of a representation. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A document viewer never asks for more ranges; a client that does may be an attack (RFC 9110 section 17.15). */
const RANGES_MAX = 16;

/**
 * Reads a Range field for a representation of `size` bytes (RFC 9110 section 14.2). Returns the ranges to send: in the order of the
 * request, or ascending and merged when some of them overlap. 'all' means to ignore the field, because it is malformed, has another
 * unit or has too many ranges. 'none' means that no range can be satisfied: answer with 416.
 */
export function readRanges(value: string, size: number): readonly ByteRange[] | 'all' | 'none' {
  const set = /^bytes=(.*)$/i.exec(value)?.[1];
  if (set === undefined) return 'all';
  const specs = set.split(',').map((spec) => spec.trim());
  const requested = specs.filter((spec) => spec !== '');
  if (requested.length === 0 || specs.length > RANGES_MAX) return 'all';
  const ranges: ByteRange[] = [];
  for (const spec of requested) {
    const range = readRange(spec, size);
    if (range === null) return 'all';
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (ranges.length === 0) return 'none';
  return size === 0 ? 'all' : withoutOverlaps(ranges);
}

/** Reads one range and cuts it to the representation; null when the range is malformed. */
function readRange(spec: string, size: number): ByteRange | 'unsatisfiable' | null {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(spec) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first === '') {
    const length = Number(last);
    return length === 0 ? 'unsatisfiable' : { start: Math.max(0, size - length), end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return null;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

function withoutOverlaps(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const merged: ByteRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else merged.push(range);
  }
  return merged.length === ranges.length ? ranges : merged;
}
