import { type Family, isHistogram, type Labels } from '../../metrics/family.ts';

/** A histogram without labels: `counts[i]` values up to `bounds[i]`; the last count is of those above all bounds. */
export interface Buckets {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

export const NO_BUCKETS: Buckets = { bounds: [], counts: [], sum: 0 };

/** The sum of all series of a histogram whose labels are `wanted`. */
export function bucketsOf(family: Family | undefined, wanted: (labels: Labels) => boolean = () => true): Buckets {
  if (family === undefined || !isHistogram(family)) return NO_BUCKETS;
  const counts = new Array<number>(family.bounds.length + 1).fill(0);
  let sum = 0;
  for (const series of family.series) {
    if (!wanted(series.labels)) continue;
    sum += series.sum;
    for (const [index, count] of series.counts.entries()) counts[index] = (counts[index] ?? 0) + count;
  }
  return { bounds: family.bounds, counts, sum };
}

/** What `now` has more than `before`. After a restart of a server process it may have less: that counts as nothing. */
export function difference(now: Buckets, before: Buckets): Buckets {
  return {
    bounds: now.bounds,
    counts: now.counts.map((count, index) => Math.max(0, count - (before.counts[index] ?? 0))),
    sum: Math.max(0, now.sum - before.sum),
  };
}

/** The value that the part `quantile` of all values does not exceed, interpolated in its bucket; 0 without values. */
export function quantileOf({ bounds, counts }: Buckets, quantile: number): number {
  const rank = quantile * counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const lower = bounds[index - 1] ?? 0;
      const upper = bounds[index] ?? lower;
      return lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return 0;
}

export function meanOf({ counts, sum }: Buckets): number {
  const count = counts.reduce((all, one) => all + one, 0);
  return count === 0 ? 0 : sum / count;
}

/** The bound of the highest bucket that has a value: no value is greater, unless it is above all bounds. */
export function maxOf({ bounds, counts }: Buckets): number {
  const last = counts.findLastIndex((count) => count > 0);
  return last < 0 ? 0 : (bounds[Math.min(last, bounds.length - 1)] ?? 0);
}
