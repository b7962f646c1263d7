import { ApplicationServer } from './app/application-server.ts';
import { applicationName, type Project } from './app/project.ts';
import { watchProject } from './app/watch.ts';
import type { Settings } from './config/settings.ts';
import { ViaductError } from './errors.ts';
import { Connections } from './http/connections.ts';
import type { Handler, HandlerResult } from './http/handler.ts';
import type { Request } from './http/message.ts';
import type { Response } from './http/response.ts';
import { createAccessLog, type LineSink } from './observe/access-log.ts';
import type { Log } from './observe/log.ts';
import { VERSION } from './version.ts';
import { parseAddress } from './web/address.ts';
import { compose } from './web/compose.ts';
import { plainError, tracebackPage } from './web/error-page.ts';
import { staticFiles } from './web/handlers/static.ts';
import { Listener } from './web/listener.ts';

export interface ServerOptions {
  readonly settings: Settings;
  readonly project: Project;
  readonly log: Log;
  /** Takes the access log. */
  readonly accessLog: LineSink;
  /** Called when all addresses are bound, before anything of the application runs. */
  readonly onBound?: () => void;
}

export interface RunningServer {
  readonly urls: readonly string[];
  /** Requests that are being answered or whose connections are open. */
  readonly connections: number;
  /** Brings a new release beside the old one; the old one goes on serving when that fails. */
  reload(): Promise<void>;
  /** Stops accepting, finishes what runs for as long as `gracefulTimeoutMs`, and ends all processes. */
  stop(): Promise<void>;
  /** Ends everything now. */
  kill(): void;
}

/**
 * Puts the parts together and starts them: listeners, connections, static files, application server. Nothing is left running when
 * it fails.
 *
 * @throws ViaductError `LISTEN`, `APPLICATION_BROKEN`, `WORKER` or `USAGE`.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = new Server(options);
  try {
    await server.start();
  } catch (error) {
    server.kill();
    throw error;
  }
  return server;
}

/** In production, how long a changed static file may still be served as it was. */
const STATIC_REVALIDATE_MS = 1000;

