import { isDeepStrictEqual } from 'node:util';
import { defaultSettings } from '../config/settings.ts';
import { ViaductError } from '../errors.ts';
import { plainError, tracebackPage } from '../handlers/pages/error-page.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { toPromise } from '../http/to-promise.ts';
import type { Log } from '../log/log.ts';
import { discoverProject } from '../project/discover.ts';
import type { Project } from '../project/project.ts';
import { watchProject } from '../project/watch.ts';
import { VERSION } from '../version.ts';
import { ApplicationServer } from '../workers/application-server.ts';
import { preloadOf } from '../workers/preload.ts';
import { type FetchFunction, fetchFrom } from '../wsgi/adapters/fetch-from.ts';
import type { Application } from '../wsgi/contract.ts';
import { requestOf } from '../wsgi/environ-to-request.ts';
import { answer, bound } from '../wsgi/native-application.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import { errorLog } from './error-log.ts';

/** A Python project: where it is, and what runs it. */
export interface PythonProject {
  /** Directory of the project, a Python file, or the application in it as `'module:callable'`. By default what is found in `directory`. */
  readonly project?: string | undefined;
  /** Where relative paths and modules are looked for. The current directory by default. */
  readonly directory?: string | undefined;
  /** Path of an interpreter or of a virtual environment. By default the project's own environment, or else `python3`. */
  readonly python?: string | undefined;
}

/** Options of `pythonApp`. */
export interface PythonAppOptions extends PythonProject {
  /** Python processes. 1 by default. */
  readonly workers?: number | undefined;
  /** Requests that one process runs at the same time. 4 by default. */
  readonly threads?: number | undefined;
  /** Variables for the workers, in addition to those of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Reloads when a file of the project changes, and shows tracebacks to clients. `false` by default. */
  readonly dev?: boolean | undefined;
  /** Receives the workers' log. By default errors and warnings go to standard error. */
  readonly log?: Log | undefined;
}

/** A Python application in workers of its own. It is an `Application` like any other: mount it, wrap it, serve it. */
export interface PythonApplication extends Application, AsyncDisposable {
  /**
   * Starts the workers. A server that gets the application does so, and so does the first request. A second call waits for the first.
   *
   * @param listeners the variables of the server's listeners, which a server passes
   * @throws ViaductError `APPLICATION_MISSING`, `PYTHON_MISSING`, `APPLICATION_BROKEN` with the traceback as `cause`, `WORKER`, or `USAGE` after `close`
   */
  start(listeners?: readonly ListenerEnviron[]): Promise<void>;
  /**
   * Calls the application as `fetch` does, without a network. A path alone is a path of `http://localhost`. Starts the application if it does not run yet.
   *
   * @throws what `start` throws; an exception in Python is a response with status 500
   */
  readonly request: FetchFunction;
  /**
   * Starts a new release beside the old one. The old one serves until the new one is ready, and continues to serve if the new one fails. A
   * reload that is still starting its release fails: the later one replaces it.
   */
  reload(): Promise<void>;
  /** Lets running requests finish, then ends the workers. */
  close(): Promise<void>;
}

/**
 * Makes an application of a Python project: Django, Flask, or any WSGI callable. Nothing runs before the application is started or called. A server closes
 * the applications that it was given; otherwise the caller closes them.
 *
 * @example
 * ```ts
 * import { pythonApp } from 'viaduct';
 *
 * await using site = pythonApp({ project: 'shop.wsgi:application' });
 * const response = await site.request('/login');
 * ```
 */
export function pythonApp(options: PythonAppOptions = {}): PythonApplication {
  const server = new PythonServer(options);
  const close = (): Promise<void> => server.close();
  const call: Application = (environ, startResponse) => {
    const request = requestOf(environ, ({ SERVER_NAME, SERVER_PORT }, { peer }) => {
      const listener = server.listeners[peer.listener];
      return listener?.SERVER_NAME === SERVER_NAME && listener.SERVER_PORT === SERVER_PORT;
    });
    return answer(server.handle(request), environ, startResponse);
  };
  const application = bound(call, ({ listeners }) =>
    isDeepStrictEqual(listeners, server.listeners) ? server.handle : null,
  );
  return Object.assign(application, {
    request: fetchFrom(application),
    start: (listeners?: readonly ListenerEnviron[]) => server.start(listeners),
    reload: () => server.reload(),
    close,
    [Symbol.asyncDispose]: close,
  });
}

