import type { NginxContext } from './context.ts';
import { type Expression, expressionOf, literal } from './expression.ts';
import { textOf } from './model/bytes.ts';
import type { Location, Server } from './model/model.ts';
import { type RouteMatch, withConditions } from './route-match.ts';
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
  /** Whether patterns beside the outermost location are not tried: `^~` of a location in it counts only for the patterns beside that. Null outside. */
  readonly isFinal: boolean | null;
  /** Prefixes are written as patterns, because patterns within a `^~` location, or the pattern around it, win over it. */
  readonly asPatterns: boolean;
  /** The patterns of the locations around it. All of them match its requests; null if one of them is lost. */
  readonly patterns: readonly string[] | null;
  /** Paths below it that belong to others, with all that starts like them. */
  readonly taken: readonly string[];
}

/** The matches of a level. Patterns within prefixes win over those beside them, and these over all prefixes. */
interface Ranked {
  /** Exact paths and patterns, in the order in which they are tried. */
  readonly first: readonly LocationMatch[];
  /** Prefixes, the longest first. */
  readonly last: readonly LocationMatch[];
}

/** The locations of a server that requests can reach by their path, with their routes in the order in which patterns must be tried. */
export function matchesOf(server: Server, context: NginxContext): LocationMatch[] {
  const hasPatterns = server.locations.some(({ kind }) => kind === 'pattern');
  const { first, last } = collect(server.locations, {
    ...{ prefix: null, isFinal: null, asPatterns: false, patterns: [], taken: [] },
  });
  return [...first, ...last];

  function collect(locations: readonly Location[], around: Around): Ranked {
    const exact: LocationMatch[] = [];
    const nested: LocationMatch[] = [];
    const own: LocationMatch[] = [];
    const last: LocationMatch[] = [];
    for (const location of byLength(locations)) {
      if (location.kind === 'named') continue;
      if (location.kind !== 'pattern' && around.taken.some((path) => location.path.startsWith(path))) {
        context.report.lost(location.statement, 'no request reaches it: another location has its paths');
        continue;
      }
      const isFinal = around.isFinal ?? location.isFinal;
      const asPatterns = around.asPatterns || (isFinal && startsPatterns(location, locations));
      const prefix = location.kind === 'prefix' ? location : around.prefix;
      const taken = location.kind === 'prefix' ? [...around.taken, ...longerPaths(location, locations)] : around.taken;
      const inside = { prefix, isFinal, taken, ...insideOf(location, { ...around, asPatterns }) };
      const inner = collect(location.locations, inside);
      const found = matchWithin(location, locations, { ...around, isFinal, asPatterns });
      const itself = found === null ? [] : [found];
      // a pattern is tried after all that is in it, and so is a prefix with `^~`, which keeps the patterns of the server from being tried
      if (location.kind === 'pattern') own.push(...inner.first, ...inner.last, ...itself);
      else if (around.isFinal === null && asPatterns) nested.push(...inner.first, ...inner.last, ...itself);
      else {
        nested.push(...inner.first);
        last.push(...inner.last);
        (location.kind === 'exact' ? exact : last).push(...itself);
      }
    }
    return { first: [...exact, ...nested, ...own], last };
  }

  /** The match of a location in others with patterns. */
  function matchWithin(location: Location, beside: readonly Location[], around: Around): LocationMatch | null {
    const found = matchOf(location, beside, around);
    let match: RouteMatch | null = found?.match ?? null;
    for (const pattern of around.patterns ?? []) {
      match = match && withConditions(match, { '{path.decoded}': { pattern: [pattern] } });
    }
    if (found !== null && match !== null && around.patterns !== null) return { ...found, match };
    if (found !== null)
      context.report.lost(location.statement, 'the pattern around it cannot be one of its conditions');
    return null;
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
    const isInPattern = around.patterns === null || around.patterns.length > 0;
    if (path.includes('*') || isInPattern || (around.asPatterns && !isExact)) {
      const pattern = `^${literal(path)}${isExact ? '$' : ''}`;
      const others = isExact ? [] : longerThan(location, [...server.locations, ...beside]);
      const when = others.length > 0 ? { '{path.decoded}': { not_pattern: others } } : {};
      return { location, match: { ...plain, paths: [], pattern, when }, groups: [] };
    }
    const beforePatterns = !isExact && around.isFinal === true && hasPatterns;
    const paths = isExact ? [path] : path === '/' ? (beforePatterns ? ['*'] : []) : [pathOfPrefix(location, path)];
    return { location, match: { ...plain, paths, beforePatterns }, groups: [] };
  }

  function patternMatch(
    location: Location,
    beside: readonly Location[],
    { prefix, taken }: Around,
    from: readonly Directive[],
  ): LocationMatch | null {
    const expression = expressionOfLocation(location);
    if ('wrong' in expression) {
      context.report.lost(location.statement, expression.wrong);
      return null;
    }
    const match = { paths: [], pattern: expression.source, beforePatterns: false, methods: [], when: {}, from };
    if (prefix === null) return { location, match, groups: expression.groups };
    const longer = longerThan(prefix, [...server.locations, ...beside.filter(({ isFinal }) => isFinal)]);
    const others = [...new Set([...longer, ...taken.map((path) => `^${literal(textOf(path))}`)])];
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

/** Patterns of the prefixes that start with that of a location, and win over it. */
function longerThan(prefix: Location, locations: readonly Location[]): string[] {
  return [...new Set(longerPaths(prefix, locations).map((path) => `^${literal(textOf(path))}`))];
}

function longerPaths(prefix: Location, locations: readonly Location[]): string[] {
  return locations
    .filter(({ kind, path }) => kind === 'prefix' && path.length > prefix.path.length && path.startsWith(prefix.path))
    .map(({ path }) => path);
}

/** What a pattern is for the locations in it. */
function insideOf(location: Location, { asPatterns, patterns }: Around): Pick<Around, 'asPatterns' | 'patterns'> {
  if (location.kind !== 'pattern') return { asPatterns, patterns };
  const expression = expressionOfLocation(location);
  return {
    asPatterns: true,
    patterns: patterns === null || 'wrong' in expression ? null : [...patterns, expression.source],
  };
}

function expressionOfLocation({ pattern }: Location): Expression {
  return expressionOf(textOf(pattern?.source ?? ''), pattern?.regex?.ignoreCase === true);
}

/** Whether a prefix is that of a location with `^~` and patterns, itself or a longer one. A prefix that wins over patterns would win over that. */
function startsPatterns({ kind, path }: Location, beside: readonly Location[]): boolean {
  if (kind !== 'prefix') return false;
  return beside.some((one) => {
    return one.kind === 'prefix' && one.isFinal && one.path.startsWith(path) && holdsPatterns(one);
  });
}

/** Whether a pattern is in a location, or in one within it. */
function holdsPatterns({ locations }: Location): boolean {
  return locations.some((location) => location.kind === 'pattern' || holdsPatterns(location));
}

/** A prefix without a slash at its end is one of names, too. An alias of it is one of paths below it alone. */
function pathOfPrefix(location: Location, path: string): string {
  return isAliasOfName(location) ? `${path}/*` : `${path}*`;
}

/** Whether a location stands for a file or a directory, and for the names that start with its path. */
export function isAliasOfName(location: Location): boolean {
  const { kind, path, settings } = location;
  return kind === 'prefix' && !path.endsWith('/') && sendsFiles(location) && settings.root.replaces === path.length;
}

/** Whether files answer, and neither a backend nor a text. */
export function sendsFiles({ handler, instructions }: Location): boolean {
  return handler === null && !instructions.some(({ kind }) => kind === 'return');
}

/** Prefixes that are written as patterns are tried in order, the longest first. */
function byLength(locations: readonly Location[]): Location[] {
  const prefixes = locations.filter(({ kind }) => kind === 'prefix').sort((a, b) => b.path.length - a.path.length);
  return [...locations.filter(({ kind }) => kind !== 'prefix'), ...prefixes];
}
