import type { Probe } from '../../check/outcome.ts';
import type { Level, Location, Model, Server } from '../model/model.ts';
import type { NginxExpectation } from './expectations.ts';

/** What decides whether a client that claims something gets another answer. */
type Known = Pick<NginxExpectation, 'probe' | 'outcome' | 'levels'>;

/**
 * Clients that claim each field that a backend gets. What both servers make of these fields depends on where a request gets: on the levels of
 * nginx, on the fields that nginx sends there, and on the route of the new settings. So one request for each of these is made with claims, and
 * all requests where more than a backend depends on such a field.
 */
export class Claims {
  readonly #fields: Probe['fields'];
  readonly #countsEverywhere: boolean;
  /** Where requests with claims got. */
  readonly #places = new Set<string>();
  readonly #levels = new Map<Level | null, number>();
  /** The probes with claims, by those without. */
  readonly #claiming = new Map<Probe, Probe>();

  constructor(model: Model) {
    const levels = model.servers.flatMap(levelsOf);
    const names = new Map(levels.flatMap(sentFields).map((name) => [name.toLowerCase(), name]));
    this.#fields = [...names.values()].map((name) => [name, 'claimed']);
    this.#countsEverywhere = looksAt([...names.keys()], levels, model);
  }

  /**
   * What `decide` makes of `probes`, and then of those that claim something and are not among them. `routeOf` says which route answers a probe,
   * once the caller has seen what nginx does with it.
   */
  *follow<T extends Known>(
    probes: readonly Probe[],
    decide: (probes: readonly Probe[]) => Iterable<T>,
    routeOf: (probe: Probe) => string,
  ): Generator<T> {
    const given = new Set(probes);
    const claiming: Probe[] = [];
    for (const known of decide(probes)) {
      yield known;
      if (this.#tells(known, routeOf)) claiming.push(this.#claim(known.probe));
    }
    yield* decide(claiming.filter((probe) => !given.has(probe)));
  }

  #tells({ probe, outcome, levels }: Known, routeOf: (probe: Probe) => string): boolean {
    const { method, fields, target } = probe;
    if (this.#fields.length === 0 || method !== 'GET' || fields.length !== 1 || !PLACE.test(target)) return false;
    if (this.#countsEverywhere) return true;
    if (outcome.kind === 'unknown') return false;
    const sent = outcome.kind === 'backend' ? outcome.sent.map(([name]) => name) : [];
    const place = [...levels.map((level) => this.#numberOf(level)), routeOf(probe), ...sent].join(' ');
    const isFirst = !this.#places.has(place);
    this.#places.add(place);
    return isFirst;
  }

  #numberOf(level: Level | null): number {
    const number = this.#levels.get(level) ?? this.#levels.size;
    this.#levels.set(level, number);
    return number;
  }

  #claim(probe: Probe): Probe {
    const claiming = this.#claiming.get(probe) ?? { ...probe, fields: [...probe.fields, ...this.#fields] };
    this.#claiming.set(probe, claiming);
    return claiming;
  }
}

/** A target without arguments that ends like the path of a place. */
const PLACE = /^[^?]*[/\w]$/;

function levelsOf(server: Server): Level[] {
  const within = (locations: readonly Location[]): Level[] =>
    locations.flatMap((location) => [location, ...within(location.locations)]);
  return [server, ...within(server.locations)];
}

/** The names of fields that a backend gets, apart from those that each server writes itself. */
function sentFields({ settings: { sent } }: Level): string[] {
  return [...sent.proxy, ...sent.grpc].map(({ name }) => name).filter((name) => !OWN.test(name));
}

const OWN = /^(?:host|connection|upgrade|te|expect|content-.*|transfer-encoding|accept-encoding|keep-alive)$/i;

/** Whether anything but what a backend gets depends on fields of these names. */
function looksAt(names: readonly string[], levels: readonly Level[], { variables }: Model): boolean {
  const maps = [...variables.values()].flatMap((source) => (source.kind === 'map' ? [source.map.source] : []));
  const parts = levels.map(({ settings: { sent: _sent, ...settings }, ...level }) => [
    settings,
    level.instructions,
    level.tryFiles,
  ]);
  const text = JSON.stringify([maps, parts]);
  return names.some((name) => {
    const variable = name.replaceAll('-', '_');
    return [`"http_${variable}"`, `"proxy_add_${variable}"`, `"${variable}_`].some((part) => text.includes(part));
  });
}
