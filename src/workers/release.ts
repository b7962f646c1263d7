import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { ReleaseHooks } from './hooks.ts';
import { tickMs } from './life-watch.ts';
import type { FromPython, ImportFailure, ReleaseHook } from './messages.ts';
import type { ApplicationMetrics } from './metrics/application-metrics.ts';
import type { MetricFiles } from './metrics/metric-files.ts';
import { isRunning, killProcess } from './os-process.ts';
import type { Pool } from './pool.ts';
import { takesLock, unsafeWarning } from './preload.ts';
import type { ReleaseOptions } from './release-options.ts';
import { type Runtime, socketIn } from './runtime.ts';
import { Worker, type WorkerOptions } from './worker.ts';
import { drawLimits, type WorkerLimits } from './worker-limits.ts';
import { Zygote } from './zygote.ts';
import { zygoteCommand, zygoteOptions } from './zygote-program.ts';

export interface ReleaseEvents {
  /** The zygote is ready to fork. */
  readonly onLoaded: (release: Release) => void;
  readonly onBroken: (release: Release, failure: ImportFailure) => void;
  /** Something that the operator should know about the application. */
  readonly onWarning: (text: string) => void;
  readonly onHookFailed: (text: string) => void;
  readonly onZygoteGone: (release: Release, status: string) => void;
  readonly worker: Omit<WorkerOptions, 'onBroken' | 'threads' | 'limits' | 'directory'>;
  readonly metrics: ApplicationMetrics;
  readonly onWorkerBroken: (worker: Worker, reason: string) => void;
  /** The zygote violated the protocol or is silent, and is killed. */
  readonly onZygoteBroken: (reason: string) => void;
}

const NO_LIMITS: WorkerLimits = { maxRequests: 0, maxRequestsJitter: 0, maxLifetimeMs: 0, maxRssBytes: 0 };

let lastWorker = 0;

/** One loaded version of the application: its zygote and its workers. */
export class Release {
  readonly number: number;
  readonly workers = new Map<number, Worker>();
  readonly bornMs = performance.now();
  state: 'starting' | 'serving' | 'retiring' | 'gone' = 'starting';
  /** How many workers it should have now. */
  size: number;
  readonly options: ReleaseOptions;
  /** Whether the import locks a file, so that two processes cannot import the application at the same time. */
  takesLock = false;
  #pool: Pool;
  readonly #events: ReleaseEvents;
  readonly #runtime: Runtime;
  readonly #zygote: Zygote;
  readonly #hooks: ReleaseHooks;
  /** The metrics of the zygote. */
  #metricFiles: MetricFiles | null = null;
  #ticks: NodeJS.Timeout | null = null;
  /** The import of the application by the zygote. */
  #import: 'expected' | 'running' | 'over';

