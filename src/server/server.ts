import { ViaductError } from '../errors.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { Peer, Request } from '../http/message.ts';
import type { Refusal } from '../http/refusal.ts';
import { requestFields } from '../http/request-id.ts';
import { type Arrival, type ConnectionChanges, NO_ARRIVAL } from '../http/transport/server-context.ts';
import { describeError } from '../log/describe-error.ts';
import type { Family } from '../metrics/family.ts';
import type { BackendChange, RouteBackends } from '../proxy/backend-control.ts';
import { Applications, type Scaled } from '../site/applications.ts';
import { ClientRules } from '../site/client-rules.ts';
import { applicationNames, type Configuration } from '../site/configuration.ts';
import { Listeners } from '../site/listeners.ts';
import { ProjectWatch } from '../site/project-watch.ts';
import { traceOptions } from '../site/trace-options.ts';
import { unlessAborted } from '../site/unless-aborted.ts';
import { replacedError } from '../workers/application-server.ts';
import { type Agreement, aloneAgreement } from './agreement.ts';
import { CurrentSite } from './current-site.ts';
import { GracefulStop } from './graceful-stop.ts';
import type { LiveRequest } from './live-requests.ts';
import { loadMetrics, type Measure } from './metrics/load-metrics.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import { mayBeProbe, Probes } from './probes.ts';
import { ProcessStatus } from './process-status.ts';
import { ProtocolServers } from './protocol-servers.ts';
import { ReloadTurns } from './reload-turns.ts';
import type { LocalServer, ServerOptions } from './running-server.ts';
import { mergeStatus, type ProcessReport, type ServerStatus, type WorkerStacks } from './status.ts';
import type { DevPages } from './trace/dev-pages.ts';
import { LocalTraces } from './trace/local-traces.ts';
import { TraceRecording } from './trace/recording.ts';
import { loadTraceParts, type TraceParts } from './trace/trace-parts.ts';

/**
 * Starts a server: listeners, connections, routes, applications. Nothing is left running when the start fails.
 *
 * @throws ViaductError `LISTEN`, `CERTIFICATE`, `APPLICATION_BROKEN`, `WORKER`, `USAGE` or `SETTINGS`.
 */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  const server = new Server(options, await loadMetrics(options.configuration), await loadTraceParts(options));
  try {
    await server.start();
  } catch (error) {
    server.kill();
    throw error;
  }
  return server;
}

class Server implements LocalServer {
  readonly #options: ServerOptions;
  readonly #protocols: ProtocolServers;
  readonly #listeners: Listeners;
  readonly #applications: Applications;
  readonly #rules: ClientRules;
  readonly recording: TraceRecording;
  /** Null if nobody can ask for metrics. */
  readonly #metrics: ServerMetrics | null;
  readonly traces: LocalTraces;
  readonly #traceParts: TraceParts;
  /** Null outside of development. */
  readonly #devPages: DevPages | null;
  /** Writes what the logs have of an answered request; null if they have nothing. */
  #onAnswered: Required<ConnectionChanges>['onAnswered'] = null;
  #configuration: Configuration;
  readonly #current: CurrentSite;
  readonly #probes = new Probes(() => this.#status.unready());
  /** Active in development only. */
  readonly #watch: ProjectWatch;
  readonly #status: ProcessStatus;
  readonly #stopping = new GracefulStop();
  readonly #turns = new ReloadTurns();

