import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandSettings, ServerSettings, SiteConfig } from 'viaduct/config';
import type { SETTINGS, SettingName } from '../../src/config/settings.ts';
import type { SiteInput } from '../../src/site/schema/site.ts';

/** `header_timeout_ms` is `headerTimeoutMs`. */
type CamelCase<Key extends string> = Key extends `${infer First}_${infer Others}`
  ? `${First}${Capitalize<CamelCase<Others>>}`
  : Key;

type Primitive = string | number | boolean | null | undefined;

/** The values that the schema takes, with the keys of TypeScript. Only keys of tables change, not names of users. */
type AsTypeScript<T> = unknown extends T
  ? T
  : T extends Primitive
    ? T
    : T extends readonly (infer Item)[]
      ? readonly AsTypeScript<Item>[]
      : string extends keyof T
        ? { readonly [Key in keyof T]: AsTypeScript<T[Key]> }
        : { readonly [Key in keyof T as Key extends string ? CamelCase<Key> : Key]: AsTypeScript<T[Key]> };

/** The same type without the names of its interfaces, so that it can be compared. */
type Plain<T> = unknown extends T
  ? T
  : T extends Primitive
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Plain<Item>[]
      : { readonly [Key in keyof T]: Plain<T[Key]> };

type Middleware = string | { readonly use: string; readonly options?: Readonly<Record<string, unknown>> | undefined };

/** The values of a setting in a file. */
type FileValue<S> = S extends { readonly kind: 'integer'; readonly minSetting: string }
  ? number | { readonly min?: number | undefined; readonly max?: number | undefined }
  : FileValueOfOne<S>;

/** The values of a setting that has no range. */
type FileValueOfOne<S> = S extends { readonly kind: 'integer' }
  ? number
  : S extends { readonly kind: 'bytes' | 'duration' }
    ? number | string
    : S extends { readonly kind: 'boolean' }
      ? boolean
      : S extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
        ? Choice
        : S extends { readonly item: 'mount' }
          ? Readonly<Record<string, string>> | readonly string[]
          : S extends { readonly item: 'middleware' }
            ? Middleware | readonly Middleware[]
            : S extends { readonly item: 'address' | 'plain-address' }
              ? string | number | readonly (string | number)[]
              : S extends { readonly item: 'backend' | 'range' | 'variable' }
                ? string | readonly string[]
                : string;

type SettingsOfTable = {
  readonly [Name in Exclude<SettingName, 'config'>]?: FileValue<(typeof SETTINGS)[Name]> | undefined;
};

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** The keys whose values have different types; `never` when there are none. */
type Difference<A, B> = {
  [Key in keyof A | keyof B]: Same<At<A, Key>, At<B, Key>> extends true ? never : Key;
}[keyof A | keyof B];

type At<T, Key> = Key extends keyof T ? T[Key] : 'absent';

type RouteOf<T> = T extends { readonly route?: readonly (infer Route)[] | undefined } ? Required<Route> : never;

type Site = Plain<SiteConfig>;
type SchemaSite = AsTypeScript<SiteInput>;
type Settings = Plain<ServerSettings & CommandSettings>;

/** The compiler refuses such a function, and names the keys, as soon as there are keys that differ. */
const NOTHING_DIFFERS = [
  (key: Difference<RouteOf<Site>, RouteOf<SchemaSite>>): never => key,
  (key: Difference<Required<Site>, Required<SchemaSite>>): never => key,
  (key: Difference<Required<Settings>, Required<SettingsOfTable>>): never => key,
];
const SAME: readonly [Same<Site, SchemaSite>, Same<Settings, Plain<SettingsOfTable>>] = [true, true];

describe('the types of a configuration', () => {
  it('have the keys and values of the schema and of the table of settings: the compiler has compared them', () => {
    assert.deepEqual([NOTHING_DIFFERS.length, SAME], [3, [true, true]]);
  });
});
