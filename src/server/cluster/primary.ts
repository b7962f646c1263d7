import cluster, { type Worker } from 'node:cluster';
import { ViaductError } from '../../errors.ts';
import { PRIMARY_UMASK } from '../../listen/unix-socket.ts';
import type { Log } from '../../log/log.ts';
import type { LogFilter } from '../../log/log-tap.ts';
import type { Family } from '../../metrics/family.ts';
import type { Identity } from '../../os/process-user.ts';
import { programFile } from '../../program-files.ts';
import { type BackendChange, mergeBackends, type RouteBackends } from '../../proxy/backend-control.ts';
import type { Scaled } from '../../site/applications.ts';
import type { Configuration } from '../../site/configuration.ts';
import { outputFor } from '../../workers/output.ts';
import { RestartPolicy } from '../../workers/restart-policy.ts';
import { type LiveRequest, oldestFirst } from '../live-requests.ts';
import type { RunningServer } from '../running-server.ts';
import type { ServerStatus, WorkerStacks } from '../status.ts';
import { askAll, askStatus, askToScale } from './ask-processes.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import { ClusterTraces } from './cluster-traces.ts';
import { forwardOutput } from './forward-output.ts';
import { inheritedLost, withCause } from './lost.ts';
import { processConfiguration, workerShare } from './process-configuration.ts';
import { type ReloadSlot, reloadTogether } from './reload-together.ts';
import { ServerProcess } from './server-process.ts';
import { answerOfCluster } from './shown-cluster.ts';

export interface PrimaryOptions {
  /** Validated. `systemd:` addresses in `listen` are already replaced by descriptors. */
  readonly configuration: Configuration;
  readonly identity: Identity | null;
  readonly log: Log;
  readonly logFormat: 'text' | 'json';
  /** Whether standard error leads to systemd's journal. */
  readonly isJournal: boolean;
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

const PROCESS_PROGRAM = programFile('server/cluster/process-main.js');

/** Server processes report once a second that they are alive. */
const LIFE_SIGN_MS_MAX = 5000;

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
  #draining = false;
  /** Changes to backends by command. A server process that starts later gets them too. */
  readonly #changes = new Map<string, BackendChange>();
  /** Numbers of workers by command, for such a process, too. A reload returns to the configuration. */
  readonly #scaled = new Map<string, number>();
  readonly #metrics = new ClusterMetrics();
  #lose: (error: ViaductError) => void = () => {};
  #stuck = false;
  /** Those who follow the logs, by their ids. A server process that starts later sends its lines, too. */
  readonly #followers = new Map<number, { filter: LogFilter; onLine: (line: string) => void }>();
  #lastFollower = 0;
  /** As the primary was started. */
  #umask = 0;

  constructor(options: PrimaryOptions) {
    this.#options = options;
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
    const now = performance.now();
    const stuck = this.#serverProcesses.filter(
      ({ state, lifeSignMs }) => state !== 'gone' && now - lifeSignMs > LIFE_SIGN_MS_MAX,
    );
    if (stuck.length > 0 && !this.#stuck) {
      this.#options.log.error('Server processes do not respond', { pids: stuck.map(({ pid }) => pid).join(' ') });
    }
    this.#stuck = stuck.length > 0;
    return !this.#stuck;
  }

  async start(): Promise<void> {
    this.#umask = process.umask(PRIMARY_UMASK);
    // The kernel distributes connections. So no process waits for the primary, and no connection waits for a process that is gone.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    const stdio = ['ignore', outputFor(1), outputFor(2), 'ipc'] as const;
    cluster.setupPrimary({ exec: PROCESS_PROGRAM, args: [], stdio: [...stdio], serialization: 'advanced' });
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
      this.#scaled.clear();
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
    this.#changes.set(name, { ...this.#changes.get(name), ...change });
    return true;
  }

  async drain(draining: boolean): Promise<void> {
    this.#draining = draining;
    await askAll(this.#serverProcesses, { about: 'drain', draining });
  }

  async scale(application: string, workers: number): Promise<Scaled> {
    if (this.#reloading) return 'changing';
    const processes = this.#slots.map(({ serverProcess }) => serverProcess);
    const scaled = await askToScale(processes, application, workers);
    if (typeof scaled === 'number') this.#scaled.set(application, workers);
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
    this.#lastFollower += 1;
    const id = this.#lastFollower;
    this.#followers.set(id, { filter, onLine });
    for (const serverProcess of this.#serverProcesses) serverProcess.send({ kind: 'follow', id, filter });
    return () => {
      this.#followers.delete(id);
      for (const serverProcess of this.#serverProcesses) serverProcess.send({ kind: 'unfollow', id });
    };
  }

  #followed(id: number, lines: string): void {
    const follower = this.#followers.get(id);
    for (const line of lines.split('\n')) if (line !== '') follower?.onLine(line);
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

  /** Starts a server process with the umask that the primary was started with, because the application inherits it. */
  #fork(): Worker {
    process.umask(this.#umask);
    try {
      return cluster.fork();
    } finally {
      process.umask(PRIMARY_UMASK);
    }
  }

  /** Starts a process in `slot`. Resolves when it serves. */
  #launch(slot: Slot): Promise<void> {
    const { identity, logFormat, isJournal } = this.#options;
    const worker = this.#fork();
    forwardOutput(worker.process.stdout, process.stdout);
    forwardOutput(worker.process.stderr, process.stderr);
    const configuration = processConfiguration(this.#configuration, slot.index);
    const isReplacement = this.#state !== 'starting';
    const start = { configuration, identity, logFormat, isJournal, isReplacement };
    const serverProcess = new ServerProcess(worker, start, () => {
      this.#options.log.error(
        `server process ${slot.index + 1} (pid ${serverProcess.pid}) is killed: it does not respond`,
      );
      serverProcess.kill();
    });
    serverProcess.onFollowed = (id, lines) => this.#followed(id, lines);
    // In production a server process learns nothing of the others.
    if (configuration.settings.dev) serverProcess.onShow = (question) => answerOfCluster(this, question);
    slot.serverProcess = serverProcess;
    slot.configuration = this.#configuration;
    void serverProcess.exited.then((how) => this.#ended(slot, serverProcess, how));
    return serverProcess.started.then(() => {
      for (const [name, change] of this.#changes) void serverProcess.ask({ about: 'backend', name, change });
      for (const [application, count] of this.#scaled) {
        const workers = workerShare(count, this.#slots.length, slot.index);
        void serverProcess.ask({ about: 'scale', application, workers });
      }
      for (const [id, { filter }] of this.#followers) serverProcess.send({ kind: 'follow', id, filter });
      if (this.#draining) void serverProcess.ask({ about: 'drain', draining: true });
    });
  }

  #ended(slot: Slot, serverProcess: ServerProcess, how: string): void {
    this.#metrics.ended(serverProcess);
    if (this.#state !== 'serving') return;
    slot.serverProcess = null;
    if (serverProcess.failure !== null) this.#options.log.error(withCause(serverProcess.failure));
    const ended = `server process ${slot.index + 1} (pid ${serverProcess.pid}) ended ${how}`;
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
