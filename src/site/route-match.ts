import { Pattern } from '../routing/pattern.ts';
import type { RouteMatch } from '../routing/router.ts';
import { native } from '../wsgi/variables.ts';
import type { ConfigErrors } from './config-errors.ts';
import { conditionsOf } from './route-conditions.ts';
import type { RouteContext } from './route-context.ts';
import type { RouteConfig } from './schema/site.ts';

/** The patterns for the path of a route. Errors go to `errors`. */
export function patternsOf(route: RouteConfig, keys: readonly string[], errors: ConfigErrors): Pattern[] {
  return route.path_pattern.flatMap((source, index) => {
    const pattern = errors.attempt([...keys, 'path_pattern', `${index}`], () => new Pattern(source, 'path_pattern'));
    return pattern === null ? [] : [pattern];
  });
}

/** The requests that belong to a route. */
export function matchOf(route: RouteConfig, patterns: readonly Pattern[], context: RouteContext): RouteMatch {
  const mounted = route.mount === undefined ? [] : [`${route.mount}/*`];
  return {
    hosts: route.host.map((host) => host.toLowerCase()),
    paths: route.path.length > 0 ? route.path : mounted,
    patterns,
    methods: route.methods.map((method) => method.toUpperCase()),
    headers: Object.entries(route.match_headers).map(([name, value]) => [name.toLowerCase(), native(value)] as const),
    query: Object.entries(route.match_query),
    when: conditionsOf(route, context),
  };
}
