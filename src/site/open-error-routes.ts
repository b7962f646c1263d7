import type { FeatureConfigs, FeatureName } from './features.ts';
import type { RouteContext } from './route-context.ts';
import type { RouteConfig } from './schema/site.ts';

/** The handlers that refuse clients, and the statuses with which they do. */
const REFUSALS = {
  access: ['403'],
  basic_auth: ['401'],
  forward_auth: ['401', '403'],
} as const satisfies { readonly [N in FeatureName]?: readonly string[] };

type Check = keyof typeof REFUSALS;

/**
 * Warns of named error routes that answer refused clients with what the refusal protects: `4xx = "@app"`, where `@app` leads to the same application and checks nothing.
 * Such a route gets the request as it is.
 */
export function warnOfOpenErrorRoutes(route: RouteConfig, site: FeatureConfigs, context: RouteContext): void {
  const { config, keys, parts, warn } = context;
  const pages = effective(route, site, 'error_pages');
  const content = contentKey(route);
  if (pages === null || content === null) return;
  for (const [key, target] of Object.entries(pages.routes)) {
    const to = typeof target === 'string' ? target : target.to;
    for (const check of Object.keys(REFUSALS) as Check[]) {
      const refused = REFUSALS[check].filter((status) => key === status || key.toLowerCase() === `${status[0]}xx`);
      if (refused.length === 0 || effective(route, site, check) === null) continue;
      const isOpen = config.route.some(
        (other) => other.path.includes(to) && contentKey(other) === content && effective(other, site, check) === null,
      );
      if (!isOpen) continue;
      warn(
        `${parts.locate.describe(keys)}: clients that ${check} refuses get the answer of ${to} to their request, from what ${check} protects. ` +
          `Name other statuses than ${key} in error_pages, or give the route of ${to} the same ${check}`,
      );
    }
  }
}

function effective<N extends FeatureName>(
  route: FeatureConfigs,
  site: FeatureConfigs,
  name: N,
): NonNullable<FeatureConfigs[N]> | null {
  const config = route[name];
  return (config === undefined ? site[name] : config) ?? null;
}

/** The same text for routes with the same content; null for fixed answers. */
function contentKey({ app, proxy, static: directories, respond, redirect }: RouteConfig): string | null {
  if (respond !== undefined || redirect !== undefined) return null;
  const hasOther = proxy.length > 0 || directories.length > 0;
  return JSON.stringify([app ?? (hasOther ? null : 'main'), proxy, directories]);
}
