import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ViaductError } from '../errors.ts';
import { type FetchHandler, fromFetch } from '../wsgi/adapters/from-fetch.ts';
import type { Application } from '../wsgi/contract.ts';
import type { PythonProject } from './python-app.ts';
import type { CreateServerOptions } from './server-options.ts';
import { startConfigured } from './start-configured.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { type ViaductServer, viaductServer } from './viaduct-server.ts';

/** One application, and where it is served. */
export type ServeOptions = ServeFetchOptions | ServePythonOptions | ServeApplicationOptions;

/** Serves a fetch handler: a function of a `Request`, such as Hono's `app.fetch`. */
export interface ServeFetchOptions extends ServeCommonOptions {
  /** Answers a request of the fetch standard. */
  readonly fetch: FetchHandler;
  /** See `ServePythonOptions`. */
  readonly python?: undefined;
  /** See `ServeApplicationOptions`. */
  readonly application?: undefined;
}

/** Serves a Python project: Django, Flask or any WSGI application, in workers of its own. */
export interface ServePythonOptions extends ServeCommonOptions {
  /**
   * Directory of the project, a Python file, or the application in it as `'module:callable'`; or an object that also names the interpreter. The
   * settings `workers` (one for each processor core by default) and `threads` are for it.
   */
  readonly python: string | PythonProject;
  /** See `ServeFetchOptions`. */
  readonly fetch?: undefined;
  /** See `ServeApplicationOptions`. */
  readonly application?: undefined;
}

/** Serves an application in TypeScript: a function of an environ and `startResponse`, or what an adapter or `pythonApp` makes. */
export interface ServeApplicationOptions extends ServeCommonOptions {
  /** The application. The server closes it when it stops. */
  readonly application: Application;
  /** See `ServeFetchOptions`. */
  readonly fetch?: undefined;
  /** See `ServePythonOptions`. */
  readonly python?: undefined;
}

/** What every form of `serve` takes: an address, and all other options of `createServer`. */
export interface ServeCommonOptions extends Omit<CreateServerOptions, 'application' | 'target' | 'python'> {
  /** Name or address of the interface to listen on. `'127.0.0.1'` by default; `'0.0.0.0'` and `'::'` are all interfaces. */
  readonly host?: string | undefined;
  /** 8000 by default; 0 is any free port, which the server's `url` names. With `tls` the port speaks https. Digits in a string will do. */
  readonly port?: number | string | undefined;
  /**
   * SIGINT and SIGTERM stop the server, and then end the process with code 0. A second signal ends it at once. `false` by default: signals belong to the
   * program.
   */
  readonly handleSignals?: boolean | undefined;
}

/**
 * Serves one application, and resolves when the server listens and the application is up. The address is `host` and `port`, or `listen` as in
 * `createServer`.
 *
 * @throws ViaductError `USAGE` unless exactly one of `fetch`, `python` and `application` is given; otherwise as `createServer`
 *
 * @example A fetch handler
 * ```ts
 * import { serve } from 'viaduct';
 *
 * const server = await serve({ fetch: () => new Response('hello'), port: 8000, handleSignals: true });
 * console.log(server.url);
 * ```
 *
 * @example A Django project
 * ```ts
 * import { serve } from 'viaduct';
 *
 * await serve({ python: 'shop.wsgi:application', workers: 4, port: 8000, handleSignals: true });
 * ```
 */
export async function serve(options: ServeOptions): Promise<ViaductServer> {
  const { fetch, python, application, host, port, handleSignals = false, ...config } = options;
  checkSource({ fetch, python, application });
  const running = await startConfigured({
    ...config,
    ...addressOf(options),
    ...(fetch === undefined ? {} : { application: fromFetch(fetch) }),
    ...(python === undefined ? {} : pythonSettings(python, config.chdir)),
    ...(application === undefined ? {} : { application }),
  });
  let leaveSignals = (): void => {};
  const server = viaductServer(running, () => leaveSignals());
  if (handleSignals) leaveSignals = stopOnSignals({ stop: server.stop, kill: () => running.kill() });
  return server;
}

const EXAMPLES =
  "Write serve({ fetch }), serve({ python: './mysite' }) or serve({ application }). For routes alone use createServer.";

function checkSource(sources: Readonly<Record<string, unknown>>): void {
  const present = Object.keys(sources).filter((name) => sources[name] !== undefined);
  if (present.length === 1) return;
  const message =
    present.length === 0
      ? 'Cannot serve: fetch, python or application is missing'
      : `Cannot serve ${present.join(' and ')}: only one of them can answer`;
  throw new ViaductError('USAGE', message, { advice: EXAMPLES });
}

function addressOf({ host, port, listen, tls }: ServeCommonOptions): Pick<CreateServerOptions, 'listen'> {
  if (listen !== undefined && (host !== undefined || port !== undefined)) {
    throw new ViaductError('USAGE', 'Cannot use host or port beside listen: both name the address', {
      advice: 'Leave one of them out.',
    });
  }
  if (listen !== undefined) return { listen };
  const scheme = tls === undefined ? '' : 'https://';
  return { listen: `${scheme}${hostOf(host ?? '127.0.0.1')}:${portOf(port ?? 8000)}` };
}

function hostOf(host: string): string {
  if (/^[0-9A-Fa-f:.%a-z]*:[0-9A-Fa-f:.%a-z]*$/.test(host)) return `[${host}]`;
  if (/^[^:[\]\s/?]+$/.test(host)) return host;
  throw new ViaductError('USAGE', `Cannot listen on host ${JSON.stringify(host)}: it is not a name or an address`);
}

function portOf(port: number | string): number {
  const number = typeof port === 'string' && /^\d{1,5}$/.test(port) ? Number(port) : port;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw new ViaductError(
    'USAGE',
    `Cannot listen on port ${JSON.stringify(port)}: it must be a whole number from 0 to 65535`,
  );
}

function pythonSettings(python: string | PythonProject, chdir: string | undefined): CreateServerOptions {
  const {
    project,
    directory = chdir,
    python: interpreter,
  }: PythonProject = typeof python === 'string' ? { project: python } : python;
  return { target: targetOf(project, directory ?? '.'), chdir: directory, python: interpreter };
}

/** A path starts at the directory of the project, and anything else names a module in it. */
function targetOf(project: string | undefined, directory: string): string {
  if (project === undefined) return resolve(directory);
  const path = resolve(directory, project);
  return project.includes('/') || existsSync(path) ? path : project;
}
