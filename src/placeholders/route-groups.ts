import type { Pattern } from '../routing/pattern.ts';
import { routingPath } from '../routing/routing-path.ts';
import { bytesOf } from './bytes.ts';
import { NO_VALUES, type Placeholder } from './placeholder.ts';

/**
 * The placeholders for the named groups of a route's patterns. A group of a pattern that did not match is empty. The path is matched again when a value is needed, once
 * for all groups that are needed in a row.
 */
export function routeGroups(patterns: readonly Pattern[]): ReadonlyMap<string, Placeholder> {
  const names = new Set(patterns.flatMap(({ groupNames }) => groupNames).filter((name) => name !== ''));
  let lastPath = '';
  let last: { readonly names: readonly string[]; readonly values: readonly string[] } = {
    names: [],
    values: NO_VALUES,
  };

  function match(path: string): typeof last {
    if (path === lastPath) return last;
    lastPath = path;
    last = { names: [], values: NO_VALUES };
    const decoded = routingPath(path) ?? '';
    for (const pattern of patterns) {
      const values = pattern.match(decoded);
      if (values === null) continue;
      last = { names: pattern.groupNames, values };
      break;
    }
    return last;
  }
  const placeholder = (name: string): Placeholder => ({
    name,
    from: 'request',
    isEncoded: false,
    value: ({ path }) => {
      const { names: own, values } = match(path);
      return bytesOf(values[own.indexOf(name)] ?? '');
    },
  });
  return new Map([...names].map((name) => [name, placeholder(name)]));
}
