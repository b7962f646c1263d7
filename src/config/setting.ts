interface Common {
  /** One line for `--help`. */
  readonly help: string;
  /** The reason for the default. */
  readonly reason: string;
  readonly group: 'what to serve' | 'how' | 'logs' | 'limits for clients' | 'application server' | 'static files';
  /** The default in words, if it depends on the machine or on other settings. */
  readonly defaultText?: string;
  /** Names in other servers, in snake_case, separated by spaces. An error about one of them names Viaduct's setting. */
  readonly alsoCalled?: string;
}

/** How one setting is declared, in the table of settings.ts. */
export type Setting = Common &
  (
    | {
        readonly kind: 'integer' | 'bytes' | 'duration';
        readonly default: number;
        readonly min: number;
        readonly max: number;
        /**
         * In files, the value may be a table `{ min, max }`: `max` is the value of this setting, and `min` that of the setting
         * with this name. So flags and variables, which have one value each, need no syntax for a range.
         */
        readonly minSetting?: 'workersMin';
      }
    | { readonly kind: 'boolean'; readonly default: boolean }
    | { readonly kind: 'choice'; readonly default: string; readonly choices: readonly string[] }
    | {
        readonly kind: 'path';
        readonly default: null;
        /**
         * Only a `directory` must exist when the settings are read. A `target` can be the name of a module instead, and a `socket` the
         * word `off`.
         */
        readonly means: 'target' | 'directory' | 'file' | 'program' | 'socket';
        readonly shows: string;
      }
    | {
        /** A name or a number, for example of a user. */
        readonly kind: 'name';
        readonly default: null;
        readonly shows: string;
      }
    | {
        /** A program and its arguments, as one text. */
        readonly kind: 'command';
        readonly default: null;
        readonly shows: string;
      }
    | {
        /** Any text that is not empty. */
        readonly kind: 'text';
        readonly default: null;
        readonly shows: string;
      }
    | {
        readonly kind: 'list';
        readonly default: readonly string[];
        readonly item: 'address' | 'plain-address' | 'range' | 'mount' | 'middleware' | 'backend' | 'variable';
        readonly itemsMin: 0 | 1;
        readonly shows: string;
      }
  );

/** The setting's key in files: `header_timeout_ms`. */
export function fileKey(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A key of a file as TypeScript spells it: `headerTimeoutMs`. */
export function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The setting's flag: `--header-timeout-ms`. */
export function flagName(name: string): string {
  return `--${fileKey(name).replaceAll('_', '-')}`;
}

/** The setting's environment variable: `VIADUCT_HEADER_TIMEOUT_MS`. */
export function environmentName(name: string): string {
  return `VIADUCT_${fileKey(name).toUpperCase()}`;
}
