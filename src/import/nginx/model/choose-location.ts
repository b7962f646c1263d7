import type { Exchange } from './exchange.ts';
import type { Location } from './model.ts';

/** What the search for a location found. `slash` is a location whose path is the URI and a slash. */
export interface ChosenLocation {
  readonly location: Location | null;
  readonly addsSlash: boolean;
}

/** Chooses the location of a URI: exact, then the longest prefix and within it, then patterns in their order. */
export function chooseLocation(exchange: Exchange): ChosenLocation {
  const found = search(exchange, exchange.server.locations);
  return { location: found.location, addsSlash: found.state === 'slash' };
}

interface Found {
  readonly location: Location | null;
  /** `open`: patterns of the levels above may still decide. */
  readonly state: 'none' | 'open' | 'decided' | 'slash';
}

function search(exchange: Exchange, locations: readonly Location[]): Found {
  const { uri } = exchange;
  let found = searchPaths(uri, locations);
  let triesPatterns = true;
  if (found.state === 'open' && found.location !== null) {
    triesPatterns = !found.location.isFinal;
    const nested = search(exchange, found.location.locations);
    if (nested.state !== 'none') found = nested;
  }
  if (found.state === 'decided' || found.state === 'slash' || !triesPatterns) return found;
  for (const location of locations) {
    if (location.pattern === null || !exchange.match(location.pattern, uri)) continue;
    const nested = search(exchange, location.locations);
    return nested.state === 'slash' ? nested : { location: nested.location ?? location, state: 'decided' };
  }
  return found;
}

function searchPaths(uri: string, locations: readonly Location[]): Found {
  const { exact, prefixes } = pathsOf(locations);
  const decided = exact.get(uri);
  if (decided !== undefined) return { location: decided, state: 'decided' };
  const below = `${uri}/`;
  const slash = exact.get(below) ?? prefixes.get(below);
  const adds = exact.get(below)?.addsSlash || prefixes.get(below)?.addsSlash;
  if (slash !== undefined && adds && !prefixes.has(uri)) return { location: slash, state: 'slash' };
  let longest: Location | null = null;
  for (const [path, each] of prefixes) {
    if (path.length > (longest?.path.length ?? -1) && uri.startsWith(path)) longest = each;
  }
  return { location: longest, state: longest === null ? 'none' : 'open' };
}

/** Locations by their paths. */
interface Paths {
  readonly exact: ReadonlyMap<string, Location>;
  readonly prefixes: ReadonlyMap<string, Location>;
}

const known = new WeakMap<readonly Location[], Paths>();

/** The first location that has a path keeps it. */
function pathsOf(locations: readonly Location[]): Paths {
  const found = known.get(locations);
  if (found !== undefined) return found;
  const byPath = (kind: Location['kind']): Map<string, Location> =>
    new Map(
      locations
        .filter((each) => each.kind === kind)
        .map((each) => [each.path, each] as const)
        .reverse(),
    );
  const paths = { exact: byPath('exact'), prefixes: byPath('prefix') };
  known.set(locations, paths);
  return paths;
}
