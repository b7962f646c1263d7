import { plainError, tracebackPage } from '../handlers/pages/error-page.ts';
import type { Next } from '../http/handler.ts';
import type { Peer, Request } from '../http/message.ts';
import type { Refusal } from '../http/refusal.ts';
import { requestFields } from '../http/request-id.ts';
import { toPromise } from '../http/to-promise.ts';
import type { LineSink } from '../log/access-log.ts';
import { describeError, tracebackOf } from '../log/describe-error.ts';
import type { Log } from '../log/log.ts';
import { applicationName } from '../project/project.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import {
  type BackendChange,
  type BackendControl,
  changeBackend,
  listBackends,
  type RouteBackends,
} from '../proxy/backend-control.ts';
import { applicationTable } from '../site/application-options.ts';
import { Applications } from '../site/applications.ts';
import type { BuiltSite } from '../site/build.ts';
import { ClientRules } from '../site/client-rules.ts';
import type { ComposedApplications } from '../site/compose-applications.ts';
import { emptyMemory } from '../site/compose-site.ts';
import { applicationNames, type Configuration, MAIN } from '../site/configuration.ts';
import { Listeners, type Opening } from '../site/listeners.ts';
import { ProjectWatch } from '../site/project-watch.ts';
import { unlessAborted } from '../site/unless-aborted.ts';
import { replacedError } from '../workers/application-server.ts';
import type { Application } from '../wsgi/contract.ts';
import { ProtocolServers } from './protocol-servers.ts';
import { type StartedSite, startSite } from './start-site.ts';

export interface ServerOptions {
  /** Validated. */
  readonly configuration: Configuration;
  readonly log: Log;
  /** Receives the access log. */
  readonly accessLog: LineSink;
  /** Called when all addresses are bound, before the application is imported. */
  readonly onBound?: () => void;
  /** Applications that the caller made, by name. The server closes them when it stops. */
  readonly callerApplications?: ReadonlyMap<string, Application>;
  /** An interpreter that may wait for the main application. */
  readonly waiting?: WaitingInterpreter;
}

