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
  const byPath = (kind: Location['kind'], path: string) =>
    locations.find((each) => each.kind === kind && each.path === path);
  const exact = byPath('exact', uri);
  if (exact !== undefined) return { location: exact, state: 'decided' };
  const slash = byPath('exact', `${uri}/`) ?? byPath('prefix', `${uri}/`);
  const adds = byPath('exact', `${uri}/`)?.addsSlash || byPath('prefix', `${uri}/`)?.addsSlash;
  if (slash !== undefined && adds && byPath('prefix', uri) === undefined) return { location: slash, state: 'slash' };
  const prefixes = locations.filter(({ kind, path }) => kind === 'prefix' && uri.startsWith(path));
  const longest = prefixes.reduce<Location | null>(
    (best, each) => (best === null || each.path.length > best.path.length ? each : best),
    null,
  );
  return { location: longest, state: longest === null ? 'none' : 'open' };
}
