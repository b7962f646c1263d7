import { isDeepStrictEqual } from 'node:util';
import { defaultSettings } from '../config/settings.ts';
import { ViaductError } from '../errors.ts';
import { plainError, tracebackPage } from '../handlers/pages/error-page.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { settle } from '../http/to-promise.ts';
import type { Log } from '../log/log.ts';
import { discoverProject } from '../project/discover.ts';
import type { Project } from '../project/project.ts';
import { watchProject } from '../project/watch.ts';
import { VERSION } from '../version.ts';
import { ApplicationServer } from '../workers/application-server.ts';
import { type FetchFunction, fetchFrom } from '../wsgi/adapters/fetch-from.ts';
import type { Application } from '../wsgi/contract.ts';
import { requestOf } from '../wsgi/environ-to-request.ts';
import { answer, bound } from '../wsgi/native-application.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import { errorLog } from './error-log.ts';

export interface PythonAppOptions {
  /** Directory of the project, a Python file, or the application in it as MODULE:CALLABLE. By default what is found in `directory`. */
  readonly project?: string;
  /** Where relative paths and modules are looked for. The current directory by default. */
  readonly directory?: string;
  /** Interpreter or virtual environment. By default the project's own, else `python3`. */
  readonly python?: string;
  /** Processes. One by default. */
  readonly workers?: number;
  /** Requests that one process runs at once. 4 by default. */
  readonly threads?: number;
  /** Set for the workers on top of the process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Reloads when a file of the project changes, and shows tracebacks to clients. */
  readonly dev?: boolean;
  /** Errors and warnings go to standard error by default. */
  readonly log?: Log;
}

/** A Python application in workers of its own. It is an `Application` like any other: mount it, wrap it, serve it. */
export interface PythonApplication extends Application, AsyncDisposable {
  /**
   * Starts the workers. A first request does that too.
   *
   * @throws ViaductError `APPLICATION_MISSING`, `PYTHON_MISSING`, `APPLICATION_BROKEN` with the traceback as `cause`, or `WORKER`.
   */
  start(listeners?: readonly ListenerEnviron[]): Promise<void>;
  /**
   * Asks the application as `fetch` does, without a server: a path alone is one of `http://localhost`. Starts the application where it does not run yet.
   *
   * @throws what `start` throws; an exception in Python is a response 500
   */
  readonly request: FetchFunction;
  /** Starts a new release beside the old one, which serves until the new one is ready, and goes on when that fails. */
  reload(): Promise<void>;
  /** Lets running requests finish, then ends the workers. */
  close(): Promise<void>;
}

/**
 * Makes an application of a Python project: Django, Flask, or any WSGI callable. Nothing runs before it is started or asked. Whoever makes one closes
 * it; a server closes the applications that it was given.
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

const NOWHERE: readonly ListenerEnviron[] = [
  { SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' },
];

class PythonServer {
  readonly #options: PythonAppOptions;
  readonly #log: Log;
  /** Those of the server that it belongs to: requests of others must say where they came in. */
  listeners: readonly ListenerEnviron[] = NOWHERE;
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
    return this.start().then(() => settle(this.handle(request)));
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
      const project = this.#discover();
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

  #discover(): Project {
    const {
      project: target = null,
      directory = process.cwd(),
      python = null,
      dev = false,
      environment,
    } = this.#options;
    const project = discoverProject({ target, chdir: directory, python, dev, staticMounts: [] });
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
        preload: settings.preload,
        software: `viaduct/${VERSION}`,
        listeners: this.listeners,
      },
      pool: settings,
      responseBufferBytesMax: settings.responseBufferBytesMax,
      startTimeoutMs: settings.startTimeoutMs,
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

  /** A method, because it may be closed while it starts. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}

function closedError(): ViaductError {
  return new ViaductError('USAGE', 'Cannot call an application: it is closed');
}