/** Before a server starts the application: what a request without a server sees. */
const NO_SERVER: readonly ListenerEnviron[] = [
  { SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' },
];

class PythonServer {
  readonly #options: PythonAppOptions;
  readonly #log: Log;
  /** The listeners of the server that starts the application. A request of another server must carry its own listener's variables. */
  listeners: readonly ListenerEnviron[] = NO_SERVER;
  #state: 'new' | 'starting' | 'running' | 'closed' = 'new';
  #server: ApplicationServer | null = null;
  #starting: Promise<void> = Promise.resolve();
  #stopWatching: () => void = () => {};

  constructor(options: PythonAppOptions) {
    this.#options = options;
    this.#log = options.log ?? errorLog();
  }

  readonly handle = (request: Request): HandlerResult => {
    if (this.#server !== null && this.#state === 'running') return this.#server.handle(request, plainError);
    return this.start().then(() => toPromise(this.handle(request)));
  };

  start(listeners?: readonly ListenerEnviron[]): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(closedError());
    if (this.#state !== 'new') return this.#starting;
    if (listeners !== undefined) this.listeners = listeners;
    this.#state = 'starting';
    this.#starting = this.#start();
    return this.#starting;
  }

  async reload(): Promise<void> {
    await this.start();
    await this.#server?.reload();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const wasStarting = this.#state === 'starting';
    this.#state = 'closed';
    this.#stopWatching();
    if (wasStarting) this.#server?.destroy();
    else await this.#server?.stop();
  }

  async #start(): Promise<void> {
    const { dev = false } = this.#options;
    try {
      const project = await this.#discover();
      if (this.#isClosed()) throw closedError();
      const server = new ApplicationServer(this.#serverOptions(project));
      this.#server = server;
      await server.start();
      if (this.#isClosed()) throw closedError();
      this.#state = 'running';
      if (dev) this.#stopWatching = watchProject(project.directory, () => void this.#reloadChanged());
    } catch (error) {
      this.#server?.destroy();
      this.#server = null;
      if (!this.#isClosed()) this.#state = 'new';
      throw error;
    }
  }

  async #discover(): Promise<Project> {
    const {
      project: target = null,
      directory = process.cwd(),
      python = null,
      dev = false,
      environment,
    } = this.#options;
    const project = await discoverProject({ target, chdir: directory, python, dev, staticMounts: [] });
    return { ...project, environment: { ...project.environment, ...environment } };
  }

  #serverOptions(project: Project) {
    const settings = defaultSettings();
    const { workers = 1, threads = settings.threads, dev = false } = this.#options;
    return {
      release: {
        project,
        workers,
        threads,
        preload: preloadOf(settings.preload, false),
        software: `viaduct/${VERSION}`,
        listeners: this.listeners,
        environVariables: settings.environVariables,
        startTimeoutMs: settings.startTimeoutMs,
        workerTimeoutMs: settings.workerTimeoutMs,
        gracefulTimeoutMs: settings.gracefulTimeoutMs,
      },
      pool: settings,
      responseBufferBytesMax: settings.responseBufferBytesMax,
      errorResponse: (traceback: string) =>
        dev ? tracebackPage('The application raised an exception', traceback) : plainError(),
      log: this.#log,
    };
  }

  async #reloadChanged(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      const { message, cause } = error as Error;
      this.#log.error(`Cannot reload: ${message}${typeof cause === 'string' ? `\n${cause}` : ''}`);
    }
  }

  /** A method, because the application may be closed while it starts. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}

function closedError(): ViaductError {
  return new ViaductError('USAGE', 'Cannot call an application: it is closed');
}
