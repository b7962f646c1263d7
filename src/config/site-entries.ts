/**
 * Reads the keys of settings files that are not settings: routes, handlers, applications and TLS. Only `site/` knows these keys, so the caller
 * of `loadSettings` passes this reader. It is loaded only if a file has such a key.
 */
export interface SiteReader<Site> {
  /** All keys for the top of a file. */
  readonly keys: ReadonlySet<string>;
  /** Validates `entries`. Adds a line with its location to `errors` for each error, and then returns null. */
  readonly read: (entries: SiteEntries, errors: string[]) => Site | null;
  /** The keys of TypeScript. */
  readonly camelCase: CamelCaseKeys;
}

/** Converts between the keys of TOML and those of TypeScript. Only keys of Viaduct change: names that users choose are the same in both. */
export interface CamelCaseKeys {
  /**
   * A value from TypeScript with the keys of TOML. The result leaves out unknown keys, and `unknown` gets them.
   *
   * @param key the key that the value belongs to, as TOML spells it
   */
  readonly toFileKeys: (key: string, value: unknown, unknown: UnknownKey[]) => unknown;
  /** The keys that lead to a value, as TypeScript spells them. */
  readonly fromFileKeys: (keys: readonly PropertyKey[]) => readonly PropertyKey[];
}

/** A key that its table does not take. */
export interface UnknownKey {
  /** The keys that lead to it, as they are written. */
  readonly keys: readonly PropertyKey[];
  /** The keys that the table takes, in the same spelling. */
  readonly known: readonly string[];
}

/** The keys of the site in settings files: each with its value and its location. */
export type SiteEntries = ReadonlyMap<string, SiteEntry>;

export interface SiteEntry {
  /** The value with the keys of TOML, whatever its source is. */
  readonly value: unknown;
  /** The value as its source has it. */
  readonly written: unknown;
  readonly location: SourceLocation;
  /** Absolute path of the directory where relative paths start. */
  readonly base: string;
}

/** Names and positions of keys, for messages. All methods take the keys that lead to a value, as TOML spells them. */
export interface SourceLocation {
  /** The keys as their source spells them. */
  spell(keys: readonly PropertyKey[]): readonly PropertyKey[];
  /** The position of a key, for a message that does not name the key: `viaduct.toml:14`, `viaduct.config.ts: trustedProxies`. */
  position(keys: readonly PropertyKey[]): string;
  /** Name and position: `route[2].rate_limit.burst (viaduct.toml:14)`. `value` is put between the two. */
  describe(keys: readonly PropertyKey[], value?: string): string;
}

/** A settings file, or the options of a program. Its methods take keys as the source spells them. */
export interface KeySource {
  readonly spelling: 'snake_case' | 'camelCase';
  /** See `SourceLocation.position`. */
  position(keys: readonly PropertyKey[]): string;
  /** The position for a message that has named the key: ` (viaduct.toml:14)`. Empty for the options of a program. */
  suffix(keys: readonly PropertyKey[]): string;
}

/** The location of keys in `source`, which `spell` spells as the source does. */
export function locationIn(source: KeySource, spell: SourceLocation['spell']): SourceLocation {
  return {
    spell,
    position: (keys) => source.position(spell(keys)),
    describe: (keys, value = '') => `${keyName(spell(keys))}${value}${source.suffix(spell(keys))}`,
  };
}

/** The location of a key in the file that has it. */
export function sourceLocationOf(site: SiteEntries): SourceLocation {
  const of = (keys: readonly PropertyKey[]): SourceLocation | undefined => site.get(String(keys[0] ?? ''))?.location;
  return {
    spell: (keys) => of(keys)?.spell(keys) ?? keys,
    position: (keys) => of(keys)?.position(keys) ?? '',
    describe: (keys, value = '') => of(keys)?.describe(keys, value) ?? `${keyName(keys)}${value}`,
  };
}

/** A key for messages, with items of lists counted from 1: `route[2].rate_limit.burst`. A number is an item, and a text of digits a key: `pages.404`. */
export function keyName(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((name, key) => {
    if (typeof key === 'number') return `${name}[${key + 1}]`;
    return name === '' ? String(key) : `${name}.${String(key)}`;
  }, '');
}
