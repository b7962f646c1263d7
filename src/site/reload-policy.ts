import { resolve } from 'node:path';
import type { Configuration } from './configuration.ts';
import type { ReloadConfig } from './schema/site.ts';

/** A new release needs to prove nothing: as soon as its workers are ready, it serves. */
const NOTHING: ReloadConfig = {
  probe: [],
  probe_timeout_ms: 10_000,
  probe_host: 'localhost',
  probe_scheme: 'http',
  watch_ms: 0,
  share: 1,
  error_rate_max: 0,
  latency_ratio_max: 1,
  requests_min: 1,
};

/** How a new release proves itself. In development it proves nothing, because people look at it. */
export function reloadPolicy({ settings, site }: Configuration): ReloadConfig {
  return settings.dev ? NOTHING : (site?.reload ?? NOTHING);
}

/** The absolute path of the file that starts a reload when it is touched; null for none. */
export function touchFile({ site, bases }: Configuration): string | null {
  const touch = site?.reload?.touch;
  return touch === undefined ? null : resolve(bases.reload ?? '', touch);
}
