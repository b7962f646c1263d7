interface Common {
  /** One line for `--help`. */
  readonly help: string;
  /** Why the default is what it is. */
  readonly reason: string;
  readonly group: 'what to serve' | 'how' | 'limits for clients' | 'application server' | 'static files';
  /** The default in words, when it depends on where the program runs. */
  readonly defaultText?: string;
  /** What other servers call it, in snake_case, separated by spaces: who writes that is told our name. */
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
      }
    | { readonly kind: 'boolean'; readonly default: boolean }
    | { readonly kind: 'choice'; readonly default: string; readonly choices: readonly string[] }
    | {
        readonly kind: 'path';
        readonly default: null;
        /** Only a `directory` has to exist when the settings are read. A `target` can name a module instead. */
        readonly means: 'target' | 'directory' | 'file' | 'program';
        readonly shows: string;
      }
    | {
        /** A name or a number, such as a user's. */
        readonly kind: 'name';
        readonly default: null;
        readonly shows: string;
      }
    | {
        readonly kind: 'list';
        readonly default: readonly string[];
        readonly item: 'address' | 'mount' | 'middleware' | 'backend';
        readonly itemsMin: 0 | 1;
        readonly shows: string;
      }
  );

/** The setting's key in files: `header_timeout_ms`. */
export function fileKey(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Its flag: `--header-timeout-ms`. */
export function flagName(name: string): string {
  return `--${fileKey(name).replaceAll('_', '-')}`;
}

/** Its variable: `VIADUCT_HEADER_TIMEOUT_MS`. */
export function environmentName(name: string): string {
  return `VIADUCT_${fileKey(name).toUpperCase()}`;
}
