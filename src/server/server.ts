import { setTimeout as sleep } from 'node:timers/promises';
import { ViaductError } from '../errors.ts';
import { plainError } from '../handlers/pages/error-page.ts';
import type { HandlerResult, Next } from '../http/handler.ts';
import type { Peer, Request } from '../http/message.ts';
import type { Refusal } from '../http/refusal.ts';
import { requestFields } from '../http/request-id.ts';
import { toPromise } from '../http/to-promise.ts';
import { type Arrival, type ConnectionChanges, NO_ARRIVAL } from '../http/transport/server-context.ts';
import { describeError } from '../log/describe-error.ts';
import type { Family } from '../metrics/family.ts';
import { applicationName } from '../project/project.ts';
import { type BackendChange, changeBackend, listBackends, type RouteBackends } from '../proxy/backend-control.ts';
import { applicationTable } from '../site/application-options.ts';
import { Applications, type Scaled } from '../site/applications.ts';
import type { BuiltSite } from '../site/build.ts';
import { ClientRules } from '../site/client-rules.ts';
import { emptyMemory } from '../site/compose-site.ts';
import { applicationNames, type Configuration, countsMetrics, MAIN } from '../site/configuration.ts';
import { Listeners, type Opening } from '../site/listeners.ts';
import { ProjectWatch } from '../site/project-watch.ts';
import { raisedPage } from '../site/raised-page.ts';
import { reloadPolicy } from '../site/reload-policy.ts';
import { traceOptions } from '../site/trace-options.ts';
import { unlessAborted } from '../site/unless-aborted.ts';
import { BrokenImport } from '../trace/broken-import.ts';
import { replacedError } from '../workers/application-server.ts';
import { type Agreement, aloneAgreement } from './agreement.ts';
import { canary } from './canary.ts';
import { type LiveRequest, liveRequests } from './live-requests.ts';
import type { MeasuredServer, ServerMetrics } from './metrics/server-metrics.ts';
import { OpenApplications } from './open-applications.ts';
import { probeRelease } from './probe-release.ts';
import { mayBeProbe, Probes } from './probes.ts';
import { ProtocolServers } from './protocol-servers.ts';
import { type ServerState, unreadyReasons } from './readiness.ts';
import { watchReleases } from './release-watch.ts';
import type { LocalServer, ServerOptions } from './running-server.ts';
import { type StartedSite, startSite } from './start-site.ts';
import { mergeStatus, type ProcessReport, type ServerStatus, type WorkerStacks, workerStacks } from './status.ts';
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
  const measure = countsMetrics(options.configuration.settings) ? await loadMetrics() : null;
  const server = new Server(options, measure, await loadTraceParts(options));
  try {
    await server.start();
  } catch (error) {
    server.kill();
    throw error;
  }
  return server;
}

type Measure = (server: MeasuredServer) => ServerMetrics;