  constructor(options: ServerOptions, measure: Measure | null, traceParts: TraceParts) {
    this.#options = options;
    this.#traceParts = traceParts;
    this.#configuration = options.configuration;
    const { configuration, log, accessLog } = options;
    this.#applications = new Applications();
    const current = new CurrentSite(options, this.#applications, {
      onRefused: (refusal, request) => this.#rules.refused(refusal, request.peer, request),
      onStarted: ({ proxies }) => this.#metrics?.measure(proxies),
      onServing: () => this.#status.enter('serving'),
    });
    this.#current = current;
    this.#status = new ProcessStatus({
      applications: this.#applications,
      site: current,
      protocols: () => this.#protocols,
      listeners: () => this.#listeners,
      warn: (text) => log.warn(text),
    });
    this.#metrics = measure?.(this.#status) ?? null;
    this.recording = new TraceRecording({
      trusts: (address) => this.#rules.trusts(address),
      urlOf: (listener) => this.#listeners.urlOf(listener),
      onSwitched: () => this.#protocols.reconfigure(this.#take(this.#configuration)),
    });
    this.#rules = new ClientRules(configuration, log, accessLog, this.#metrics, options.tap ?? null, this.recording);
    const handle = (request: Request): HandlerResult =>
      mayBeProbe(request.path) ? (this.#probes.answer(request) ?? current.handle(request)) : current.handle(request);
    const tracing = options.tracing ?? this.recording;
    this.traces = new LocalTraces(tracing, {
      receive: (request) => this.#rules.receive(request, NO_ARRIVAL),
      handle,
      onAnswered: (...answered) => this.#onAnswered?.(...answered),
    });
    traceParts.start(tracing.store);
    this.#devPages = traceParts.openPages(this, () => this.#configuration);
    const pages = this.#devPages;
    const connections = {
      ...this.#take(configuration),
      passesControls: configuration.passesControls === true,
      handle: pages === null ? handle : (request: Request) => pages.answer(request) ?? handle(request),
      receive: (request: Request, arrival: Arrival) => this.#rules.receive(request, arrival),
      onRefused: (refusal: Refusal, peer: Peer, request: Request | null) => this.#rules.refused(refusal, peer, request),
      onTurnedAway: (reason: string, address: string) => this.#rules.refusals.connection(reason, address),
      onError: (error: unknown, request: Request | null) =>
        log.error(describeError(error), request === null ? {} : requestFields(request)),
    };
    const { refusals } = this.#rules;
    this.#protocols = new ProtocolServers(connections, (reason, address) => refusals.proxiedRequest(reason, address));
    this.#listeners = new Listeners({
      handlers: this.#protocols.handlers,
      trusted: (address) => this.#rules.trusts(address),
      log,
      refusals,
      onServed: this.#metrics?.onServed,
    });
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
    const started = this.#current.hold();
    const loading = this.#protocols.load();
    if (onBound !== undefined) await loading; // the user that it sets may not be able to read the code
    const opening = await this.#listeners.prepare(configuration);
    opening.commit();
    onBound?.();
    try {
      await this.#current.switchTo(configuration, opening, aloneAgreement(), this.#turns.signal);
    } catch (error) {
      if (!settings.dev || applicationNames(configuration).size === 0) throw error;
      this.#showBroken(error);
    }
    started();
    this.#watch.follow(this.#configuration);
  }

  backends(): Promise<readonly RouteBackends[]> {
    return Promise.resolve(this.#status.backends());
  }

  changeBackend(name: string, change: BackendChange): Promise<boolean> {
    return Promise.resolve(this.#current.changeBackend(name, change));
  }

  /** Reloads run one after another. Signals, changed files and changed configurations request them. */
  reload(configuration: Configuration, agreement = aloneAgreement()): Promise<void> {
    return this.#inTurn(() => configuration, agreement);
  }

  cancelReload(): void {
    this.#endReload(replacedError());
  }

  #endReload(error: ViaductError): void {
    this.#turns.abort(error);
    this.#applications.abandon(error);
  }

  #inTurn(configuration: () => Configuration, agreement = aloneAgreement()): Promise<void> {
    return this.#turns.take((signal) => this.#change(configuration(), agreement, signal));
  }

  async #change(configuration: Configuration, agreement: Agreement, signal: AbortSignal): Promise<void> {
    const opening = await unlessAborted(signal, this.#listeners.prepare(configuration), (late) => late.abandon());
    try {
      await this.#current.switchTo(configuration, opening, agreement, signal);
    } catch (error) {
      opening.abandon();
      throw error;
    }
    opening.commit();
    this.#configuration = configuration;
    this.#protocols.reconfigure(this.#take(configuration));
    this.#watch.follow(this.#configuration);
    this.#options.onReloaded?.(configuration);
  }

  async drain(draining: boolean): Promise<void> {
    this.#status.drain(draining);
  }

  async scale(application: string, workers: number): Promise<Scaled> {
    return this.#applications.scale(application, workers);
  }

  report(): ProcessReport {
    return this.#status.report();
  }

  metrics(): Promise<readonly Family[] | null> {
    return this.#metrics?.families() ?? Promise.resolve(null);
  }

  async status(): Promise<ServerStatus> {
    return mergeStatus([this.report()], this.urls);
  }

  async requests(): Promise<readonly LiveRequest[]> {
    return this.#status.requests();
  }

  stacks(worker: number | null): Promise<readonly WorkerStacks[]> {
    return this.#status.stacks(worker);
  }

  /** Uses the rules of `configuration` for all clients from now on. */
  #take(configuration: Configuration): Required<ConnectionChanges> {
    this.#probes.take(configuration);
    this.recording.take(traceOptions(configuration));
    const isPassedProbe = (request: Request): boolean => mayBeProbe(request.path) && this.#probes.hasPassed(request);
    const pages = this.#devPages;
    const changes = this.#rules.take(
      configuration,
      pages === null ? isPassedProbe : (request) => isPassedProbe(request) || pages.owns(request.path),
    );
    this.#onAnswered = changes.onAnswered;
    return changes;
  }

  async stop(): Promise<void> {
    const { gracefulTimeoutMs, drainDelayMs } = this.#configuration.settings;
    this.#status.enter('stopping');
    this.#watch.close();
    this.#devPages?.close();
    this.#endReload(new ViaductError('WORKER', 'Cannot use the new release: the server is stopping'));
    if (drainDelayMs > 0) {
      this.#options.log.info(
        `The server is not ready any more, and accepts requests for another ${drainDelayMs / 1000} s`,
      );
      await this.#stopping.accept(drainDelayMs);
    }
    this.#listeners.close();
    let reason = 'Requests still ran after';
    const finished = this.#protocols.drain().then(() => {
      reason = 'Threads, hooks or exit functions of workers still ran after';
      return this.#applications.stop();
    });
    if (!(await this.#stopping.wait(gracefulTimeoutMs, finished))) {
      this.#options.log.warn(`${reason} ${gracefulTimeoutMs / 1000} s and were ended`);
      this.kill();
    }
    await this.#current.stop();
    this.#rules.flush();
    await this.#traceParts.stop();
  }

  flushLogs(): void {
    this.#rules.flush();
  }

  kill(): void {
    this.#metrics?.stop();
    this.recording.close();
    this.#stopping.cancel();
    this.#watch.close();
    this.#listeners.close();
    this.#protocols.destroy();
    this.#applications.destroy();
    this.#current.destroy();
    this.#rules.flush();
  }

  /** In development the traceback of a broken application is the page, until a change fixes it. */
  #showBroken(error: unknown): void {
    this.#options.log.error(describeError(error));
    this.#status.enter('broken');
    this.#current.showBroken(this.#configuration, error);
  }
}
