import { plainError, tracebackPage } from '../handlers/pages/error-page.ts';
import type { Next } from '../http/handler.ts';
import { Connections } from '../http/http1/http1-server.ts';
import { Http2Connections } from '../http/http2/http2-server.ts';
import { settle } from '../http/to-promise.ts';
import type { ConnectionOptions } from '../http/transport/server-context.ts';
import type { LineSink } from '../log/access-log.ts';
import { describeError, tracebackOf } from '../log/describe-error.ts';
import type { Log } from '../log/log.ts';
import { applicationName } from '../project/project.ts';
import {
  type BackendChange,
  type BackendControl,
  changeBackend,
  listBackends,
  type RouteBackends,
} from '../proxy/backend-control.ts';
import { applicationOptions, applicationTable } from '../site/application-options.ts';
import { Applications } from '../site/applications.ts';
import type { BuiltSite } from '../site/build.ts';
import { ClientRules } from '../site/client-rules.ts';
import { type ComposedApplications, composeApplications } from '../site/compose-applications.ts';
import { composeSite, emptyMemory } from '../site/compose-site.ts';
import { applicationNames, type Configuration, MAIN, NOWHERE } from '../site/configuration.ts';
import { Listeners, type Opening } from '../site/listeners.ts';
import { limitsOf } from '../site/policies.ts';
import { ProjectWatch } from '../site/project-watch.ts';
import { GatewayConnections } from '../web/gateway/gateway-connections.ts';
import type { Application } from '../wsgi/contract.ts';

export interface ServerOptions {
  /** Validated. */
  readonly configuration: Configuration;
  readonly log: Log;
  /** Takes the access log. */
  readonly accessLog: LineSink;
  /** Called when all addresses are bound, before anything of the application runs. */
  readonly onBound?: () => void;
  /** Applications that were made by whoever starts the server, by name. They are closed with it. */
  readonly given?: ReadonlyMap<string, Application>;
}

export interface RunningServer extends BackendControl {
  readonly urls: readonly string[];
  /** Requests that are being answered or whose connections are open. */
  readonly connections: number;
  /**
   * Brings `configuration`, validated, and a new release of each application beside what runs, and changes over without dropping a request.
   * All goes on as it was when that fails.
   */
  reload(configuration: Configuration): Promise<void>;
  /** Stops accepting, finishes what runs for as long as `gracefulTimeoutMs`, and ends all processes. */
  stop(): Promise<void>;
  /** Ends everything now. */
  kill(): void;
}

