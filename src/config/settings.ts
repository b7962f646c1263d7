import { LIMIT_SETTINGS } from './limit-settings.ts';
import { LOG_SETTINGS } from './log-settings.ts';
import { MAIN_SETTINGS } from './main-settings.ts';
import type { MiddlewareEntry } from './middleware.ts';
import { TARGET_SETTINGS } from './target-settings.ts';
import type { Mount } from './value.ts';
import { WORKER_SETTINGS } from './worker-settings.ts';

/** Every setting, declared once. Flags, `VIADUCT_*`, keys of files, `--help` and docs/settings.md derive from this table. */
export const SETTINGS = {
  ...TARGET_SETTINGS,
  ...MAIN_SETTINGS,
  ...LOG_SETTINGS,
  ...LIMIT_SETTINGS,
  ...WORKER_SETTINGS,
};

export type SettingName = keyof typeof SETTINGS;

type Value<S> = S extends { readonly kind: 'integer' | 'bytes' | 'duration' }
  ? number
  : S extends { readonly kind: 'boolean' }
    ? boolean
    : S extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
      ? C
      : S extends { readonly kind: 'path' | 'name' | 'command' | 'text' }
        ? string | null
        : S extends { readonly item: 'mount' }
          ? readonly Mount[]
          : S extends { readonly item: 'middleware' }
            ? readonly MiddlewareEntry[]
            : readonly string[];

/** All settings with their final values. Paths are absolute; sizes in bytes, times in milliseconds. */
export type Settings = { readonly [Name in SettingName]: Value<(typeof SETTINGS)[Name]> };

export function settingNames(): SettingName[] {
  return Object.keys(SETTINGS) as SettingName[];
}

/** The settings of a server without configuration. */
export function defaultSettings(): Settings {
  return Object.fromEntries(settingNames().map((name) => [name, SETTINGS[name].default])) as unknown as Settings;
}
