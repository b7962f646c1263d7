import { ViaductError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { FAMILIES } from './families.ts';
import { type Groups, type Moment, NO_GROUPS, type Placeholder } from './placeholder.ts';
import { STANDARD } from './standard.ts';

/** Where a text with placeholders is, and what is known there. */
export interface TextPlace {
  /** The name of the setting, for messages. */
  readonly setting: string;
  /** What is known when the text is filled in: the request alone by default. */
  readonly moment?: Moment;
  /** The groups of the pattern that the text belongs to. */
  readonly groups?: Groups;
}

const MOMENTS: readonly Moment[] = ['request', 'response', 'end'];

/** The placeholders that texts may have: the standard ones, the maps of the site, and the named groups of a route's pattern. */
export class Placeholders {
  readonly #maps: ReadonlyMap<string, Placeholder>;
  readonly #route: ReadonlyMap<string, Placeholder>;

  /**
   * `maps` are those of the site by their names, and `route` the named groups of the route's pattern.
   *
   * @internal
   */
  constructor(maps: ReadonlyMap<string, Placeholder> = new Map(), route: ReadonlyMap<string, Placeholder> = new Map()) {
    this.#maps = maps;
    this.#route = route;
  }

  /**
   * The same placeholders, and these named groups.
   *
   * @internal
   */
  with(route: ReadonlyMap<string, Placeholder>): Placeholders {
    return new Placeholders(this.#maps, route);
  }

  /**
   * The placeholder `name` of `text`. Null for a name in upper case that does not exist, because it is plain text.
   *
   * @throws ViaductError `SETTINGS` if there is no such placeholder at this place
   * @internal
   */
  find(name: string, text: string, { setting, moment = 'request', groups = NO_GROUPS }: TextPlace): Placeholder | null {
    const shown = `{${name}} in ${setting} ${JSON.stringify(text)}`;
    const own = groupOf(name, groups) ?? this.#route.get(name);
    const standard = this.#standard(name);
    if (own !== undefined && standard !== undefined) {
      throw refusal(`Cannot use ${shown}: a group of the pattern has the name of a placeholder`, 'Rename the group.');
    }
    const found = own ?? standard;
    if (found === undefined) {
      if (/^[A-Z]/.test(name)) return null;
      throw this.#unknown(name, shown, groups);
    }
    if (MOMENTS.indexOf(found.from) > MOMENTS.indexOf(moment)) {
      const state = found.from === 'end' ? 'only the access log knows it' : 'there is no response yet';
      throw refusal(`Cannot use ${shown}: ${state}`, 'Use a placeholder of the request.');
    }
    return found;
  }

  #standard(name: string): Placeholder | undefined {
    const standard = STANDARD.get(name);
    if (standard !== undefined) return standard;
    if (name.startsWith('map.')) return this.#maps.get(name.slice(4));
    for (const [prefix, { from, pattern, read }] of FAMILIES) {
      const argument = name.slice(prefix.length + 1);
      if (name.startsWith(`${prefix}.`) && pattern.test(argument))
        return { name, from, isEncoded: false, value: read(argument) };
    }
    return undefined;
  }

  #unknown(name: string, shown: string, groups: Groups): ViaductError {
    const maps = [...this.#maps.keys()].map((map) => `map.${map}`);
    const own = [...groups.names.filter((group) => group !== ''), ...this.#route.keys()];
    const families = [...FAMILIES.keys()].map((prefix) => `${prefix}.NAME`);
    const meant = nearest(name, [...STANDARD.keys(), ...maps, ...own, ...families]);
    const hint = meant === null ? '' : `; did you mean {${meant}}?`;
    return refusal(
      `Cannot use ${shown}: there is no such placeholder${hint}`,
      `docs/placeholders.md lists the placeholders. As plain text, write {{${name}}.`,
    );
  }
}

/** The placeholders that need no site. */
export const STANDARD_PLACEHOLDERS = new Placeholders();

function groupOf(name: string, { names, areEncoded }: Groups): Placeholder | undefined {
  const index = /^[1-9]\d*$/.test(name) ? Number(name) - 1 : name === '' ? -1 : names.indexOf(name);
  if (index < 0 || index >= names.length) return undefined;
  return { name, from: 'request', isEncoded: areEncoded, value: (_request, _answer, groups) => groups[index] ?? '' };
}

function refusal(message: string, advice: string): ViaductError {
  return new ViaductError('SETTINGS', message, { advice });
}
