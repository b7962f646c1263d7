/** The result of discovering a Python project: everything needed to start its workers and mount its files. */
export interface Project {
  /** Absolute path. It is the worker's working directory and the first entry of `sys.path`. */
  readonly directory: string;
  readonly kind: 'django' | 'flask' | 'wsgi';
  /**
   * `module` is a dotted name. `callable` is an attribute path in the module; '' selects whichever of the usual names
   * the module contains. A `factory` is called with `arguments`, literals in Python's syntax, and returns the application. `name` is what
   * people call an application that is not written as MODULE:CALLABLE, such as `production.ini`; otherwise ''.
   */
  readonly application: {
    readonly module: string;
    readonly callable: string;
    readonly factory: boolean;
    readonly arguments: string;
    readonly name: string;
  };
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
 * that contains the file wins. With `isRelative`, the prefix moves with the path that the application is mounted at; false when absent.
 */
export interface StaticMount {
  readonly urlPrefix: string;
  readonly directories: readonly string[];
  readonly isRelative?: boolean;
}

export interface Finding {
  readonly level: 'found' | 'hint';
  readonly subject: string;
  readonly text: string;
}

/**
 * The name as users write it: `app:application`, `app:create_app('prod')`, `production.ini#admin`, or `app` when only the import will find
 * the callable.
 */
export function applicationName(application: Project['application']): string {
  const { module, callable, factory, name } = application;
  if (name !== '') return name;
  return callable === '' ? module : `${module}:${callable}${factory ? `(${application.arguments})` : ''}`;
}
