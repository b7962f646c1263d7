import type { Draft } from '../config-builder.ts';

/** Keys that can also stand above all routes. */
const SHARED = [
  ...['body_bytes_max', 'https_redirect', 'compression', 'headers', 'access', 'rate_limit', 'request_limit'],
  ...['basic_auth', 'forward_auth', 'error_pages'],
];

/** Moves what all routes have alike above them, so that it is written once. */
export function hoist(draft: Draft): void {
  const routes = draft.lists.get('route') ?? [];
  for (const key of SHARED) {
    const [first, ...others] = routes;
    if (first === undefined) return;
    if (key === 'https_redirect' && raiseRedirect(draft, routes)) continue;
    const wanted = shown(first, key);
    if (wanted === undefined || others.some((route) => shown(route, key) !== wanted)) continue;
    const value = first.values.get(key);
    const table = first.tables.get(key);
    if (value !== undefined) draft.values.set(key, value);
    if (table !== undefined) draft.tables.set(key, table);
    for (const route of routes) {
      route.values.delete(key);
      route.tables.delete(key);
    }
  }
}

/** Most routes are for https, and some, as that for certificates, are not. */
function raiseRedirect(draft: Draft, routes: readonly Draft[]): boolean {
  const key = 'https_redirect';
  const having = routes.filter((route) => route.get(key) === true);
  const value = having[0]?.values.get(key);
  if (value === undefined || having.length * 2 <= routes.length || routes.some((route) => route.tables.has(key)))
    return false;
  draft.values.set(key, value);
  for (const route of routes) {
    if (!route.values.delete(key)) route.assume(key, false, 'it answers by http, too');
  }
  return true;
}

function shown(route: Draft, key: string): string | undefined {
  const value = route.get(key);
  const table = route.tables.get(key);
  if (value !== undefined) return JSON.stringify(value);
  return table === undefined || table.isEmpty ? undefined : JSON.stringify(table.plain());
}
