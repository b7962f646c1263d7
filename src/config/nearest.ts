/**
 * The candidate that `word` is most likely a slip of, or null when none is close: letters swapped, missing, added or wrong, about
 * one in three at most. Case, `-` and `_` do not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const wanted = fold(word);
  const slipsMax = Math.min(SLIPS_MAX, Math.floor(wanted.length / 3));
  let best: string | null = null;
  let bestSlips = slipsMax + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(wanted, fold(candidate));
    if (slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

const SLIPS_MAX = 3;
/** Longer words are no slip of any name of ours, and comparing them would cost their length squared. */
const LENGTH_MAX = 64;

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}

/** Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. */
function slipsBetween(a: string, b: string): number {
  if (a.length > LENGTH_MAX || b.length > LENGTH_MAX) return LENGTH_MAX;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] as number;
}
