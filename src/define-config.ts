import type { MiddlewareInput } from './config/middleware.ts';
import type { SETTINGS, SettingName } from './config/settings.ts';
import type { SiteInput } from './config/site/schema.ts';

type Letter =
  | 'A'
  | 'B'
  | 'C'
  | 'D'
  | 'E'
  | 'F'
  | 'G'
  | 'H'
  | 'I'
  | 'J'
  | 'K'
  | 'L'
  | 'M'
  | 'N'
  | 'O'
  | 'P'
  | 'Q'
  | 'R'
  | 'S'
  | 'T'
  | 'U'
  | 'V'
  | 'W'
  | 'X'
  | 'Y'
  | 'Z';

/** `headerTimeoutMs` as files spell it: `header_timeout_ms`. */
type FileKey<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Letter
    ? `_${Lowercase<First>}${FileKey<Rest>}`
    : `${First}${FileKey<Rest>}`
  : Name;

/** What a file can give for a setting. */
type FileValue<S> = S extends { readonly kind: 'integer' }
  ? number
  : S extends { readonly kind: 'bytes' | 'duration' }
    ? number | string
    : S extends { readonly kind: 'boolean' }
      ? boolean
      : S extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
        ? C
        : S extends { readonly item: 'mount' }
          ? Readonly<Record<string, string>> | readonly string[]
          : S extends { readonly item: 'middleware' }
            ? MiddlewareInput | readonly MiddlewareInput[]
            : S extends { readonly kind: 'list' }
              ? string | number | readonly (string | number)[]
              : string;

type SettingsInput = {
  readonly [Name in Exclude<SettingName, 'config'> as FileKey<Name>]?: FileValue<(typeof SETTINGS)[Name]>;
};

/** What `viaduct.toml` can hold, with the same keys: settings (docs/settings.md), and routes and what belongs to them (docs/routes.md). */
export type Config = SettingsInput & SiteInput;

/**
 * Types the default export of `viaduct.config.ts`. Returns `config` as it is; Viaduct validates it when it reads the file, as it does
 * `viaduct.toml`.
 */
export function defineConfig(config: Config): Config {
  return config;
}
