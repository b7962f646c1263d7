/** What discovery found out about a Python project: everything needed to start its workers and mount its files. */
export interface Project {
  /** Absolute. The worker's working directory and the first entry of `sys.path`. */
  readonly directory: string;
  readonly kind: 'django' | 'flask' | 'wsgi';
  /**
   * `module` is a dotted name; `callable` an attribute path in it, or '' for whichever of the usual names the imported module has; with
   * `factory` it is called without arguments first.
   */
  readonly application: { readonly module: string; readonly callable: string; readonly factory: boolean };
  readonly python: {
    /** Absolute path of the interpreter (inside the virtual environment, not resolved). */
    readonly path: string;
    /** Such as "3.11.7". */
    readonly version: string;
    /** Where it was found, in words: ".venv", "VIRTUAL_ENV", "poetry", "PATH". */
    readonly source: string;
  };
  /** Set for the workers on top of the process environment, e.g. DJANGO_SETTINGS_MODULE, VIRTUAL_ENV. */
  readonly environment: Readonly<Record<string, string>>;
  readonly staticMounts: readonly StaticMount[];
  /** Readable sentences: what was found, and what was looked for and not found with what to do. */
  readonly findings: readonly Finding[];
}

/** Files under `directories` (absolute; the first that has the file wins) are served below `urlPrefix`, e.g. "/static/". */
export interface StaticMount {
  readonly urlPrefix: string;
  readonly directories: readonly string[];
}

export interface Finding {
  readonly level: 'found' | 'hint';
  readonly subject: string;
  readonly text: string;
}

/** As users write it: `app:application`, `app:create_app()`, or `app` when only the import will tell. */
export function applicationName({ module, callable, factory }: Project['application']): string {
  return callable === '' ? module : `${module}:${callable}${factory ? '()' : ''}`;
}
