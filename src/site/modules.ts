import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ViaductError } from '../errors.ts';
import { type FetchHandler, fromFetch } from '../wsgi/adapters/from-fetch.ts';
import type { Application, Middleware } from '../wsgi/contract.ts';

/** Something that a TypeScript or JavaScript module exports. Plain data. */
export interface ModuleExport {
  /** Absolute path of the module. */
  readonly module: string;
  /** '' for the usual ones. */
  readonly export: string;
}

const TARGET = /^(.+\.[cm]?[jt]s)(?:#([\p{L}_$][\p{L}\p{N}_$]*))?$/u;

/** The module that a target names: a file in TypeScript or JavaScript, with or without `#EXPORT`; null for any other target. */
export function moduleTarget(target: string, directory: string): ModuleExport | null {
  const [, file, name = ''] = TARGET.exec(target) ?? [];
  return file === undefined ? null : { module: resolve(directory, file), export: name };
}

const PACKAGE = fileURLToPath(new URL('../index.js', import.meta.url));
const APPLICATION_NAMES = ['application', 'app', 'default'];
const APPLICATION = 'an application, (environ, startResponse) => body, or an object with a method fetch(request)';
const MIDDLEWARE = 'middleware: (application, options) => application';
const MIDDLEWARE_NAMES = ['middleware', 'default'];

/**
 * Imports applications and middleware, on every Node that Viaduct runs on, and each time anew with all that they import of the project, so that a reload
 * sees what has changed. Packages are Node's business, and stay as they are.
 */
export class ModuleLoader {
  /** Modules that were imported here: those that several applications share are imported once. */
  readonly #imported = new Map<string, Promise<Record<string, unknown>>>();

  /**
   * An object with a `fetch` method, such as a Hono application, is one, too.
   *
   * @throws ViaductError `APPLICATION_BROKEN` with the stack as `cause`, `APPLICATION_MISSING` when nothing in it is an application.
   */
  async application(wanted: ModuleExport): Promise<Application> {
    const value = await this.#find(
      wanted,
      APPLICATION_NAMES,
      APPLICATION,
      (found) => typeof found === 'function' || hasFetch(found),
    );
    return hasFetch(value) ? fromFetch((request, context) => value.fetch(request, context)) : (value as Application);
  }

  /**
   * What the module exports is called as Python's middleware is: with the application and the options.
   *
   * @throws ViaductError as `application`
   */
  async middleware(wanted: ModuleExport, options: object): Promise<Middleware> {
    const value = await this.#find(wanted, MIDDLEWARE_NAMES, MIDDLEWARE, (found) => typeof found === 'function');
    const make = value as (application: Application, options: object) => Application;
    const middleware: Middleware = (application) => make(application, options);
    return Object.defineProperty(middleware, 'name', { value: wanted.module });
  }

  async #find(
    { module, export: name }: ModuleExport,
    usual: readonly string[],
    what: string,
    fits: (value: unknown) => boolean,
  ): Promise<unknown> {
    const namespace = await this.#import(module);
    const names = name === '' ? usual : [name];
    const found = names.map((candidate) => namespace[candidate]).find(fits);
    if (found !== undefined) return found;
    throw new ViaductError(
      'APPLICATION_MISSING',
      `Cannot use "${module}": it exports no function ${names.join(' or ')}`,
      {
        advice: `Export ${what}.`,
      },
    );
  }

  #import(module: string): Promise<Record<string, unknown>> {
    const before = this.#imported.get(module);
    if (before !== undefined) return before;
    const imported = importAnew(module);
    this.#imported.set(module, imported);
    return imported;
  }
}

/** Functions that have one are applications with more to them, such as `pythonApp`. */
function hasFetch(value: unknown): value is { fetch: FetchHandler } {
  return typeof value === 'object' && value !== null && 'fetch' in value && typeof value.fetch === 'function';
}

async function importAnew(module: string): Promise<Record<string, unknown>> {
  if (statSync(module, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new ViaductError('APPLICATION_MISSING', `Cannot use "${module}": there is no such file`);
  }
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, { alias: { viaduct: PACKAGE }, moduleCache: false, fsCache: false });
  try {
    return await jiti.import<Record<string, unknown>>(module);
  } catch (error) {
    throw broken(module, error);
  }
}

function broken(module: string, error: unknown): ViaductError {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ViaductError('APPLICATION_BROKEN', `Cannot import "${module}": ${cause.split('\n')[0]}`, { cause });
}
