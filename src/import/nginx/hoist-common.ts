import type { ConfigBuilder } from '../config-builder.ts';

/** Keys that a configuration can have above all routes. */
const SHARED = [
  ...['body_bytes_max', 'https_redirect', 'compression', 'headers', 'access', 'rate_limit', 'request_limit'],
  ...['basic_auth', 'forward_auth', 'error_pages'],
];

/** Moves what all routes have in common above them, so that it is written once. */
export function hoistCommon(builder: ConfigBuilder): void {
  const routes = builder.lists.get('route') ?? [];
  for (const key of SHARED) {
    const [first, ...others] = routes;
    if (first === undefined) return;
    if (key === 'https_redirect' && raiseRedirect(builder, routes)) continue;
    const wanted = shown(first, key);
    if (wanted === undefined || others.some((route) => shown(route, key) !== wanted)) continue;
    const value = first.values.get(key);
    const table = first.tables.get(key);
    const list = first.lists.get(key);
    if (value !== undefined) builder.values.set(key, value);
    if (table !== undefined) builder.tables.set(key, table);
    if (list !== undefined) builder.lists.set(key, list);
    for (const route of routes) {
      route.values.delete(key);
      route.tables.delete(key);
      route.lists.delete(key);
    }
  }
  // the routes stay the last part of the file
  builder.lists.delete('route');
  builder.lists.set('route', routes);
}

/** Not every route is for HTTPS: the route for certificates, for instance, is not. */
function raiseRedirect(builder: ConfigBuilder, routes: readonly ConfigBuilder[]): boolean {
  const key = 'https_redirect';
  const having = routes.filter((route) => route.get(key) === true);
  const value = having[0]?.values.get(key);
  if (value === undefined || having.length * 2 <= routes.length || routes.some((route) => route.tables.has(key)))
    return false;
  builder.values.set(key, value);
  for (const route of routes) {
    if (!route.values.delete(key)) route.assume(key, false, 'it answers over HTTP too');
  }
  return true;
}

function shown(route: ConfigBuilder, key: string): string | undefined {
  const value = route.get(key);
  const table = route.tables.get(key);
  const list = route.lists.get(key);
  if (value !== undefined) return JSON.stringify(value);
  if (list !== undefined) return JSON.stringify(list.map((one) => one.plain()));
  return table === undefined || table.isEmpty ? undefined : JSON.stringify(table.plain());
}
