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

/** Reads a size such as `65536`, `64KiB` or `1.5 GiB` as bytes. `kB` means 1000 bytes, and `k` means 1024 as in nginx. Null for any other text. */
export function readBytes(text: string): number | null {
  return read(text, BYTES_IN);
}

/** Reads a time such as `500`, `500ms`, `1.5 s`, `2min` or `1h` as milliseconds. Null for any other text. */
export function readDuration(text: string): number | null {
  return read(text, MS_IN);
}

/** What is wrong with a time in a file that is a text without a unit, such as `"30"`: people take it for seconds. Null for any other value. */
export function missingUnit(value: unknown): string | null {
  if (typeof value !== 'string' || !/^0*[1-9][\d.]*$/.test(value.trim())) return null;
  return `has no unit: write ${value.trim()} without quotes for milliseconds, or "${value.trim()}s" for seconds`;
}

function read(text: string, unitsIn: Readonly<Record<string, number>>): number | null {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,3})?) ?([A-Za-z]{0,3})$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitsIn[unit.toLowerCase()];
  return factor === undefined ? null : Math.round(Number(number) * factor);
}

/** Bytes with the largest unit that fits: `64KiB`, `100`. */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return '0';
  if (bytes % 1024 ** 3 === 0) return `${bytes / 1024 ** 3}GiB`;
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : String(bytes);
}

/** Milliseconds with the largest unit that fits: `30s`, `500ms`, `1h`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