/** Most servers have no metrics, and do not load the code for them. */
async function loadMetrics(): Promise<Measure> {
  const { ServerMetrics } = await import('./metrics/server-metrics.ts');
  return (server) => new ServerMetrics(server);
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
  #site: BuiltSite | null = null;
  /** What is known about backends outlives a configuration. */
  readonly #memory = emptyMemory();
  readonly #open: OpenApplications;
  readonly #probes = new Probes(() => this.#unready());
  #handle: Next = () => plainError();
  /** Active in development only. */
  readonly #watch: ProjectWatch;
  #state: ServerState = 'starting';
  #draining = false;
  /** Runs while a stop waits for requests. */
  #grace: NodeJS.Timeout | null = null;
  /** Ends the time in which a stopping server still accepts. */
  readonly #delay = new AbortController();
  /** The last reload that was requested. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Aborts the start, or the reload that runs. */
  #changing = new AbortController();

  constructor(options: ServerOptions, measure: Measure | null, traceParts: TraceParts) {
    this.#options = options;
    this.#traceParts = traceParts;
    this.#configuration = options.configuration;
    const { configuration, log, accessLog } = options;
    this.#metrics = measure?.(this.#measured()) ?? null;
    this.recording = new TraceRecording({
      trusts: (address) => this.#rules.trusts(address),
      urlOf: (listener) => this.#listeners.urlOf(listener),
      onSwitched: () => this.#protocols.reconfigure(this.#take(this.#configuration)),
    });
    this.#rules = new ClientRules(configuration, log, accessLog, this.#metrics, options.tap ?? null, this.recording);
    this.#open = new OpenApplications(log, options.callerApplications ?? new Map());
    const handle = (request: Request): HandlerResult =>
      mayBeProbe(request.path) ? (this.#probes.answer(request) ?? this.#handle(request)) : this.#handle(request);
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
    const { handlers } = this.#protocols;
    this.#listeners = new Listeners({
      handlers,
      trusted: (address) => this.#rules.trusts(address),
      log,
      refusals,
      onServed: this.#metrics?.onServed,
    });
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
      await this.#switchTo(configuration, opening, aloneAgreement(), this.#changing.signal);
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
  reload(configuration: Configuration, agreement = aloneAgreement()): Promise<void> {
    return this.#inTurn(() => configuration, agreement);
  }

  cancelReload(): void {
    this.#endReload(replacedError());
  }

  #endReload(error: ViaductError): void {
    this.#changing.abort(error);
    this.#applications.abandon(error);
  }

  #inTurn(configuration: () => Configuration, agreement = aloneAgreement()): Promise<void> {
    const turn = this.#turn.then(() => {
      this.#changing = new AbortController();
      return this.#change(configuration(), agreement, this.#changing.signal);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #change(configuration: Configuration, agreement: Agreement, signal: AbortSignal): Promise<void> {
    const opening = await unlessAborted(signal, this.#listeners.prepare(configuration), (late) => late.abandon());
    try {
      await this.#switchTo(configuration, opening, agreement, signal);
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
    this.#draining = draining;
  }

  async scale(application: string, workers: number): Promise<Scaled> {
    return this.#applications.scale(application, workers);
  }

  report(): ProcessReport {
    const reasons = this.#unready();
    return {
      process: {
        pid: process.pid,
        state: this.#draining && this.#state === 'serving' ? 'drained' : this.#state,
        ready: reasons.length === 0,
        reasons,
        connections: this.connections,
        rss_bytes: process.memoryUsage.rss(),
        applications: this.#applications.serving().map(([name, application]) => application.status(name)),
      },
      certificates: this.#listeners.certificates,
      backends: listBackends(this.#proxies),
    };
  }

  metrics(): Promise<readonly Family[] | null> {
    return this.#metrics?.families() ?? Promise.resolve(null);
  }

  /** What metrics read when they are asked for. */
  #measured(): MeasuredServer {
    return {
      report: () => this.report(),
      connectionsByProtocol: () => this.#protocols.sizes,
      openRequests: () => this.#protocols.requests(),
      applications: () => this.#applications.serving(),
      proxies: () => this.#proxies,
      warn: (text) => this.#options.log.warn(text),
    };
  }

  async status(): Promise<ServerStatus> {
    return mergeStatus([this.report()], this.urls);
  }

  async requests(): Promise<readonly LiveRequest[]> {
    return liveRequests(this.#protocols.requests(), this.#applications, this.#proxies);
  }

  stacks(worker: number | null): Promise<readonly WorkerStacks[]> {
    return workerStacks(this.#applications, worker);
  }

  /** Why this process should get no requests. */
  #unready(): readonly string[] {
    const loads = this.#applications.serving().map(([, { load }]) => load);
    return unreadyReasons({ state: this.#state, draining: this.#draining, loads, routes: listBackends(this.#proxies) });
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
    this.#state = 'stopping';
    this.#watch.close();
    this.#devPages?.close();
    this.#endReload(new ViaductError('WORKER', 'Cannot use the new release: the server is stopping'));
    if (drainDelayMs > 0) {
      this.#options.log.info(
        `The server is not ready any more, and accepts requests for another ${drainDelayMs / 1000} s`,
      );
      await sleep(drainDelayMs, null, { signal: this.#delay.signal }).catch(() => {});
    }
    this.#listeners.close();
    const late = new Promise<'late'>((resolve) => {
      this.#grace = setTimeout(() => resolve('late'), gracefulTimeoutMs);
    });
    let reason = 'Requests still ran after';
    const finished = this.#protocols.drain().then(() => {
      reason = 'Threads, hooks or exit functions of workers still ran after';
      return this.#applications.stop();
    });
    const outcome = await Promise.race([finished, late]);
    this.#endGrace();
    if (outcome === 'late') {
      this.#options.log.warn(`${reason} ${gracefulTimeoutMs / 1000} s and were ended`);
      this.kill();
    }
    this.#site?.stop();
    await this.#open.close();
    this.#rules.flush();
    await this.#traceParts.stop();
  }

  flushLogs(): void {
    this.#rules.flush();
  }

  kill(): void {
    this.#metrics?.stop();
    this.recording.close();
    this.#delay.abort();
    this.#endGrace();
    this.#watch.close();
    this.#listeners.close();
    this.#protocols.destroy();
    this.#applications.destroy();
    this.#site?.destroy();
    void this.#open.close();
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
  async #switchTo(
    configuration: Configuration,
    opening: Opening,
    agreement: Agreement,
    signal: AbortSignal,
  ): Promise<void> {
    const table = applicationTable(configuration, opening.environs, this.#options.log, this.#options.waiting);
    const { gracefulTimeoutMs } = configuration.settings;
    await this.#applications.prepare(table);
    let started: StartedSite | null = null;
    const oldHandle = this.#handle;
    try {
      started = await startSite(configuration, opening, {
        python: (name) => this.#applications.handleOf(name),
        callerApplications: this.#options.callerApplications ?? new Map(),
        memory: this.#memory,
        log: this.#options.log,
        onRefused: (refusal, request) => this.#rules.refused(refusal, request.peer, request),
        signal,
      });
      this.#metrics?.measure(started.site.proxies);
      await this.#probe(configuration, started.site, opening, signal);
      await unlessAborted(signal, agreement.reached('prepared'));
      await this.#tryOut(configuration, started.site, agreement, signal);
      this.#applications.commit(table.keys());
    } catch (error) {
      const isTried = this.#handle !== oldHandle;
      this.#handle = oldHandle;
      if (!signal.aborted) this.#applications.abandon(replacedError());
      if (isTried) this.#leave(started as StartedSite, gracefulTimeoutMs);
      else {
        started?.site.destroy();
        if (started !== null) await unlessAborted(signal, started.close());
      }
      throw error;
    }
    for (const warning of started.site.warnings) this.#options.log.warn(warning);
    const old = this.#site;
    this.#open.replace(started.composed, gracefulTimeoutMs);
    this.#site = started.site;
    this.#handle = started.site.handle;
    if (this.#state !== 'stopping') this.#state = 'serving';
    this.#applications.retire(new Set(table.keys()), gracefulTimeoutMs);
    old?.stop();
  }

  /** Lets the prepared releases answer the probes, through the whole of their site. */
  async #probe(
    configuration: Configuration,
    { handle }: BuiltSite,
    { addresses }: Opening,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#site === null && this.#options.probesAtStart === false) return;
    const { probe, probe_host, probe_scheme, probe_status = null, probe_timeout_ms } = reloadPolicy(configuration);
    const trials = [...this.#applications.trials.values()];
    const traceback = (): string => trials.map(({ trial }) => trial?.traceback ?? '').find((text) => text !== '') ?? '';
    const listener = addresses.findIndex((address) => address !== '');
    const options = { listener, paths: probe, host: probe_host, scheme: probe_scheme, status: probe_status, traceback };
    await probeRelease(handle, { ...options, timeoutMs: probe_timeout_ms }, signal);
  }

  /** Sends requests of clients to the prepared releases, and compares these with the old ones, which stay ready. */
  async #tryOut(
    configuration: Configuration,
    { handle }: BuiltSite,
    { seed, reached }: Agreement,
    signal: AbortSignal,
  ): Promise<void> {
    const { watch_ms: watchMs, share, ...policy } = reloadPolicy(configuration);
    const { log } = this.#options;
    if (watchMs === 0 || this.#site === null || this.#applications.trials.size === 0) {
      await unlessAborted(signal, reached('proved'));
      return;
    }
    const whom = share < 1 ? `of ${Number((100 * share).toFixed(1))} % of the clients` : 'of all clients';
    log.info(`The new release takes the requests ${whom}, and is watched for ${watchMs / 1000} s`);
    this.#applications.tryOut();
    this.#handle = canary(share, seed, this.#handle, handle);
    const { error_rate_max: errorRateMax, latency_ratio_max: latencyRatioMax, requests_min: requestsMin } = policy;
    const limits = { errorRateMax, latencyRatioMax, requestsMin };
    for (const line of await watchReleases(this.#applications.trials, { watchMs, limits }, signal)) log.info(line);
    await unlessAborted(signal, reached('proved'));
  }

  /** Closes a site that clients used, when their requests have finished. */
  #leave({ site, composed }: StartedSite, graceMs: number): void {
    site.stop();
    this.#open.leave(composed, graceMs);
  }

  /** In development the error of a broken application is the page, until a change fixes it. */
  #showBroken(error: unknown): void {
    const text = describeError(error);
    this.#options.log.error(text);
    if (this.#state !== 'stopping') this.#state = 'broken';
    const { project, modules } = this.#configuration;
    const name = project === null ? (modules[MAIN]?.module ?? MAIN) : applicationName(project.application);
    const exception = error instanceof BrokenImport ? error.exception() : null;
    this.#handle = (request) => {
      const { trace } = request.record;
      if (trace !== null) trace.thrown = exception;
      return raisedPage(this.#configuration.settings, `${name} cannot be imported`, text, request);
    };
  }
}
