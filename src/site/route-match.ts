import { resolve } from 'node:path';
import { isSameAddress } from '../listen/same-address.ts';
import { Pattern } from '../routing/pattern.ts';
import type { ListenCondition, RouteMatch } from '../routing/router.ts';
import { native } from '../wsgi/variables.ts';
import type { ConfigErrors } from './config-errors.ts';
import { conditionsOf } from './route-conditions.ts';
import type { RouteContext } from './route-context.ts';
import type { RouteConfig } from './schema/site.ts';

/** The match of every request. */
export const ANY: RouteMatch = {
  listen: [],
  hosts: [],
  hostPatterns: [],
  paths: [],
  patterns: [],
  beforePatterns: false,
  methods: [],
  headers: [],
  query: [],
  when: [],
};

/** The patterns of a route for the path or the host. Errors go to `errors`. */
export function patternsOf(
  route: RouteConfig,
  key: 'path_pattern' | 'host_pattern',
  keys: readonly PropertyKey[],
  errors: ConfigErrors,
): Pattern[] {
  return route[key].flatMap((source, index) => {
    const pattern = errors.attempt([...keys, key, index], () => new Pattern(source, key));
    return pattern === null ? [] : [pattern];
  });
}

/** The requests that belong to a route of the configuration. */
export function matchOf(route: RouteConfig, patterns: readonly Pattern[], context: RouteContext): RouteMatch {
  const { errors, keys } = context;
  const mounted = route.mount === undefined ? [] : [`${route.mount}/*`];
  const paths = route.path.length > 0 ? route.path : mounted;
  if (route.before_patterns && !paths.some((path) => path.endsWith('*')))
    errors.add([...keys, 'before_patterns'], 'the route has no path that ends with *');
  return {
    listen: route.listen.map((name, index) => listenOf(name, context, [...keys, 'listen', index])),
    hosts: route.host.map((host) => host.toLowerCase()),
    hostPatterns: patternsOf(route, 'host_pattern', keys, errors),
    paths,
    patterns,
    beforePatterns: route.before_patterns,
    methods: route.methods.map((method) => method.toUpperCase()),
    headers: Object.entries(route.match_headers).map(([name, value]) => [name.toLowerCase(), native(value)] as const),
    query: Object.entries(route.match_query),
    when: conditionsOf(route, context),
  };
}

/** The address `name`, which must be one of the server's. Without a listener, the route would match nothing. */
function listenOf(name: string, { parts, errors }: RouteContext, keys: readonly PropertyKey[]): ListenCondition {
  const { addresses } = parts;
  const text = name.replace(/unix:([^?]+)/, (_, path: string) => `unix:${resolve(parts.baseOf('route'), path)}`);
  const listeners = errors.attempt(keys, () =>
    [...addresses.keys()].filter((index) => addresses[index] !== '' && isSameAddress(text, addresses[index] as string)),
  );
  if (listeners?.length === 0) {
    const known = [...new Set(addresses.filter((address) => address !== ''))].join(', ');
    errors.add(keys, `the server does not listen on ${JSON.stringify(name)}. Its addresses are ${known}`);
  }
  return { address: name, listeners: listeners ?? [] };
}
