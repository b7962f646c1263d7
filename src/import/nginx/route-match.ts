import { Pattern } from '../../routing/pattern.ts';
import type { ConfigBuilder, Value } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import type { ServerPlace } from './places.ts';
import type { Directive } from './tree.ts';

/** A comparison of a text with placeholders. */
export interface Comparison {
  readonly is?: readonly string[];
  readonly not?: readonly string[];
  readonly pattern?: readonly string[];
  readonly not_pattern?: readonly string[];
}

/** The requests of a route, apart from its hosts and addresses. */
export interface RouteMatch {
  /** Paths in the form of routes; none and no pattern for all paths. */
  readonly paths: readonly string[];
  readonly pattern: string | null;
  readonly beforePatterns: boolean;
  readonly methods: readonly string[];
  readonly when: Readonly<Record<string, Comparison>>;
  readonly from: readonly Directive[];
}

/** The hosts and addresses of routes, and the directives that name the hosts. */
export interface RouteHosts extends ServerPlace {
  readonly from: readonly Directive[];
}

/** Adds a route with its conditions. */
export function addRoute(match: RouteMatch, hosts: RouteHosts, { builder }: NginxContext): ConfigBuilder {
  const route = builder.append('route');
  if (hosts.listen.length > 0) route.assume('listen', oneOrAll(hosts.listen), '');
  if (hosts.hosts.length > 0) route.set('host', oneOrAll(hosts.hosts), ...hosts.from);
  if (hosts.patterns.length > 0) route.set('host_pattern', oneOrAll(hosts.patterns), ...hosts.from);
  if (match.paths.length > 0) route.set('path', oneOrAll(match.paths), ...match.from);
  if (match.pattern !== null) route.set('path_pattern', match.pattern, ...match.from);
  if (match.beforePatterns) route.set('before_patterns', true, ...match.from);
  if (match.methods.length > 0) route.set('methods', [...match.methods], ...match.from);
  for (const [text, comparison] of Object.entries(match.when)) {
    route.table('when').set(text, comparisonValue(comparison), ...match.from);
  }
  return route;
}

/** Whether a match has conditions besides the path. */
export function isConditional({ methods, when }: RouteMatch): boolean {
  return methods.length > 0 || Object.keys(when).length > 0;
}

/** The match with further conditions; null if one of them cannot be joined with a condition for the same text. */
export function withConditions(match: RouteMatch, when: RouteMatch['when'], ...from: Directive[]): RouteMatch | null {
  const all = { ...match.when };
  for (const [text, comparison] of Object.entries(when)) {
    const known = all[text];
    const both = known === undefined ? comparison : bothOf(known, comparison);
    if (both === null) return null;
    all[text] = both;
  }
  return { ...match, when: all, from: [...match.from, ...from] };
}

/** The comparison that holds if both hold; null if it has no form. */
function bothOf(one: Comparison, other: Comparison): Comparison | null {
  if (one.is !== undefined && other.is !== undefined) return null;
  const lists = (key: 'not' | 'not_pattern'): readonly string[] => [...(one[key] ?? []), ...(other[key] ?? [])];
  const [not, notPattern] = [lists('not'), lists('not_pattern')];
  const pattern =
    one.pattern !== undefined && other.pattern !== undefined
      ? bothPatterns(one.pattern, other.pattern)
      : (one.pattern ?? other.pattern ?? []);
  if (pattern === null) return null;
  const is = one.is ?? other.is;
  return {
    ...(is === undefined ? {} : { is }),
    ...(not.length > 0 ? { not } : {}),
    ...(pattern.length > 0 ? { pattern } : {}),
    ...(notPattern.length > 0 ? { not_pattern: notPattern } : {}),
  };
}

/** A pattern for what matches one pattern of each list. */
function bothPatterns(...lists: readonly (readonly string[])[]): string[] | null {
  const ahead = lists.map((patterns) => `(?=.*(?:${patterns.map(withoutGroups).join('|')}))`);
  const pattern = `^${ahead.join('')}`;
  try {
    new Pattern(pattern, 'pattern');
    return [pattern];
  } catch {
    return null;
  }
}

/** The same pattern without groups that capture. */
function withoutGroups(source: string): string {
  return source.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?<\w+>|(?!\?))/g, (found) =>
    found.startsWith('(') ? '(?:' : found,
  );
}

function oneOrAll(values: readonly string[]): Value {
  return values.length === 1 ? (values[0] as string) : [...values];
}

function comparisonValue({ is, ...others }: Comparison): Value {
  const rest = Object.entries(others).map(([key, values]) => [key, oneOrAll(values ?? [])] as const);
  if (is !== undefined && rest.length === 0) return oneOrAll(is);
  return Object.fromEntries([...(is === undefined ? [] : [['is', oneOrAll(is)] as const]), ...rest]);
}
