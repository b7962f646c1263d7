const BYTES_IN: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

const MS_IN: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

const SECONDS_IN: Readonly<Record<string, number>> = {
  s: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3600,
  hour: 3600,
  d: 86_400,
  day: 86_400,
};

/** Bytes of `65536`, `64KiB`, `1.5 GiB`; `kB` counts 1000, `k` as in nginx 1024. Null for anything else. */
export function readBytes(text: string): number | null {
  return read(text, BYTES_IN);
}

/** Milliseconds of `500`, `500ms`, `1.5 s`, `2min`, `1h`; null for anything else. */
export function readDuration(text: string): number | null {
  return read(text, MS_IN);
}

/** Events per second of `10/s`, `30/min`, `1000/h`, `5/day`; null for anything else, and for a rate of nothing. */
export function readRate(text: string): number | null {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?) ?\/ ?([a-z]{1,6})$/.exec(text) ?? [];
  const seconds = unit === undefined ? undefined : SECONDS_IN[unit];
  return seconds === undefined || Number(number) === 0 ? null : Number(number) / seconds;
}

function read(text: string, unitsIn: Readonly<Record<string, number>>): number | null {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,3})?) ?([A-Za-z]{0,3})$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitsIn[unit.toLowerCase()];
  return factor === undefined ? null : Math.round(Number(number) * factor);
}

/** Bytes as one would write them: `64KiB`, `100`. */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return '0';
  if (bytes % 1024 ** 3 === 0) return `${bytes / 1024 ** 3}GiB`;
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : String(bytes);
}

/** Milliseconds as one would write them: `30s`, `500ms`, `1h`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