export interface RunningServer extends BackendControl {
  readonly urls: readonly string[];
  /** Open connections of clients. */
  readonly connections: number;
  /**
   * Starts `configuration`, which is validated, and a new release of each application beside the running ones, then switches over without
   * dropping a request. If any part of that fails, the old configuration stays, and so does the old release of every application.
   */
  reload(configuration: Configuration): Promise<void>;
  /** Lets a running reload fail, whatever it waits for, so that a later one need not wait for it. */
  cancelReload(): void;
  /** Stops accepting, lets running requests finish within `gracefulTimeoutMs`, and ends all processes. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
}

/**
 * Starts a server: listeners, connections, routes, applications. Nothing is left running when the start fails.
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
  readonly #protocols: ProtocolServers;
  readonly #listeners: Listeners;
  readonly #applications: Applications;
  readonly #rules: ClientRules;
  #configuration: Configuration;
  #site: BuiltSite | null = null;
  /** What is known about backends outlives a configuration. */
  readonly #memory = emptyMemory();
  #composed: ComposedApplications | null = null;
  readonly #leaving = new Set<ComposedApplications>();
  #handle: Next = () => plainError();
  /** Active in development only. */
  readonly #watch: ProjectWatch;
  /** Runs while a stop waits for requests. */
  #grace: NodeJS.Timeout | null = null;
  /** The last reload that was requested. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Aborts the start, or the reload that runs. */
  #changing = new AbortController();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    const { configuration, log, accessLog } = options;
    this.#rules = new ClientRules(configuration, log, accessLog);
    const connections = {
      ...this.#rules.take(configuration),
      passesControls: configuration.passesControls === true,
      handle: (request: Request) => this.#handle(request),
      receive: (request: Request) => this.#rules.receive(request),
      onRefused: (refusal: Refusal, peer: Peer, request: Request | null) => this.#rules.refused(refusal, peer, request),
      onTurnedAway: (reason: string, address: string) => this.#rules.refusals.connection(reason, address),
      onError: (error: unknown, request: Request | null) =>
        log.error(describeError(error), request === null ? {} : requestFields(request)),
    };
    const { refusals } = this.#rules;
    this.#protocols = new ProtocolServers(connections, (reason, address) => refusals.proxiedRequest(reason, address));
    const { handlers } = this.#protocols;
    this.#listeners = new Listeners({ handlers, trusted: (address) => this.#rules.trusts(address), log, refusals });
    this.#applications = new Applications();
    this.#watch = new ProjectWatch({
      reload: () => this.#inTurn(() => this.#configuration),
      cancel: () => this.cancelReload(),
      onBroken: (error) => this.#showBroken(error),
      log,
    });
  }

  get urls(): readonly string[] {
    return this.#listeners.urls;
  }

  get connections(): number {
    return this.#protocols.size;
  }

  /** Listens before the application starts, so that a port in use is reported at once. Clients that connect meanwhile wait. */
  async start(): Promise<void> {
    const { configuration, onBound } = this.#options;
    const { settings } = configuration;
    let started: (outcome: null) => void = () => {};
    const starting = new Promise<null>((resolve) => {
      started = resolve;
    });
    this.#handle = (request) => starting.then(() => toPromise(this.#handle(request)));
    const loading = this.#protocols.load();
    if (onBound !== undefined) await loading; // the user that it sets may not be able to read the code
    const opening = await this.#listeners.prepare(configuration);
    opening.commit();
    onBound?.();
    try {
      await this.#switchTo(configuration, opening, this.#changing.signal);
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
    return Promise.resolve(changeBackend(this.#proxies, this.#memory.overrides, name, change));
  }

  get #proxies(): BuiltSite['proxies'] {
    return this.#site?.proxies ?? new Map();
  }

  /** Reloads run one after another. Signals, changed files and changed configurations request them. */
  reload(configuration: Configuration): Promise<void> {
    return this.#inTurn(() => configuration);
  }

  cancelReload(): void {
    const error = replacedError();
    this.#changing.abort(error);
    this.#applications.abandon(error);
  }

  #inTurn(configuration: () => Configuration): Promise<void> {
    const turn = this.#turn.then(() => {
      this.#changing = new AbortController();
      return this.#change(configuration(), this.#changing.signal);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #change(configuration: Configuration, signal: AbortSignal): Promise<void> {
    const opening = await unlessAborted(signal, this.#listeners.prepare(configuration), (late) => late.abandon());
    try {
      await this.#switchTo(configuration, opening, signal);
    } catch (error) {
      opening.abandon();
      throw error;
    }
    opening.commit();
    this.#configuration = configuration;
    this.#protocols.reconfigure(this.#rules.take(configuration));
    this.#watch.follow(this.#configuration);
  }

  async stop(): Promise<void> {
    const { gracefulTimeoutMs } = this.#configuration.settings;
    this.#watch.close();
    this.#listeners.close();
    const late = new Promise<'late'>((resolve) => {
      this.#grace = setTimeout(() => resolve('late'), gracefulTimeoutMs);
    });
    const drained = this.#protocols.drain();
    const outcome = await Promise.race([drained.then(() => this.#applications.stop()), late]);
    this.#endGrace();
    if (outcome === 'late') {
      this.#options.log.warn(`Requests still ran after ${gracefulTimeoutMs / 1000} s and were ended`);
      this.kill();
    }
    this.#site?.stop();
    await this.#closeAll();
    this.#rules.flush();
  }

  kill(): void {
    this.#endGrace();
    this.#watch.close();
    this.#listeners.close();
    this.#protocols.destroy();
    this.#applications.destroy();
    this.#site?.destroy();
    void this.#closeAll();
    this.#rules.flush();
  }

  #endGrace(): void {
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#grace = null;
  }

  /**
   * Starts everything in `configuration` beside the running applications, then sends all requests there. Nothing of what
   * serves changes before everything has started. It rejects as soon as `signal` is aborted, even if an import never ends.
   */
  async #switchTo(configuration: Configuration, { environs }: Opening, signal: AbortSignal): Promise<void> {
    const table = applicationTable(configuration, environs, this.#options.log, this.#options.waiting);
    const { gracefulTimeoutMs } = configuration.settings;
    await this.#applications.prepare(table);
    let started: StartedSite | null = null;
    try {
      started = await startSite(configuration, environs, {
        python: (name) => this.#applications.handleOf(name),
        callerApplications: this.#options.callerApplications ?? new Map(),
        memory: this.#memory,
        log: this.#options.log,
        onRefused: (refusal, request) => this.#rules.refused(refusal, request.peer, request),
        signal,
      });
      this.#applications.commit(table.keys());
    } catch (error) {
      if (!signal.aborted) this.#applications.abandon(replacedError());
      started?.site.destroy();
      if (started !== null) await unlessAborted(signal, started.close());
      throw error;
    }
    for (const warning of started.site.warnings) this.#options.log.warn(warning);
    const old = this.#site;
    this.#retire(this.#composed, gracefulTimeoutMs);
    this.#site = started.site;
    this.#composed = started.composed;
    this.#handle = started.site.handle;
    this.#applications.retire(new Set(table.keys()), gracefulTimeoutMs);
    old?.stop();
  }

  /** Closes the applications that run here, those that a reload replaced, and those of the caller. */
  async #closeAll(): Promise<void> {
    const composed = [...this.#leaving, ...(this.#composed === null ? [] : [this.#composed])];
    await Promise.all(composed.map((applications) => this.#closeApplications(applications)));
    await Promise.allSettled(
      [...(this.#options.callerApplications?.values() ?? [])].map((application) => application.close?.()),
    );
  }

  /** Keeps replaced applications open for the grace period, because requests may still be with them. */
  #retire(composed: ComposedApplications | null, graceMs: number): void {
    if (composed === null) return;
    this.#leaving.add(composed);
    setTimeout(() => {
      if (this.#leaving.has(composed)) void this.#closeApplications(composed);
    }, graceMs).unref();
  }

  async #closeApplications(composed: ComposedApplications): Promise<void> {
    this.#leaving.delete(composed);
    try {
      await composed.close();
    } catch (error) {
      this.#options.log.error(describeError(error));
    }
  }

  /** In development the traceback of a broken application is the page, until a change fixes it. */
  #showBroken(error: unknown): void {
    this.#options.log.error(describeError(error));
    const { project, modules } = this.#configuration;
    const name = project === null ? (modules[MAIN]?.module ?? MAIN) : applicationName(project.application);
    this.#handle = () => tracebackPage(`${name} cannot be imported`, tracebackOf(error));
  }
}
