import { CidrList } from '../http/semantics/cidr.ts';
import type { HttpLimits } from '../http/transport/limits.ts';
import type { Configuration } from './configuration.ts';

/** A proxy on this machine is believed without a setting. */
const TRUSTED = ['loopback', 'unix'];

/**
 * Whose word about a client is taken.
 *
 * @throws ViaductError `SETTINGS` that names a range that is none.
 */
export function trustedBy({ site }: Configuration): CidrList {
  return CidrList.parse(site?.trusted_proxies ?? TRUSTED);
}

/** What connections hold clients to: where a route lets requests have more content than others, connections do too. */
export function limitsOf({ settings, site }: Configuration): HttpLimits {
  const contents = site?.route.map((route) => route.body_bytes_max ?? 0) ?? [];
  return { ...settings, bodyBytesMax: Math.max(settings.bodyBytesMax, ...contents) };
}
