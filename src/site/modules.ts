import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createProjectImporter } from '../config/project-importer.ts';
import { describeThrown, ViaductError } from '../errors.ts';
import { programFile } from '../program-files.ts';
import { BrokenImport } from '../trace/broken-import.ts';
import { recordThrown } from '../trace/record-thrown.ts';
import type { FetchHandler } from '../wsgi/adapters/from-fetch.ts';
import type { Application, Middleware } from '../wsgi/contract.ts';

/** An export of a TypeScript or JavaScript module. Plain data. */
export interface ModuleExport {
  /** Absolute path of the module. */
  readonly module: string;
  /** Name of the export; '' for the usual names. */
  readonly export: string;
}

/** The frames of this program are not the project's. */
const PROGRAM = programFile('');

const TARGET = /^(.+\.[cm]?[jt]s)(?:#(.+))?$/;
// A function, because most starts do not need it, and properties of Unicode take long to construct.
const exportName = (): RegExp => /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

/** The module that a target names: a TypeScript or JavaScript file, optionally with `#EXPORT`. Null for any other target. */
export function moduleTarget(target: string, directory: string): ModuleExport | null {
  const [, file, name = ''] = TARGET.exec(target) ?? [];
  if (file === undefined || (name !== '' && !exportName().test(name))) return null;
  return { module: resolve(directory, file), export: name };
}

const APPLICATION_NAMES = ['application', 'app', 'default'];
const APPLICATION = 'an application, (environ, startResponse) => body, or an object with a method fetch(request)';
const MIDDLEWARE = 'middleware: (application, options) => application';
const MIDDLEWARE_NAMES = ['middleware', 'default'];

/**
 * Imports applications and middleware, on every Node version that Viaduct supports. A new loader imports them again, with all modules of the project that they
 * import, so that a reload uses changed code. Node caches packages, so these are not imported again.
 */
export class ModuleLoader {
  /** Modules that this loader has imported. A module that several applications share is imported once. */
  readonly #imported = new Map<string, Promise<Record<string, unknown>>>();

  /**
   * Imports an application. An object with a `fetch` method, such as a Hono application, is an application too.
   *
   * @throws ViaductError `APPLICATION_BROKEN` with the stack as `cause`, `APPLICATION_MISSING` if the module does not export an application
   */
  async application(wanted: ModuleExport): Promise<Application> {
    const application = await this.#find(
      wanted,
      APPLICATION_NAMES,
      APPLICATION,
      (value) => typeof value === 'function' || hasFetch(value),
    );
    if (!hasFetch(application)) return application as Application;
    const { fromFetch } = await import('../wsgi/adapters/from-fetch.ts');
    return fromFetch((request, context) => application.fetch(request, context));
  }

  /**
   * Imports middleware. The exported function is called like Python middleware, with the application and the options.
   *
   * @throws ViaductError as `application`
   */
  async middleware(wanted: ModuleExport, options: object): Promise<Middleware> {
    const value = await this.#find(wanted, MIDDLEWARE_NAMES, MIDDLEWARE, (exported) => typeof exported === 'function');
    const make = value as (application: Application, options: object) => Application;
    const middleware: Middleware = (application) => make(application, options);
    return Object.defineProperty(middleware, 'name', { value: wanted.module });
  }

  async #find(
    { module, export: name }: ModuleExport,
    usual: readonly string[],
    expected: string,
    fits: (value: unknown) => boolean,
  ): Promise<unknown> {
    const namespace = await this.#import(module);
    const names = name === '' ? usual : [name];
    const value = names.map((candidate) => namespace[candidate]).find(fits);
    if (value !== undefined) return value;
    throw new ViaductError(
      'APPLICATION_MISSING',
      `Cannot use "${module}": it exports no function ${names.join(' or ')}`,
      {
        advice: `Export ${expected}.`,
      },
    );
  }

  #import(module: string): Promise<Record<string, unknown>> {
    const known = this.#imported.get(module);
    if (known !== undefined) return known;
    const imported = importAgain(module);
    this.#imported.set(module, imported);
    return imported;
  }
}

/** Only objects count: a function with a `fetch` method, such as `pythonApp`, is an application itself. */
function hasFetch(value: unknown): value is { fetch: FetchHandler } {
  return typeof value === 'object' && value !== null && 'fetch' in value && typeof value.fetch === 'function';
}

async function importAgain(module: string): Promise<Record<string, unknown>> {
  if (statSync(module, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new ViaductError('APPLICATION_MISSING', `Cannot use "${module}": there is no such file`);
  }
  try {
    return await createProjectImporter().import<Record<string, unknown>>(module);
  } catch (error) {
    throw importError(module, error);
  }
}

function importError(module: string, error: unknown): BrokenImport {
  const cause = describeThrown(error);
  const message = `Cannot import "${module}": ${cause.split('\n')[0]}`;
  return new BrokenImport(message, () => recordThrown(error, PROGRAM), { cause });
}
