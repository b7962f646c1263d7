import type { NginxContext } from './context.ts';
import { writeErrorRedirects } from './error-redirects.ts';
import { mountOf } from './files.ts';
import { levelAt } from './location-at.ts';
import { isAliasOfName, type LocationMatch, matchesOf, sendsFiles } from './location-matches.ts';
import { textOf } from './model/bytes.ts';
import type { Instruction, Level, Location, Server } from './model/model.ts';
import { constantOf } from './model/template.ts';
import type { RouteHosts, RouteMatch } from './route-match.ts';
import { RouteWriter } from './route-writer.ts';
import { writeServerSteps } from './server-steps.ts';
import type { Directive } from './tree.ts';

/** Writes the routes of a server at one of its places. */
export function writeServerRoutes(server: Server, hosts: RouteHosts, context: NginxContext): void {
  const whole = wholeOf(server);
  const writer = new RouteWriter(server, hosts, context);
  writer.asked = new Set(levelsOf(server).flatMap(({ settings: { authRequest } }) => authRequest ?? []));
  const { matches, rest, slashes } = withoutSlashes(server, matchesOf(server, context));
  for (const location of errorTargets(server))
    writer.write({ ...location, isInternal: false }, { ...whole, paths: [location.path] }, []);
  writeErrorRedirects(levelsOf(server), whole, writer);
  if (writeServerSteps(server, matches, whole, writer)) return;
  for (const { path, location, match } of slashes) writer.addSlash(path, location, match);
  const isRoot = ({ location: { kind, path } }: LocationMatch): boolean => kind === 'prefix' && path === '/';
  // one that is written as a pattern has its place among the others
  const isLast = (one: LocationMatch): boolean => isRoot(one) && one.match.pattern === null;
  for (const { location, match, groups } of matches.filter((one) => !isLast(one)))
    writer.write(location, match, groups);
  for (const { location, match } of matches.filter(leavesOutNames)) writer.refuseNames(location, match);
  for (const { location, match, groups } of matches.filter(isLast)) writer.write(location, match, groups);
  if (matches.some(isRoot)) return;
  const apart = rest.filter((path) => mountOf(path) !== '/');
  const beside = rest.filter((path) => !apart.includes(path));
  for (const path of apart) writer.writeServer({ ...whole, paths: [path] });
  writer.writeServer(beside.length === 0 ? whole : { ...whole, paths: ['*', ...beside] });
}

/** Whether the paths of a route are fewer than those of its location: an alias for `/media` is also one for the path `/media2`. */
function leavesOutNames({ location, match }: LocationMatch): boolean {
  const isShorter = location.kind === 'prefix' && match.paths[0] === `${textOf(location.path)}/*`;
  return isShorter && location.tryFiles === null && !location.isInternal;
}

/** The named locations that error pages lead to. */
function errorTargets(server: Server): Location[] {
  const pages = levelsOf(server).flatMap(({ settings }) => settings.errorPages);
  const targets = new Set(pages.map(({ target }) => constantOf(target) ?? ''));
  return [...targets].flatMap((name) => server.named.get(name) ?? []);
}

/** A server and all levels in it. */
function levelsOf(level: Level & Partial<Pick<Location, 'locations' | 'limit'>>): Level[] {
  const inner = (instruction: Instruction): Level[] =>
    instruction.kind === 'if'
      ? [...(instruction.level === null ? [] : [instruction.level]), ...instruction.then.flatMap(inner)]
      : [];
  return [
    level,
    ...level.instructions.flatMap(inner),
    ...(level.limit ? [level.limit.level] : []),
    ...(level.locations ?? []).flatMap(levelsOf),
  ];
}

/** All requests of a server. */
function wholeOf({ statement }: Server): RouteMatch {
  const from = [statement as Directive];
  return { paths: [], pattern: null, beforePatterns: false, methods: [], when: {}, from };
}

/**
 * In Viaduct, `/below/*` includes `/below`. In nginx it belongs to another location, or a backend's location adds the slash. So these paths
 * become exact paths of the other location.
 */
function withoutSlashes(server: Server, matches: readonly LocationMatch[]): WithoutSlashes {
  const rest: string[] = [];
  const slashes: AddedSlash[] = [];
  const added = new Map<Location, string[]>();
  const files = new Map<Location, string>();
  for (const { location, match } of matches) {
    const bare = withoutSlash(location, match);
    if (bare === null || matches.some((one) => one.match.paths.includes(bare))) continue;
    const chosen = levelAt(server, bare);
    const other = chosen?.location ?? null;
    if (other === location && isAliasOfName(location)) {
      if (isFile(location)) files.set(location, bare);
      else if (match.paths.length === 0) slashes.push({ path: bare, location, match });
    } else if (chosen?.addsSlash === true) {
      if (!slashes.some(({ path }) => path === bare)) slashes.push({ path: bare, location: other ?? location, match });
    } else if (location.kind !== 'prefix') continue;
    else if (other === null) rest.push(bare);
    else if (other !== location) added.set(other, [...(added.get(other) ?? []), bare]);
  }
  const changed = matches.flatMap((one) => {
    const paths = added.get(one.location) ?? [];
    const apart = hasFiles(one) ? paths.filter((path) => mountOf(path) !== mountOf(one.match.paths[0] ?? '/')) : [];
    const beside = paths.filter((path) => !apart.includes(path));
    const file = files.get(one.location);
    return [
      ...[...apart, ...(file === undefined ? [] : [file])].map((path) => ({
        ...one,
        match: { ...one.match, paths: [path], beforePatterns: false },
      })),
      beside.length === 0 ? one : { ...one, match: { ...one.match, paths: pathsWith(one.match, beside) } },
    ];
  });
  return { matches: changed, rest, slashes };
}

/** The path of a location without the slash at its end; null if it has none. */
function withoutSlash(location: Location, { paths: [path = ''] }: RouteMatch): string | null {
  const { kind, addsSlash, path: own } = location;
  if (addsSlash && own.length > 1) return textOf(own.slice(0, -1));
  if (isAliasOfName(location)) return textOf(own);
  if (kind === 'exact') return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : null;
  return kind === 'prefix' && path.endsWith('/*') && path !== '/*' ? path.slice(0, -2) : null;
}

/** Whether an alias looks like one of a file. */
function isFile({ settings: { root } }: Location): boolean {
  return /\.\w+$/.test(constantOf(root.path) ?? '');
}

/** Whether files answer. The directory of a route stands for its path up to the last slash, so a path with another start needs a route of its own. */
function hasFiles({ location, match }: LocationMatch): boolean {
  return sendsFiles(location) && match.pattern === null;
}

interface WithoutSlashes {
  readonly matches: readonly LocationMatch[];
  /** Paths that belong to no location. */
  readonly rest: readonly string[];
  readonly slashes: readonly AddedSlash[];
}

/** A path to which a backend's location adds a slash. */
interface AddedSlash {
  readonly path: string;
  readonly location: Location;
  readonly match: RouteMatch;
}

/** A route with an exact path needs a path for all others. */
function pathsWith({ paths, pattern }: RouteMatch, added: readonly string[]): string[] {
  return [...(paths.length === 0 && pattern === null ? ['*'] : paths), ...added];
}
