import type { Settings } from '../config/settings.ts';

/** Settings that hold for the whole server, and of which each front gets its part. */
const SHARED = ['connectionsMax', 'queueMax', 'staticCacheBytesMax'] as const;

/**
 * The settings of front `index` (from 0): its share of the workers, one at least, and of the limits that count for all fronts together.
 */
export function frontSettings(settings: Settings, index: number): Settings {
  const { fronts, workers } = settings;
  const shares = SHARED.map((name) => [name, Math.ceil(settings[name] / fronts)] as const);
  const more = index < workers % fronts ? 1 : 0;
  return { ...settings, ...Object.fromEntries(shares), workers: Math.max(1, Math.floor(workers / fronts) + more) };
}
