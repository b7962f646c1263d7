/** The value in the middle, of sorted or unsorted numbers; NaN of none. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The smallest value that at least the fraction `q` of sorted values does not exceed. */
export function quantile(sorted, q) {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}

/**
 * Ours to theirs, round by round: the machine's moods meet both of a round. `low` and `high` enclose the median that very many rounds
 * would give, with a confidence of 95 %; fewer than six rounds cannot say.
 */
export function ratio(ours, theirs) {
  const each = ours.slice(0, theirs.length).map((value, round) => value / theirs[round]);
  const sorted = each.toSorted((a, b) => a - b);
  const found = { median: median(sorted), min: sorted[0], max: sorted.at(-1) };
  const outside = ranksOutside(sorted.length);
  return outside === 0 ? found : { ...found, low: sorted[outside - 1], high: sorted.at(-outside) };
}

/**
 * How many of `n` samples on either side enclose the median of what they were drawn from, in 95 of 100 cases: the sign test, which asks
 * nothing of the distribution. Each sample is above the median or below it like a coin.
 */
function ranksOutside(n) {
  let chance = 0.5 ** n;
  let below = chance;
  let ranks = 0;
  while (2 * below <= 0.05) {
    ranks += 1;
    chance *= (n - ranks + 1) / ranks;
    below += chance;
  }
  return ranks;
}
