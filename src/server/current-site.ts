import { plainError } from '../handlers/pages/error-page.ts';
import type { HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { toPromise } from '../http/to-promise.ts';
import { describeError } from '../log/describe-error.ts';
import { applicationName } from '../project/project.ts';
import type { BackendChange } from '../proxy/backend-control.ts';
import { changeBackend } from '../proxy/backend-control.ts';
import { applicationTable } from '../site/application-options.ts';
import type { Applications } from '../site/applications.ts';
import type { BuiltSite } from '../site/build.ts';
import { emptyMemory, type Reports } from '../site/compose-site.ts';
import { type Configuration, MAIN } from '../site/configuration.ts';
import type { Opening } from '../site/listeners.ts';
import { raisedPage } from '../site/raised-page.ts';
import { reloadPolicy } from '../site/reload-policy.ts';
import { unlessAborted } from '../site/unless-aborted.ts';
import { BrokenImport } from '../trace/broken-import.ts';
import { replacedError } from '../workers/application-server.ts';
import type { Agreement } from './agreement.ts';
import { canary } from './canary.ts';
import { OpenApplications } from './open-applications.ts';
import { probeRelease } from './probe-release.ts';
import { watchReleases } from './release-watch.ts';
import type { ServerOptions } from './running-server.ts';
import { type StartedSite, startSite } from './start-site.ts';

export interface CurrentSiteEvents extends Pick<Reports, 'onRefused'> {
  /** A site is about to get its first requests. */
  readonly onStarted: (site: BuiltSite) => void;
  /** All requests go to the site that has started last. */
  readonly onServing: () => void;
}

/**
 * The site that answers requests, with the switch to the next one: its parts start beside the current one, answer
 * probes, may be tried out with clients, and take its place. Until then, each step can be undone.
 */
export class CurrentSite {
  readonly #options: ServerOptions;
  readonly #applications: Applications;
  readonly #events: CurrentSiteEvents;
  readonly #open: OpenApplications;
  /** What is known about backends outlives a configuration. */
  readonly #memory = emptyMemory();
  #site: BuiltSite | null = null;
  #handle: Next = () => plainError();

  constructor(options: ServerOptions, applications: Applications, events: CurrentSiteEvents) {
    this.#options = options;
    this.#applications = applications;
    this.#events = events;
    this.#open = new OpenApplications(options.log, options.callerApplications ?? new Map());
  }

  /** Answers with the site that is current at that moment; with 500 before the first one. */
  handle(request: Request): HandlerResult {
    return this.#handle(request);
  }

  /** Lets requests wait until the returned function is called. Then they go to the site that is current. */
  hold(): () => void {
    let end: (outcome: null) => void = () => {};
    const held = new Promise<null>((resolve) => {
      end = resolve;
    });
    const before = this.#handle;
    const wait: Next = (request) => held.then(() => toPromise(this.#handle(request)));
    this.#handle = wait;
    return () => {
      if (this.#handle === wait) this.#handle = before; // no switch has succeeded meanwhile
      end(null);
    };
  }

  /** Answers all requests with the traceback of an application that cannot be imported, until the next switch. */
  showBroken({ project, modules, settings }: Configuration, error: unknown): void {
    const name = project === null ? (modules[MAIN]?.module ?? MAIN) : applicationName(project.application);
    const exception = error instanceof BrokenImport ? error.exception() : null;
    const text = describeError(error);
    this.#handle = (request) => {
      const { trace } = request.record;
      if (trace !== null) trace.thrown = exception;
      return raisedPage(settings, `${name} cannot be imported`, text, request);
    };
  }

  /** The reverse proxies of its routes. */
  get proxies(): BuiltSite['proxies'] {
    return this.#site?.proxies ?? new Map();
  }

  /** Changes the backends of this name, also for later sites. Returns whether there are any. */
  changeBackend(name: string, change: BackendChange): boolean {
    return changeBackend(this.proxies, this.#memory.overrides, name, change);
  }

  /**
   * Starts everything in `configuration` beside the running applications, then sends all requests there. Nothing of what
   * serves changes before everything has started. It rejects as soon as `signal` is aborted, even if an import never ends.
   */
  async switchTo(
    configuration: Configuration,
    opening: Opening,
    agreement: Agreement,
    signal: AbortSignal,
  ): Promise<void> {
    const table = applicationTable(configuration, opening.environs, this.#options.log, this.#options.waiting);
    const { gracefulTimeoutMs } = configuration.settings;
    await unlessAborted(signal, this.#applications.prepare(table));
    let started: StartedSite | null = null;
    const oldHandle = this.#handle;
    try {
      started = await startSite(configuration, opening, {
        python: (name) => this.#applications.handleOf(name),
        callerApplications: this.#options.callerApplications ?? new Map(),
        memory: this.#memory,
        log: this.#options.log,
        onRefused: this.#events.onRefused,
        signal,
      });
      this.#events.onStarted(started.site);
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
    this.#events.onServing();
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

  /** Closes what it keeps open, once its requests have ended. */
  async stop(): Promise<void> {
    this.#site?.stop();
    await this.#open.close();
  }

  /** Closes everything at once. */
  destroy(): void {
    this.#site?.destroy();
    void this.#open.close();
  }
}
