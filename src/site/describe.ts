import { type MiddlewareEntry, middlewareName } from '../config/middleware.ts';
import { pathText } from '../wsgi/variables.ts';
import type { ResolvedRoute } from './build.ts';
import type { Configuration } from './configuration.ts';
import { trustedValuesOf } from './policies.ts';

/** A resolved route in one line: `GET example.org/docs/* → compression → static files`. */
export function routeLine({ name, match, internal, steps }: ResolvedRoute): string {
  const { listen, methods, paths, patterns, headers, query, when } = match;
  const hosts = [...match.hosts, ...match.hostPatterns.map(({ source }) => `~ ${source} `)];
  const targets = [...paths, ...patterns.map(({ source }) => `~ ${source}`)];
  const fields = [...headers.map(fieldText), ...query.map(([key, value]) => `?${key}=${value}`)];
  const parts = [
    methods.join('|'),
    `${hosts.join('|')}${hosts.length > 0 && targets.length === 0 ? '/*' : targets.join('|')}`,
    ...fields,
    ...when.map(({ text }) => `if ${text}`),
  ];
  if (listen.length > 0) parts.unshift(`on ${listen.map(({ address }) => address).join('|')}`);
  if (internal) parts.unshift('internal');
  const conditions = parts.filter((part) => part !== '').join(' ');
  return `${conditions === '' ? name : conditions} → ${steps.join(' → ')}`;
}

/** Which proxies are trusted, and for what, in one line: `loopback, unix may state a client's address, scheme`. */
export function trustLine({ site, settings }: Configuration): string {
  const proxies = settings.trustedProxies;
  const values = trustedValuesOf(site);
  return proxies.length === 0 || values.length === 0
    ? 'nobody may state anything about a client'
    : `${proxies.join(', ')} may state a client's ${values.join(', ')}`;
}

/** The middleware and the application in one line, in the order in which a request passes them. */
export function chainLine(middleware: readonly MiddlewareEntry[], application: string): string {
  return [...middleware.map(middlewareName), application].join(' → ');
}

function fieldText([name, value]: readonly [string, string]): string {
  return `${name}: ${pathText(value)}`;
}