  /** @param size how many workers it should have */
  constructor(number: number, size: number, options: ReleaseOptions, runtime: Runtime, events: ReleaseEvents) {
    this.number = number;
    this.size = size;
    this.options = options;
    this.#import = options.preload === 'never' ? 'over' : 'expected';
    this.#pool = events.worker.pool;
    this.#runtime = runtime;
    this.#events = events;
    this.#hooks = new ReleaseHooks(options, events.onHookFailed);
    this.#zygote = new Zygote(options, {
      onLoaded: () => this.#loaded(),
      onUnsafe: (findings) => this.#unsafe(findings),
      onMessage: (message) => this.#message(message),
      onBroken: events.onZygoteBroken,
      onGone: (status) => this.#zygoteGone(status),
    });
  }

  /**
   * Starts the zygote. The events report the result.
   *
   * @throws ViaductError `USAGE` when there is no place for its socket
   */
  start(): void {
    const { project, wrap, workerTimeoutMs } = this.options;
    const command = zygoteCommand(project, wrap ?? null);
    this.#zygote.start(command, zygoteOptions(this.number, this.options, command, this.#runtime));
    this.#metricFiles = this.#expectMetrics(`release-${this.number}`, true, () => this.#zygote.pid);
    if (workerTimeoutMs > 0) this.#ticks = setInterval(() => this.#checkLife(), tickMs(workerTimeoutMs)).unref();
  }

  attachZygote(socket: Socket): void {
    if (this.#import === 'expected') this.#import = 'running';
    this.#zygote.attach(socket);
  }

  /** Whether the zygote is started, and what it does now is the import. */
  get isImporting(): boolean {
    return this.#import === 'running';
  }

  #loaded(): void {
    this.#import = 'over';
    this.#metricFiles?.open();
    this.#events.onLoaded(this);
  }

  #message(message: FromPython): void {
    if (message.kind === 'hooked' && this.#hooks.isRunning(message.hook)) this.#hooks.ended(message);
    else if (message.kind === 'broken') this.#events.onBroken(this, message);
    else if (message.kind === 'exited') this.#workerExited(message.worker, message.code);
    else if (message.kind === 'forked') {
      const worker = this.workers.get(message.worker);
      if (worker !== undefined) worker.pid = message.pid;
    } else if (message.kind === 'unforked') this.workers.get(message.worker)?.refused(message.reason);
    else this.#zygote.break(`it sent the message "${message.kind}" at the wrong time`);
  }

  /** If the zygote may, it now starts again without the import. */
  #unsafe(findings: readonly string[]): void {
    const { preload } = this.options;
    this.#import = 'over';
    this.takesLock = takesLock(findings);
    this.#events.onWarning(unsafeWarning(findings, preload));
    if (preload === 'always') return;
    if (this.#metricFiles !== null) this.#events.metrics.forget(this.#metricFiles);
    this.#zygote.detach();
  }

  #workerExited(number: number, code: number): void {
    const worker = this.workers.get(number);
    if (worker !== undefined && isRunning(worker.pid))
      this.#zygote.break(`it reported the end of worker ${number}, which runs`);
    else worker?.exited(code);
  }

  /** The workers that will still be there when all replacements are over, ready or not. */
  get staying(): Worker[] {
    return [...this.workers.values()].filter(({ state, successor }) => state !== 'retiring' && successor === null);
  }

  /** Forks the missing workers. */
  fill(): void {
    for (let missing = this.size - this.staying.length; missing > 0; missing -= 1) this.fork();
  }

  /** Forks one more worker. */
  fork(): Worker {
    lastWorker += 1;
    const { threads, limits = NO_LIMITS, startTimeoutMs } = this.options;
    const directory = this.#runtime.directory();
    const worker = new Worker(lastWorker, this.number, {
      ...this.#events.worker,
      pool: this.#pool,
      threads,
      limits: drawLimits(limits),
      directory,
      onReady: (ready) => {
        metricFiles?.open();
        this.#events.worker.onReady(ready);
      },
      onGone: (gone) => {
        clearTimeout(timer);
        this.workers.delete(gone.number);
        if (metricFiles !== null) this.#events.metrics.end(metricFiles);
        this.#events.worker.onGone(gone);
        if (this.state === 'retiring') this.#quitWhenEmpty();
      },
      onBroken: (broken, reason) => {
        if (reason !== '') this.#events.onWorkerBroken(broken, reason);
        this.kill(broken);
      },
    });
    const timer = setTimeout(() => {
      if (worker.state === 'starting') worker.break(`it was not ready after ${startTimeoutMs / 1000} s`);
    }, startTimeoutMs).unref();
    const metricFiles = this.#expectMetrics(`worker-${worker.number}`, false, () => worker.pid);
    this.workers.set(worker.number, worker);
    this.#zygote.send({ kind: 'fork', worker: worker.number, socket: socketIn(directory), runtime: directory });
    return worker;
  }

  /** `name` is the start of the names of a process's files. Null if the metrics of the application are not wanted. */
  #expectMetrics(name: string, isZygote: boolean, pid: () => number): MetricFiles | null {
    if (this.options.applicationMetrics !== true) return null;
    return this.#events.metrics.expect(this.#runtime.directory(), name, isZygote, pid);
  }

  /** It serves from now on, and its pool may use its workers if it `admits` them. */
  beginServing(admits: boolean): void {
    this.state = 'serving';
    if (admits) for (const worker of this.workers.values()) worker.admit();
    this.runHook('on_ready');
  }

  /** From now on its workers, also later ones, work for `pool`. */
  moveTo(pool: Pool): void {
    this.#pool = pool;
    for (const worker of this.workers.values()) worker.moveTo(pool);
  }

  /** Runs a hook in a process of its own, unless the application has no such hook. */
  runHook(hook: ReleaseHook): void {
    const message = this.#hooks.start(hook);
    if (message !== null) this.#zygote.send(message);
  }

  kill(worker: Worker): void {
    if (!this.#zygote.send({ kind: 'kill', worker: worker.number })) killProcess(worker.pid);
  }

  /** Lets running requests finish, and then threads within `graceMs`. Then the workers and the zygote end. */
  retire(graceMs: number): void {
    if (this.state === 'gone') return;
    this.state = 'retiring';
    for (const worker of this.workers.values()) {
      if (worker.state === 'starting') this.discard(worker);
      else worker.retire(graceMs);
    }
    this.#quitWhenEmpty();
  }

  /** Ends a worker that starts: it has no request, and its import may take long. */
  discard(worker: Worker): void {
    worker.retire(0);
    worker.brokenFor ??= 'it is not needed';
    worker.isUnwanted = true;
    this.kill(worker);
  }

  /** Ends all processes now. */
  destroy(): void {
    for (const worker of this.workers.values()) {
      killProcess(worker.pid);
      worker.destroy();
    }
    this.#zygote.end();
  }

  #checkLife(): void {
    this.#zygote.checkLife();
    for (const worker of this.workers.values()) worker.checkLife();
  }

  #quitWhenEmpty(): void {
    if (this.workers.size === 0) this.#zygote.quit();
  }

  /**
   * Without the zygote no process reaps the workers. They are killed, and count as dead once their lanes are read to
   * the end.
   */
  #zygoteGone(status: string): void {
    const retiring = this.state === 'retiring';
    this.state = 'gone';
    if (this.#ticks !== null) clearInterval(this.#ticks);
    for (const worker of [...this.workers.values()]) {
      killProcess(worker.pid);
      worker.exited(-constants.signals.SIGKILL);
    }
    if (this.#metricFiles !== null) this.#events.metrics.end(this.#metricFiles);
    this.#events.onZygoteGone(this, retiring ? '' : status);
  }
}
