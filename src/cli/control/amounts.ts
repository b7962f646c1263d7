/** How long something took, for people: `350 ms`, `12.3 s`, `5 min`, `3 h`, `12 days`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 2 * HOUR) return `${Math.floor(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} days`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The time since `iso`. */
export function ageText(iso: string, nowMs: number): string {
  return durationText(Math.max(0, nowMs - Date.parse(iso)));
}

/** Memory, for people: `87 MiB`; `?` if it is not known. */
export function memoryText(bytes: number | null): string {
  if (bytes === null) return '?';
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

/** A part of one, for people: `42 %`. */
export function shareText(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** A number with its noun: `1 request`, `2 requests`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
