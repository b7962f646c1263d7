import { applicationName } from '../app/project.ts';
import { middlewareName } from '../config/middleware.ts';
import type { ResolvedRoute } from './build.ts';
import type { NamedApplication } from './configuration.ts';

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

/** What a request passes on its way into an application, for people; null where nothing is around it. */
export function applicationLine({
  project,
  middleware,
}: Pick<NamedApplication, 'project' | 'middleware'>): string | null {
  if (middleware.length === 0) return null;
  return [...middleware.map(middlewareName), applicationName(project.application)].join(' → ');
}

function fieldText([name, value]: readonly [string, string]): string {
  return `${name}: ${value}`;
}
