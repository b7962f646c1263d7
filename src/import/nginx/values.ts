const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  M: 30 * 86_400_000,
  y: 365 * 86_400_000,
};

/** Milliseconds of `60`, `1m 30s`, `500ms`; null for anything else. */
export function readTime(text: string): number | null {
  const compact = text.replaceAll(' ', '');
  if (!/^(?:\d{1,12}(?:ms|[smhdwMy])?)+$/.test(compact)) return null;
  let total = 0;
  for (const [, number, unit] of compact.matchAll(/(\d+)(ms|[smhdwMy])?/g)) {
    total += Number(number) * (UNITS_MS[unit ?? 's'] ?? 0);
  }
  return total;
}

/** Milliseconds in the form of viaduct.toml. */
export function showTime(ms: number): string | number {
  if (ms === 0) return 0;
  if (ms % 60_000 === 0 && ms >= 120_000) return `${ms / 60_000}min`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** Bytes of `20m`, `512k`; null for anything else. */
export function readSize(text: string): number | null {
  const [, number, unit = ''] = /^(\d{1,12})([kKmMgG]?)$/.exec(text) ?? [];
  if (number === undefined) return null;
  return Number(number) * ({ k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase()] ?? 1);
}

/** Bytes in the form of viaduct.toml. */
export function showSize(bytes: number): string | number {
  if (bytes === 0) return 0;
  if (bytes % 1024 ** 3 === 0) return `${bytes / 1024 ** 3}GiB`;
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : bytes;
}
