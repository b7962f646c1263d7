import { ViaductError } from '../../errors.ts';
import type { LogFilter } from '../../log/log-tap.ts';
import type { Family } from '../../metrics/family.ts';
import { type BackendChange, mergeBackends, type RouteBackends } from '../../proxy/backend-control.ts';
import type { Scaled } from '../../site/applications.ts';
import type { Configuration } from '../../site/configuration.ts';
import { RestartPolicy } from '../../workers/restart-policy.ts';
import { type LiveRequest, oldestFirst } from '../live-requests.ts';
import type { RunningServer } from '../running-server.ts';
import type { ServerStatus, WorkerStacks } from '../status.ts';
import { askAll, askStatus, askToScale } from './ask-processes.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import { ClusterTraces } from './cluster-traces.ts';
import { LifeSigns } from './life-signs.ts';
import { LogFollowers } from './log-followers.ts';
import { inheritedLost, withCause } from './lost.ts';
import { OperatorChanges } from './operator-changes.ts';
import { type LauncherOptions, ProcessLauncher } from './process-launcher.ts';
import { type ReloadSlot, reloadTogether } from './reload-together.ts';
import type { ServerProcess } from './server-process.ts';
import { answerOfCluster } from './shown-cluster.ts';

export interface PrimaryOptions extends LauncherOptions {
  /** Validated. `systemd:` addresses in `listen` are already replaced by descriptors. */
  readonly configuration: Configuration;
  /** All server processes have this configuration now. */
  readonly onReloaded?: (configuration: Configuration) => void;
}

export interface RunningCluster extends RunningServer {
  readonly pids: readonly number[];
  /** Resolves when the server processes cannot be restarted. The caller then ends the server. */
  readonly lost: Promise<ViaductError>;
  /** The last entries of the logs of all server processes, at most `count` of each: lines of JSON. */
  recentLog(filter: LogFilter, count: number): Promise<readonly (readonly string[])[]>;
  /** Calls `onLine` with the lines of the logs of all server processes from now on. Returns a function that ends this. */
  followLogs(filter: LogFilter, onLine: (line: string) => void): () => void;
  /** Whether the event loop of every server process still turns. */
  isAlive(): boolean;
}

/**
 * Starts as many server processes as `processes` says and restarts those that end. The first one must serve before the others start, so that a
 * wrong configuration is reported once. Nothing is left running when the start fails.
 *
 * @throws ViaductError as `startServer` does.
 */
export async function startCluster(options: PrimaryOptions): Promise<RunningCluster> {
  const primary = new Primary(options);
  try {
    await primary.start();
  } catch (error) {
    primary.kill();
    throw error;
  }
  return primary;
}

/** A server process that has not stopped this long after its grace period is killed. */
const STUCK_MS = 5000;

/** Holds one server process. When the process ends, another one takes the slot. */
interface Slot extends ReloadSlot {
  readonly policy: RestartPolicy;
  serverProcess: ServerProcess | null;
  timer: NodeJS.Timeout | null;
}

/**
 * The primary owns the server processes and the listening sockets that they share. It sees no request. Each server process has its own
 * connections, queue and workers, so a process that dies loses only these.
 */
