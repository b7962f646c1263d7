import type { NginxContext } from './context.ts';
import { locationAt } from './location-at.ts';
import { type LocationMatch, matchesOf } from './location-matches.ts';
import type { Location, Server } from './model/model.ts';
import { constantOf } from './model/template.ts';
import type { RouteHosts, RouteMatch } from './route-match.ts';
import { RouteWriter } from './route-writer.ts';
import { writeServerSteps } from './server-steps.ts';
import type { Directive } from './tree.ts';

/** Writes the routes of a server at one of its places. */
export function writeServerRoutes(server: Server, hosts: RouteHosts, context: NginxContext): void {
  const whole = wholeOf(server);
  const writer = new RouteWriter(server, hosts, context);
  const { matches, rest } = withoutSlashes(server, matchesOf(server, context), writer);
  if (writeServerSteps(server, matches, whole, writer)) return;
  const isRoot = ({ location: { kind, path } }: LocationMatch): boolean => kind === 'prefix' && path === '/';
  for (const { location, match, groups } of matches.filter((one) => !isRoot(one)))
    writer.write(location, match, groups);
  const root = matches.find(isRoot);
  if (root === undefined) writer.writeServer(rest.length === 0 ? whole : { ...whole, paths: ['*', ...rest] });
  else writer.write(root.location, root.match, root.groups);
  for (const location of errorTargets(server))
    writer.write({ ...location, isInternal: false }, { ...whole, paths: [location.path] }, []);
}

/** The named locations that error pages lead to. */
function errorTargets(server: Server): Location[] {
  const within = (locations: readonly Location[]): Location[] =>
    locations.flatMap((one) => [one, ...within(one.locations)]);
  const levels = [server, ...within(server.locations)];
  const targets = levels.flatMap(({ settings }) => settings.errorPages.map(({ target }) => constantOf(target) ?? ''));
  return [...new Set(targets)].flatMap((name) => server.named.get(name) ?? []);
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
function withoutSlashes(server: Server, matches: readonly LocationMatch[], writer: RouteWriter): WithoutSlashes {
  const rest: string[] = [];
  const added = new Map<Location, string[]>();
  for (const { location, match } of matches) {
    const [path = ''] = match.paths;
    if (!path.endsWith('/*') || path === '/*' || location.kind !== 'prefix') continue;
    const bare = path.slice(0, -2);
    if (matches.some((one) => one.match.paths.includes(bare))) continue;
    if (location.addsSlash) {
      writer.addSlash(bare, location, match);
      continue;
    }
    const other = locationAt(server, bare);
    if (other === null) rest.push(bare);
    else if (other !== location) added.set(other, [...(added.get(other) ?? []), bare]);
  }
  const changed = matches.map((one) => {
    const paths = added.get(one.location) ?? [];
    return paths.length === 0 ? one : { ...one, match: { ...one.match, paths: pathsWith(one.match, paths) } };
  });
  return { matches: changed, rest };
}

interface WithoutSlashes {
  readonly matches: readonly LocationMatch[];
  /** Paths that belong to no location. */
  readonly rest: readonly string[];
}

/** A route with an exact path needs a path for all others. */
function pathsWith({ paths, pattern }: RouteMatch, added: readonly string[]): string[] {
  return [...(paths.length === 0 && pattern === null ? ['*'] : paths), ...added];
}
