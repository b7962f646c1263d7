import type { NginxContext } from './context.ts';
import { expressionOf, literal } from './expression.ts';
import { textOf } from './model/bytes.ts';
import type { Location, Server } from './model/model.ts';
import type { RouteMatch } from './route-match.ts';
import type { Directive } from './tree.ts';

/** A location and the paths of its route. */
export interface LocationMatch {
  readonly location: Location;
  readonly match: RouteMatch;
  /** Names of the groups of its pattern. */
  readonly groups: readonly string[];
}

/** What is around the locations of a level. */
interface Around {
  readonly prefix: Location | null;
  /** `^~` holds for the locations in it, too. */
  readonly isFinal: boolean;
  /** Prefixes are written as patterns, because patterns within a `^~` location win over it. */
  readonly asPatterns: boolean;
}

/** The locations of a server that requests can reach by their path, with their routes in the order in which patterns must be tried. */
export function matchesOf(server: Server, context: NginxContext): LocationMatch[] {
  const hasPatterns = server.locations.some(({ kind }) => kind === 'pattern');
  return collect(server.locations, { prefix: null, isFinal: false, asPatterns: false });

  function collect(locations: readonly Location[], around: Around): LocationMatch[] {
    const own: LocationMatch[] = [];
    const nested: LocationMatch[] = [];
    for (const location of byLength(locations)) {
      if (location.kind === 'named') continue;
      const isFinal = around.isFinal || location.isFinal;
      const hasNested = location.locations.some(({ kind }) => kind === 'pattern');
      const asPatterns = around.asPatterns || (isFinal && hasNested && location.kind === 'prefix');
      const prefix = location.kind === 'prefix' ? location : around.prefix;
      nested.push(...collect(location.locations, { prefix, isFinal, asPatterns }));
      const found = matchOf(location, locations, { prefix: around.prefix, isFinal, asPatterns });
      if (found === null) continue;
      (asPatterns && location.kind === 'prefix' ? nested : own).push(found);
    }
    return [...nested, ...own];
  }

  function matchOf(location: Location, beside: readonly Location[], around: Around): LocationMatch | null {
    const from = [location.statement as Directive];
    const plain = { pattern: null, beforePatterns: false, methods: [], when: {}, from };
    const path = textOf(location.path);
    if (location.kind === 'pattern') return patternMatch(location, beside, around, from);
    if (!/^\/[^\p{C}]*$/u.test(path)) {
      context.report.lost(location.statement, 'it is not a path');
      return null;
    }
    const isExact = location.kind === 'exact';
    if (path.includes('*') || (around.asPatterns && !isExact)) {
      const pattern = `^${literal(path)}${isExact ? '$' : ''}`;
      return { location, match: { ...plain, paths: [], pattern }, groups: [] };
    }
    const beforePatterns = !isExact && around.isFinal && hasPatterns;
    const paths = isExact ? [path] : path === '/' ? (beforePatterns ? ['*'] : []) : [pathOfPrefix(location, path)];
    return { location, match: { ...plain, paths, beforePatterns }, groups: [] };
  }

  function patternMatch(
    location: Location,
    beside: readonly Location[],
    { prefix }: Around,
    from: readonly Directive[],
  ): LocationMatch | null {
    const { pattern } = location;
    const expression = expressionOf(textOf(pattern?.source ?? ''), pattern?.regex?.ignoreCase === true);
    if ('wrong' in expression) {
      context.report.lost(location.statement, expression.wrong);
      return null;
    }
    const match = { paths: [], pattern: expression.source, beforePatterns: false, methods: [], when: {}, from };
    if (prefix === null) return { location, match, groups: expression.groups };
    const longer = [...server.locations, ...beside.filter(({ isFinal }) => isFinal)].filter(
      ({ kind, path }) => kind === 'prefix' && path.length > prefix.path.length && path.startsWith(prefix.path),
    );
    const others = [...new Set(longer.map(({ path }) => `^${literal(textOf(path))}`))];
    const start = `^${literal(textOf(prefix.path))}`;
    const isWithin = prefix.path === '/' || expression.source.startsWith(start);
    const when = {
      ...(isWithin ? {} : { pattern: [start] }),
      ...(others.length > 0 ? { not_pattern: others } : {}),
    };
    const hasMore = Object.keys(when).length > 0;
    return {
      location,
      match: hasMore ? { ...match, when: { '{path.decoded}': when } } : match,
      groups: expression.groups,
    };
  }
}

/** A prefix without a slash at its end is one of names, too. An alias of it is one of paths below it alone. */
function pathOfPrefix({ settings: { root } }: Location, path: string): string {
  if (path.endsWith('/')) return `${path}*`;
  return root.replaces === path.length ? `${path}/*` : `${path}*`;
}

/** Prefixes that are written as patterns are tried in order, the longest first. */
function byLength(locations: readonly Location[]): Location[] {
  const prefixes = locations.filter(({ kind }) => kind === 'prefix').sort((a, b) => b.path.length - a.path.length);
  return [...locations.filter(({ kind }) => kind !== 'prefix'), ...prefixes];
}