class Primary implements RunningCluster {
  readonly lost: Promise<ViaductError>;
  readonly traces = new ClusterTraces(() => this.#serverProcesses);
  readonly #options: PrimaryOptions;
  #configuration: Configuration;
  readonly #slots: readonly Slot[];
  #state: 'starting' | 'serving' | 'stopping' = 'starting';
  #reloading = false;
  readonly #changes = new OperatorChanges();
  readonly #metrics = new ClusterMetrics();
  #lose: (error: ViaductError) => void = () => {};
  readonly #lifeSigns: LifeSigns;
  readonly #followers = new LogFollowers(() => this.#serverProcesses);
  readonly #launcher: ProcessLauncher;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#launcher = new ProcessLauncher(options);
    this.#lifeSigns = new LifeSigns(options.log);
    this.#configuration = options.configuration;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#slots = Array.from({ length: options.configuration.settings.processes }, (_, index) => ({
      index,
      policy: new RestartPolicy(),
      serverProcess: null,
      configuration: options.configuration,
      timer: null,
    }));
  }

  get urls(): readonly string[] {
    return this.#serverProcesses[0]?.urls ?? [];
  }

  get pids(): readonly number[] {
    return this.#serverProcesses.map(({ pid }) => pid);
  }

  /** As the server processes last reported, up to a second ago. */
  get connections(): number {
    return this.#serverProcesses.reduce((sum, { connections }) => sum + connections, 0);
  }

  isAlive(): boolean {
    return this.#lifeSigns.check(this.#serverProcesses, performance.now());
  }

  async start(): Promise<void> {
    this.#launcher.prepare();
    const [first, ...others] = this.#slots as [Slot, ...Slot[]];
    await this.#launch(first);
    await Promise.all(others.map((slot) => this.#launch(slot)));
    if (this.#serverProcesses.some(({ state }) => state === 'gone')) {
      throw new ViaductError('WORKER', 'Cannot start the server processes: one ended at once');
    }
    this.#state = 'serving';
  }

  async reload(configuration: Configuration): Promise<void> {
    if (this.#reloading) throw new ViaductError('WORKER', 'Cannot start a release: another one is starting');
    this.#reloading = true;
    const fresh = { ...configuration };
    try {
      await reloadTogether(this.#slots, fresh);
      this.#configuration = fresh;
      this.#changes.reloaded();
      // A process that has started in the place of another one meanwhile has the old configuration.
      for (let slot = this.#stale(fresh); slot !== undefined; slot = this.#stale(fresh))
        await reloadTogether([slot], fresh);
      this.#options.onReloaded?.(fresh);
    } finally {
      this.#reloading = false;
    }
  }

  /** The server processes have the access log, and write its lines when they open its file again. */
  flushLogs(): void {}

  cancelReload(): void {
    if (this.#reloading)
      for (const serverProcess of this.#serverProcesses) serverProcess.send({ kind: 'cancel-reload' });
  }

  async backends(): Promise<readonly RouteBackends[]> {
    return mergeBackends(await askAll(this.#serverProcesses, { about: 'backends' }));
  }

  async changeBackend(name: string, change: BackendChange): Promise<boolean> {
    const answers = await askAll(this.#serverProcesses, { about: 'backend', name, change });
    if (!answers.includes(true)) return false;
    this.#changes.changeBackend(name, change);
    return true;
  }

  async drain(draining: boolean): Promise<void> {
    this.#changes.drain(draining);
    await askAll(this.#serverProcesses, { about: 'drain', draining });
  }

  async scale(application: string, workers: number): Promise<Scaled> {
    if (this.#reloading) return 'changing';
    const processes = this.#slots.map(({ serverProcess }) => serverProcess);
    const scaled = await askToScale(processes, application, workers);
    if (typeof scaled === 'number') this.#changes.scale(application, workers);
    return scaled;
  }

  status(): Promise<ServerStatus> {
    return askStatus(this.#serverProcesses, this.urls);
  }

  metrics(): Promise<readonly Family[] | null> {
    return this.#metrics.families(this.#slots.map(({ serverProcess }) => serverProcess));
  }

  async requests(): Promise<readonly LiveRequest[]> {
    return oldestFirst((await askAll(this.#serverProcesses, { about: 'requests' })).flat());
  }

  async stacks(worker: number | null): Promise<readonly WorkerStacks[]> {
    return (await askAll(this.#serverProcesses, { about: 'stacks', worker })).flat();
  }

  recentLog(filter: LogFilter, count: number): Promise<readonly (readonly string[])[]> {
    return askAll(this.#serverProcesses, { about: 'log', filter, count });
  }

  followLogs(filter: LogFilter, onLine: (line: string) => void): () => void {
    return this.#followers.follow(filter, onLine);
  }

  async stop(): Promise<void> {
    this.#state = 'stopping';
    for (const slot of this.#slots) {
      if (slot.timer !== null) clearTimeout(slot.timer);
      if (slot.serverProcess?.state === 'ready') slot.serverProcess.send({ kind: 'stop' });
      else slot.serverProcess?.kill();
    }
    const { drainDelayMs, gracefulTimeoutMs } = this.#configuration.settings;
    const timer = setTimeout(() => this.kill(), drainDelayMs + gracefulTimeoutMs + STUCK_MS);
    await Promise.all(this.#serverProcesses.map(({ exited }) => exited));
    clearTimeout(timer);
  }

  kill(): void {
    this.#state = 'stopping';
    for (const { serverProcess, timer } of this.#slots) {
      if (timer !== null) clearTimeout(timer);
      serverProcess?.kill();
    }
  }

  get #serverProcesses(): ServerProcess[] {
    return this.#slots.map(({ serverProcess }) => serverProcess).filter((serverProcess) => serverProcess !== null);
  }

  /** Starts a process in `slot`. Resolves when it serves. */
  #launch(slot: Slot): Promise<void> {
    const isReplacement = this.#state !== 'starting';
    const serverProcess = this.#launcher.launch(this.#configuration, slot.index, isReplacement);
    serverProcess.onFollowed = (id, lines) => this.#followers.received(id, lines);
    // In production a server process learns nothing of the others.
    if (this.#configuration.settings.dev) serverProcess.onShow = (question) => answerOfCluster(this, question);
    slot.serverProcess = serverProcess;
    slot.configuration = this.#configuration;
    void serverProcess.exited.then((how) => this.#ended(slot, serverProcess, how));
    return serverProcess.started.then(() => {
      this.#changes.repeatIn(serverProcess, this.#slots.length, slot.index);
      this.#followers.join(serverProcess);
    });
  }

  #ended(slot: Slot, serverProcess: ServerProcess, how: string): void {
    this.#metrics.ended(serverProcess);
    if (this.#state !== 'serving') return;
    slot.serverProcess = null;
    if (serverProcess.failure !== null) this.#options.log.error(withCause(serverProcess.failure));
    const { pid } = serverProcess;
    const ended = `server process ${slot.index + 1}${pid === 0 ? '' : ` (pid ${pid})`} ended ${how}`;
    // The inherited sockets are gone with the last process that had them. The service manager still holds them and can pass them again.
    if (this.#hasInherited() && this.#serverProcesses.every(({ state }) => state !== 'ready')) {
      this.#options.log.error(ended);
      this.#lose(inheritedLost());
      return;
    }
    const delayMs = slot.policy.delayAfter(performance.now() - serverProcess.bornMs);
    this.#options.log.error(`${ended}; a new one follows${delayMs === 0 ? '' : ` in ${delayMs} ms`}`);
    this.#launchLater(slot, delayMs);
  }

  #hasInherited(): boolean {
    return this.#configuration.settings.listen.some((address) => address.startsWith('fd:'));
  }

  /** While no process serves, processes start one at a time: the first one binds the addresses, which the others must not find half bound. */
  #launchLater(slot: Slot, delayMs: number): void {
    slot.timer = setTimeout(() => {
      slot.timer = null;
      if (this.#state !== 'serving') return;
      const serverProcesses = this.#serverProcesses;
      const starting = serverProcesses.find(({ state }) => state === 'starting');
      if (starting === undefined || serverProcesses.some(({ state }) => state === 'ready'))
        this.#launch(slot).catch(() => {});
      else starting.started.finally(() => this.#launchLater(slot, 0)).catch(() => {});
    }, delayMs);
  }

  /** The first slot with another configuration. It may be a process that has started in the place of another one during the reload. */
  #stale(configuration: Configuration): Slot | undefined {
    return this.#slots.find((slot) => slot.serverProcess !== null && slot.configuration !== configuration);
  }
}
