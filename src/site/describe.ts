import { type MiddlewareEntry, middlewareName } from '../config/middleware.ts';
import type { ResolvedRoute } from './build.ts';

/** A resolved route for people: `GET example.org/docs/* → compression → static files`. */
export function routeLine({ name, match, internal, steps }: ResolvedRoute): string {
  const { methods, hosts, paths, patterns, headers, query } = match;
  const places = [...paths, ...patterns.map(({ source }) => `~ ${source}`)];
  const fields = [...headers.map(fieldText), ...query.map(([key, value]) => `?${key}=${value}`)];
  const parts = [
    methods.join('|'),
    `${hosts.join('|')}${hosts.length > 0 && places.length === 0 ? '/*' : places.join('|')}`,
    ...fields,
  ];
  if (internal) parts.unshift('internal');
  const asked = parts.filter((part) => part !== '').join(' ');
  return `${asked === '' ? name : asked} → ${steps.join(' → ')}`;
}

/** What a request passes on its way into an application, for people. */
export function chainLine(middleware: readonly MiddlewareEntry[], application: string): string {
  return [...middleware.map(middlewareName), application].join(' → ');
}

function fieldText([name, value]: readonly [string, string]): string {
  return `${name}: ${value}`;
}
