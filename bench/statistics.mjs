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

/** Ours to theirs, round by round: the machine's moods meet both of a round. */
export function ratio(ours, theirs) {
  const each = ours.slice(0, theirs.length).map((value, round) => value / theirs[round]);
  return { median: median(each), min: Math.min(...each), max: Math.max(...each) };
}
