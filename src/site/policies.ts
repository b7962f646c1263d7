import { CidrList } from '../http/semantics/cidr.ts';
import type { HttpLimits } from '../http/transport/limits.ts';
import { TRUSTED_VALUES } from '../listen/trust/trusted-values.ts';
import type { Configuration } from './configuration.ts';

/** A proxy on this machine is trusted without a setting. */
const TRUSTED: readonly string[] = ['loopback', 'unix'];

/** The trusted proxies as the settings name them. */
export function trustedProxies(site: Configuration['site']): readonly string[] {
  return site?.trusted_proxies ?? TRUSTED;
}

/** What trusted proxies may state about a request. */
export function trustedValuesOf(site: Configuration['site']): readonly string[] {
  return site?.trusted_proxy_values ?? TRUSTED_VALUES;
}

/**
 * The trusted proxies: addresses whose fields about the client are used.
 *
 * @throws ViaductError `SETTINGS` that names an invalid range
 */
export function trustedBy({ site }: Configuration): CidrList {
  return CidrList.parse(trustedProxies(site));
}

/** The limits of connections. If a route allows more content than the settings, connections allow this much too. */
export function limitsOf({ settings, site }: Configuration): HttpLimits {
  const routeLimits = site?.route.map((route) => route.body_bytes_max ?? 0) ?? [];
  return { ...settings, bodyBytesMax: Math.max(settings.bodyBytesMax, ...routeLimits) };
}