class Server implements RunningServer {
  readonly #options: ServerOptions;
  readonly #connections: Connections;
  readonly #listeners: readonly Listener[];
  readonly #flushLog: () => void;
  /** The static files, when there are any. */
  readonly #files: readonly Handler[];
  #application: ApplicationServer | null = null;
  #handle: (request: Request) => HandlerResult = () => plainError();
  #stopWatching: () => void = () => {};
  #changed = false;
  #reloading = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    const { settings, project, log, accessLog } = options;
    const access = createAccessLog({
      format: settings.accessLog,
      sink: accessLog,
      onDropped: (lines) =>
        log.warn('Access log lines were dropped: their reader is slower than the requests', { lines }),
    });
    const files = {
      mounts: project.staticMounts,
      cacheBytesMax: settings.staticCacheBytesMax,
      revalidateMs: settings.dev ? 0 : STATIC_REVALIDATE_MS,
    };
    this.#files = files.mounts.length === 0 ? [] : [staticFiles(files)];
    this.#flushLog = access === null ? () => {} : access.flush;
    this.#connections = new Connections({
      handle: (request) => this.#handle(request),
      limits: settings,
      connectionsMax: settings.connectionsMax,
      onAnswered: access === null ? null : access.onAnswered,
      onError: (error, request) =>
        log.error(describeError(error), request === null ? {} : { request: `${request.method} ${request.path}` }),
    });
    this.#listeners = settings.listen.map(
      (address, index) =>
        new Listener(
          { address: parseAddress(address), index, tls: null, proxyProtocol: null },
          { http1: this.#connections, http2: null },
        ),
    );
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Listens before the application starts, so that a port in use is told at once; who connects meanwhile waits. */
  async start(): Promise<void> {
    const { settings, project } = this.#options;
    let started: (outcome: null) => void = () => {};
    const starting = new Promise<null>((resolve) => {
      started = resolve;
    });
    this.#handle = (request) => starting.then(() => settledResponse(this.#handle(request)));
    for (const listener of this.#listeners) await listener.listen();
    this.#options.onBound?.();
    const application = new ApplicationServer(this.#applicationOptions());
    this.#application = application;
    try {
      await application.start();
      this.#serve(application);
    } catch (error) {
      if (!settings.dev) throw error;
      this.#showBroken(error);
    }
    started(null);
    if (settings.dev) this.#stopWatching = watchProject(project.directory, () => void this.#reloadChanged());
  }

  async reload(): Promise<void> {
    await this.#application?.reload();
    if (this.#application !== null) this.#serve(this.#application);
  }

  async stop(): Promise<void> {
    const { gracefulTimeoutMs } = this.#options.settings;
    this.#stopWatching();
    for (const listener of this.#listeners) listener.close();
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), gracefulTimeoutMs);
    });
    const outcome = await Promise.race([this.#connections.drain().then(() => this.#application?.stop()), late]);
    if (timer !== null) clearTimeout(timer);
    if (outcome === 'late') {
      this.#options.log.warn(`Requests still ran after ${gracefulTimeoutMs / 1000} s and were ended`);
      this.kill();
    }
    this.#flushLog();
  }

  kill(): void {
    this.#stopWatching();
    for (const listener of this.#listeners) listener.close();
    this.#connections.destroy();
    this.#application?.destroy();
    this.#flushLog();
  }

  #serve(application: ApplicationServer): void {
    this.#handle = compose(this.#files, application.handle as (request: Request) => HandlerResult);
  }

  /** In development a broken application is a page, until a change mends it. */
  #showBroken(error: unknown): void {
    this.#options.log.error(describeError(error));
    const name = applicationName(this.#options.project.application);
    this.#handle = () => tracebackPage(`${name} cannot be imported`, tracebackOf(error));
  }

  /** A file changed. What changes while a release starts may not be in it, so another one follows. */
  async #reloadChanged(): Promise<void> {
    this.#changed = true;
    if (this.#reloading) return;
    this.#reloading = true;
    while (this.#changed) {
      this.#changed = false;
      const before = performance.now();
      try {
        await this.reload();
        this.#options.log.info(`Reloaded in ${Math.round(performance.now() - before)} ms`);
      } catch (error) {
        this.#showBroken(error);
      }
    }
    this.#reloading = false;
  }

  #applicationOptions(): ConstructorParameters<typeof ApplicationServer>[0] {
    const { settings, project, log } = this.#options;
    const { workers, threads, preload, dev } = settings;
    const listeners = this.#listeners.map((listener) => ({
      SERVER_NAME: listener.serverName,
      SERVER_PORT: listener.serverPort,
      'wsgi.url_scheme': 'http' as const,
    }));
    return {
      release: {
        project,
        workers,
        shared: settings.fronts > 1,
        threads,
        preload,
        software: `viaduct/${VERSION}`,
        listeners,
      },
      pool: settings,
      responseBufferBytesMax: settings.responseBufferBytesMax,
      startTimeoutMs: settings.startTimeoutMs,
      errorResponse: (traceback) =>
        dev ? tracebackPage('The application raised an exception', traceback) : plainError(),
      log,
    };
  }
}

function settledResponse(result: HandlerResult): Promise<Response> {
  return new Promise((resolve, reject) => {
    if ('then' in result) result.then(resolve, reject);
    else resolve(result);
  });
}

function describeError(error: unknown): string {
  if (error instanceof ViaductError)
    return [error.message, tracebackOf(error)]
      .filter((text) => text !== '')
      .join('\n')
      .trimEnd();
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The Python traceback that an error carries, or ''. */
export function tracebackOf(error: unknown): string {
  return error instanceof ViaductError && typeof error.cause === 'string' ? error.cause : '';
}
