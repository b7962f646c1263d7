/** The result of discovering a Python project: everything needed to start its workers and mount its files. */
export interface Project {
  /** Absolute path. It is the worker's working directory and the first entry of `sys.path`. */
  readonly directory: string;
  readonly kind: 'django' | 'flask' | 'wsgi';
  /**
   * `module` is a dotted name. `callable` is an attribute path in the module; '' selects whichever of the usual names
   * the module contains. A `factory` is called without arguments and returns the application.
   */
  readonly application: { readonly module: string; readonly callable: string; readonly factory: boolean };
  readonly python: {
    /** Absolute path of the interpreter (inside the virtual environment, not resolved). */
    readonly path: string;
    /** For example "3.11.7". */
    readonly version: string;
    /** Where the interpreter was found: ".venv", "VIRTUAL_ENV", "poetry" or "PATH". */
    readonly source: string;
  };
  /**
   * Environment variables for the workers, in addition to those of this process, e.g. DJANGO_SETTINGS_MODULE,
   * VIRTUAL_ENV.
   */
  readonly environment: Readonly<Record<string, string>>;
  readonly staticMounts: readonly StaticMount[];
  /** Sentences for people: what was found, and what is missing with advice. */
  readonly findings: readonly Finding[];
}

/**
 * Serves files under `directories` below `urlPrefix`, e.g. "/static/". The directories are absolute paths; the first
 * that contains the file wins.
 */
export interface StaticMount {
  readonly urlPrefix: string;
  readonly directories: readonly string[];
}

export interface Finding {
  readonly level: 'found' | 'hint';
  readonly subject: string;
  readonly text: string;
}

/**
 * The name as users write it: `app:application`, `app:create_app()`, or `app` when only the import will find the
 * callable.
 */
export function applicationName({ module, callable, factory }: Project['application']): string {
  return callable === '' ? module : `${module}:${callable}${factory ? '()' : ''}`;
}
