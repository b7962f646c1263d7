/** Microseconds for people, with three digits where they matter: `0.04 ms`, `12.3 ms`, `1.25 s`. */
export function timeText(us: number): string {
  if (us >= 1_000_000) return `${(us / 1_000_000).toFixed(2)} s`;
  const ms = us / 1000;
  return `${ms.toFixed(ms >= 100 ? 0 : ms >= 1 ? 1 : 2)} ms`;
}