/**
 * Puts the parts together and starts them: listeners, connections, routes, applications. Nothing is left running when it fails.
 *
 * @throws ViaductError `LISTEN`, `CERTIFICATE`, `APPLICATION_BROKEN`, `WORKER`, `USAGE` or `SETTINGS`.
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

class Server implements RunningServer {
  readonly #options: ServerOptions;
  readonly #http1: Connections;
  readonly #http2: Http2Connections;
  readonly #gateway: GatewayConnections;
  readonly #listeners: Listeners;
  readonly #applications: Applications;
  readonly #rules: ClientRules;
  #configuration: Configuration;
  #site: BuiltSite | null = null;
  /** What is known of backends outlives a configuration. */
  readonly #memory = emptyMemory();
  #composed: ComposedApplications | null = null;
  readonly #leaving = new Set<ComposedApplications>();
  #handle: Next = () => plainError();
  /** In development. */
  readonly #watch: ProjectWatch;
  /** The last reload that was asked for. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    const { configuration, log, accessLog } = options;
    this.#rules = new ClientRules(configuration, log, accessLog);
    const connections: ConnectionOptions = {
      ...this.#rules.take(configuration),
      handle: (request) => this.#handle(request),
      receive: (request) => this.#rules.receive(request),
      onError: (error, request) =>
        log.error(describeError(error), request === null ? {} : { request: `${request.method} ${request.path}` }),
      onHttp2Preface: (socket, early, listener, peer) => this.#http2.accept(socket, listener, peer, early),
    };
    this.#http1 = new Connections(connections, () => this.#http2.size);
    this.#http2 = new Http2Connections(connections, () => this.#http1.size);
    this.#gateway = new GatewayConnections({
      http1: this.#http1,
      limits: () => limitsOf(this.#configuration),
      onRefused: (reason, address) => log.info(`A front's request was refused: ${reason}`, { remote_address: address }),
    });
    const sinks = { http1: this.#http1, http2: this.#http2, gateway: this.#gateway };
    this.#listeners = new Listeners({ sinks, trusted: (address) => this.#rules.trusts(address), log });
    this.#applications = new Applications(configuration.settings.gracefulTimeoutMs);
    this.#watch = new ProjectWatch({
      reload: () => this.#inTurn(() => this.#change(this.#configuration)),
      onBroken: (error) => this.#showBroken(error),
      log,
    });
  }

  get urls(): readonly string[] {
    return this.#listeners.urls;
  }

  get connections(): number {
    return this.#http1.size + this.#http2.size;
  }

  /** Listens before the application starts, so that a port in use is told at once; who connects meanwhile waits. */
  async start(): Promise<void> {
    const { configuration, onBound } = this.#options;
    const { settings } = configuration;
    let started: (outcome: null) => void = () => {};
    const starting = new Promise<null>((resolve) => {
      started = resolve;
    });
    this.#handle = (request) => starting.then(() => settle(this.#handle(request)));
    const opening = await this.#listeners.prepare(configuration);
    opening.commit();
    onBound?.();
    try {
      await this.#begin(configuration, opening);
    } catch (error) {
      if (!settings.dev || applicationNames(configuration).size === 0) throw error;
      this.#showBroken(error);
    }
    started(null);
    this.#watch.follow(this.#configuration);
  }

  backends(): Promise<readonly RouteBackends[]> {
    return Promise.resolve(listBackends(this.#proxies));
  }

  changeBackend(name: string, change: BackendChange): Promise<boolean> {
    return Promise.resolve(changeBackend(this.#proxies, this.#memory.standings, name, change));
  }

  get #proxies(): BuiltSite['proxies'] {
    return this.#site?.proxies ?? new Map();
  }

  /** One after another: signals, changed files and changed configurations ask for them. */
  reload(configuration: Configuration): Promise<void> {
    return this.#inTurn(() => this.#change(configuration));
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(step);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #change(configuration: Configuration): Promise<void> {
    const opening = await this.#listeners.prepare(configuration);
    try {
      await this.#begin(configuration, opening);
    } catch (error) {
      opening.abandon();
      throw error;
    }
    opening.commit();
    this.#configuration = configuration;
    const changes = this.#rules.take(configuration);
    this.#http1.reconfigure(changes);
    this.#http2.reconfigure(changes);
    this.#watch.follow(this.#configuration);
  }

  async stop(): Promise<void> {
    const { gracefulTimeoutMs } = this.#configuration.settings;
    this.#watch.close();
    this.#listeners.close();
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), gracefulTimeoutMs);
    });
    this.#gateway.drain();
    const drained = Promise.all([this.#http1.drain(), this.#http2.drain()]);
    const outcome = await Promise.race([drained.then(() => this.#applications.stop()), late]);
    if (timer !== null) clearTimeout(timer);
    if (outcome === 'late') {
      this.#options.log.warn(`Requests still ran after ${gracefulTimeoutMs / 1000} s and were ended`);
      this.kill();
    }
    this.#site?.stop();
    await this.#closeAll();
    this.#rules.flush();
  }

  kill(): void {
    this.#watch.close();
    this.#listeners.close();
    this.#http1.destroy();
    this.#http2.destroy();
    this.#gateway.destroy();
    this.#applications.destroy();
    this.#site?.destroy();
    void this.#closeAll();
    this.#rules.flush();
  }

  /** Starts what `configuration` has beside what runs, then sends all requests there. */
  async #begin(configuration: Configuration, { environs }: Opening): Promise<void> {
    const { log } = this.#options;
    const table = applicationTable(configuration, environs, log);
    await this.#applications.begin(table);
    const ports = environs.map(({ SERVER_PORT }) => SERVER_PORT);
    const composed = await composeApplications(configuration, {
      python: (name) => this.#applications.handleOf(name),
      given: this.#options.given ?? new Map(),
      server: applicationOptions(configuration, environs, log),
    });
    const site = await this.#composeSite(configuration, composed, ports);
    await site.start();
    const old = this.#site;
    this.#retire(this.#composed);
    this.#site = site;
    this.#composed = composed;
    this.#handle = site.handle;
    this.#applications.retire(new Set(table.keys()));
    old?.stop();
  }

  async #composeSite(
    configuration: Configuration,
    composed: ComposedApplications,
    ports: readonly string[],
  ): Promise<BuiltSite> {
    try {
      return await composeSite(configuration, composed, NOWHERE, ports, this.#options.log, this.#memory);
    } catch (error) {
      await this.#closeApplications(composed);
      throw error;
    }
  }

  /** The applications that run here, those that a reload has replaced, and those that were given. */
  async #closeAll(): Promise<void> {
    const composed = [...this.#leaving, ...(this.#composed === null ? [] : [this.#composed])];
    await Promise.all(composed.map((one) => this.#closeApplications(one)));
    await Promise.allSettled([...(this.#options.given?.values() ?? [])].map((application) => application.close?.()));
  }

  /** Requests may still be with applications that a reload has replaced. */
  #retire(composed: ComposedApplications | null): void {
    if (composed === null) return;
    const { gracefulTimeoutMs } = this.#configuration.settings;
    this.#leaving.add(composed);
    setTimeout(() => {
      if (this.#leaving.has(composed)) void this.#closeApplications(composed);
    }, gracefulTimeoutMs).unref();
  }

  async #closeApplications(composed: ComposedApplications): Promise<void> {
    this.#leaving.delete(composed);
    try {
      await composed.close();
    } catch (error) {
      this.#options.log.error(describeError(error));
    }
  }

  /** In development a broken application is a page, until a change mends it. */
  #showBroken(error: unknown): void {
    this.#options.log.error(describeError(error));
    const { project, modules } = this.#configuration;
    const name = project === null ? (modules[MAIN]?.module ?? MAIN) : applicationName(project.application);
    this.#handle = () => tracebackPage(`${name} cannot be imported`, tracebackOf(error));
  }
}
