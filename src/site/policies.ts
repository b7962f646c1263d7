import { CidrList } from '../http/semantics/cidr.ts';
import type { HttpLimits } from '../http/transport/limits.ts';
import { TRUSTED_VALUES } from '../listen/trust/trusted-values.ts';
import type { LineRule } from '../log/line-rule.ts';
import type { Configuration } from './configuration.ts';
import { routeName } from './route-name.ts';

/** What trusted proxies may state about a request. */
export function trustedValuesOf(site: Configuration['site']): readonly string[] {
  return site?.trusted_proxy_values ?? TRUSTED_VALUES;
}

/** Which requests have a line in the access log, by the names of routes that limit it. */
export function lineRulesOf({ site }: Pick<Configuration, 'site'>): ReadonlyMap<string, LineRule> {
  return new Map(
    site?.route.flatMap((route, index) => {
      const rule = route.access_log;
      if (rule === undefined) return [];
      return [[routeName(route, index), { sample: rule.sample, errors: rule.errors, slowMs: rule.slow_ms }] as const];
    }),
  );
}

/** The trusted proxies: addresses whose fields about the client are used. */
export function trustedBy({ settings }: Configuration): CidrList {
  return CidrList.parse(settings.trustedProxies);
}

/** The limits of connections. If a route allows more content than the settings, connections allow this much too. */
export function limitsOf({ settings, site }: Configuration): HttpLimits {
  const routeLimits = site?.route.map((route) => route.body_bytes_max ?? 0) ?? [];
  return { ...settings, bodyBytesMax: Math.max(settings.bodyBytesMax, ...routeLimits) };
}
