import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { isPassing, RETRIES_MAX } from '../project/passing-signals.ts';
import { readMessages, sendMessage } from './channel.ts';
import type { EarlyErrors } from './early-errors.ts';
import { ReleaseHooks } from './hooks.ts';
import { LifeWatch, tickMs } from './life-watch.ts';
import type { FromPython, ImportFailure, ReleaseHook } from './messages.ts';
import type { ApplicationMetrics } from './metrics/application-metrics.ts';
import type { MetricFiles } from './metrics/metric-files.ts';
import { isInit, isRunning, killProcess } from './os-process.ts';
import type { Pool } from './pool.ts';
import { takesLock, unsafeWarning } from './preload.ts';
import type { ReleaseOptions } from './release-options.ts';
import { type Runtime, socketIn } from './runtime.ts';
import { Worker, type WorkerOptions } from './worker.ts';
import { drawLimits, type WorkerLimits } from './worker-limits.ts';
import { spawnZygote, zygoteCommand, zygoteOptions } from './zygote-program.ts';

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

/** After a process has ended without a connection, its message may still arrive for this long. */
const LATE_MESSAGE_MS = 100;
/** After a process has closed its connection, its end may be reported this much later. */
const LATE_EXIT_MS = 1000;
/** The last real-time signal asks a reaper to kill its zygote; see reaper.py. */
const END_ZYGOTE = 64;

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
  readonly #life = new LifeWatch();
  readonly #hooks: ReleaseHooks;
  /** The metrics of the zygote. */
  #metricFiles: MetricFiles | null = null;
  #process: ChildProcess | null = null;
  #control: Socket | null = null;
  /** What its interpreter has written so far, until it connects. */
  #early: EarlyErrors | null = null;
  /** A loaded zygote answers pings. */
  #loaded = false;
  #ticks: NodeJS.Timeout | null = null;
  #exitStatus: string | null = null;
  /** Whether the zygote was asked to end at once. */
  #isEnding = false;

  /** @param size how many workers it should have */
  constructor(number: number, size: number, options: ReleaseOptions, runtime: Runtime, events: ReleaseEvents) {
    this.number = number;
    this.size = size;
    this.options = options;
    this.#pool = events.worker.pool;
    this.#runtime = runtime;
    this.#events = events;
    this.#hooks = new ReleaseHooks(options, events.onHookFailed);
  }

  /**
   * Starts the zygote. The events report the result.
   *
   * @throws ViaductError `USAGE` when there is no place for its socket
   */
  start(): void {
    const { project, wrap, workerTimeoutMs } = this.options;
    const command = zygoteCommand(project, wrap ?? null);
    this.#launch(command, zygoteOptions(this.number, this.options, command, this.#runtime), 0);
    this.#metricFiles = this.#expectMetrics(`release-${this.number}`, true, () => this.#process?.pid ?? 0);
    if (workerTimeoutMs > 0) this.#ticks = setInterval(() => this.#checkLife(), tickMs(workerTimeoutMs)).unref();
  }

  /** Starts it again if a signal for the whole server ends it before the interpreter can take signals. */
  #launch(command: readonly string[], options: object, retries: number): void {
    const { project, wrap = null } = this.options;
    const waiting = this.options.waiting?.become(project, options) ?? null;
    const { child, early } =
      waiting === null ? spawnZygote(project, command, options, wrap) : { child: waiting, early: null };
    this.#process = child;
    this.#early = early;
    child.once('error', (error) => this.#exited(error.message));
    child.once('exit', (code, signal) => {
      const isTooEarly = this.#control === null && !this.#isEnding && isPassing(signal);
      if (!isTooEarly || retries === RETRIES_MAX) {
        this.#exited(signal ?? `exit code ${code}`);
        return;
      }
      try {
        this.#launch(command, options, retries + 1);
      } catch (error) {
        this.#exited((error as Error).message);
      }
    });
  }

  attachZygote(socket: Socket): void {
    if (this.#control !== null) {
      socket.destroy();
      return;
    }
    this.#control = socket;
    this.#early?.show();
    socket.once('close', () => {
      if (this.#control !== socket) return;
      if (this.#exitStatus !== null) this.#zygoteGone(this.#exitStatus);
      else setTimeout(() => this.#lostZygote(), LATE_EXIT_MS).unref();
    });
    readMessages(
      socket,
      (message) => this.#message(message),
      (reason) => this.#break(reason),
    );
    socket.resume();
  }

  #message(message: FromPython): void {
    if (message.kind === 'alive') this.#life.answered();
    else if (message.kind === 'loaded' && !this.#loaded) {
      this.#loaded = true;
      this.#metricFiles?.open();
      this.#events.onLoaded(this);
    } else if (message.kind === 'unsafe' && !this.#loaded) this.#unsafe(message.findings);
    else if (message.kind === 'hooked' && this.#hooks.isRunning(message.hook)) this.#hooks.ended(message);
    else if (message.kind === 'broken') this.#events.onBroken(this, message);
    else if (message.kind === 'exited') this.#workerExited(message.worker, message.code);
    else if (message.kind === 'forked') {
      const worker = this.workers.get(message.worker);
      if (worker !== undefined) worker.pid = message.pid;
    } else this.#break(`it sent the message "${message.kind}" at the wrong time`);
  }

  /** If the zygote may, it now starts again without the import, as a new program that connects by itself. */
  #unsafe(findings: readonly string[]): void {
    const { preload } = this.options;
    this.takesLock = takesLock(findings);
    this.#events.onWarning(unsafeWarning(findings, preload));
    if (preload === 'always') return;
    if (this.#metricFiles !== null) this.#events.metrics.forget(this.#metricFiles);
    const old = this.#control;
    this.#control = null;
    old?.destroy();
  }

  #workerExited(number: number, code: number): void {
    const worker = this.workers.get(number);
    if (worker !== undefined && isRunning(worker.pid))
      this.#break(`it reported the end of worker ${number}, which runs`);
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
    this.#send({ kind: 'fork', worker: worker.number, socket: socketIn(directory), runtime: directory });
    return worker;
  }

  /** `name` is the start of the names of a process's files. Null if the metrics of the application are not wanted. */
  #expectMetrics(name: string, isZygote: boolean, pid: () => number): MetricFiles | null {
    if (this.options.applicationMetrics !== true) return null;
    return this.#events.metrics.expect(this.#runtime.directory(), name, isZygote, pid);
  }

  /** From now on its workers, also later ones, work for `pool`. */
  moveTo(pool: Pool): void {
    this.#pool = pool;
    for (const worker of this.workers.values()) worker.moveTo(pool);
  }

  /** Runs a hook in a process of its own, unless the application has no such hook. */
  runHook(hook: ReleaseHook): void {
    const message = this.#hooks.start(hook);
    if (message !== null) this.#send(message);
  }

  kill(worker: Worker): void {
    if (this.#control?.writable) this.#send({ kind: 'kill', worker: worker.number });
    else killProcess(worker.pid);
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
    this.#endZygote();
  }

  #send(message: Parameters<typeof sendMessage>[1]): void {
    if (this.#control !== null) sendMessage(this.#control, message);
  }

  #checkLife(): void {
    if (this.#loaded && this.#control !== null) {
      if (!this.#life.isWaiting) this.#send({ kind: 'ping' });
      if (this.#life.tick()) this.#break('it does not respond');
    }
    for (const worker of this.workers.values()) worker.checkLife();
  }

  #break(reason: string): void {
    if (this.#exitStatus !== null || this.state === 'gone') return;
    this.#events.onZygoteBroken(reason);
    this.#endZygote();
  }

  /** The zygote closed its connection. A process that adopts orphans may still wait for some of them. */
  #lostZygote(): void {
    if (this.#exitStatus !== null) return;
    if (isInit()) this.#zygoteGone('its process ended');
    else this.#break('it closed its connection');
  }

  #quitWhenEmpty(): void {
    if (this.workers.size > 0) return;
    if (this.#control === null) this.#endZygote();
    else this.#send({ kind: 'quit' });
  }

  /** A reaper stays alive until it has collected everything below it: what outlives it would become a zombie for ever. */
  #endZygote(): void {
    this.#isEnding = true;
    const child = this.#process;
    if (child?.pid === undefined || this.#exitStatus !== null) return;
    if (!isInit()) child.kill('SIGKILL');
    else for (const signal of [END_ZYGOTE, 'SIGCONT'] as const) killProcess(child.pid, signal);
  }

  /** Handles the end of the zygote's process. Messages that it sent before may still arrive. */
  #exited(status: string): void {
    this.#exitStatus = status;
    if (this.#control === null) setTimeout(() => this.#control === null && this.#zygoteGone(status), LATE_MESSAGE_MS);
    else if (this.#control.destroyed) this.#zygoteGone(status);
    else setTimeout(() => this.#zygoteGone(status), LATE_EXIT_MS).unref(); // a process that it forked holds the connection
  }

  /**
   * Without the zygote no process reaps the workers. They are killed, and count as dead once their lanes are read to
   * the end.
   */
  #zygoteGone(status: string): void {
    if (this.state === 'gone') return;
    const retiring = this.state === 'retiring';
    this.state = 'gone';
    if (this.#ticks !== null) clearInterval(this.#ticks);
    this.#control?.destroy();
    this.#control = null;
    this.#endZygote();
    for (const worker of [...this.workers.values()]) {
      killProcess(worker.pid);
      worker.exited(-constants.signals.SIGKILL);
    }
    if (this.#metricFiles !== null) this.#events.metrics.end(this.#metricFiles);
    this.#events.onZygoteGone(this, retiring ? '' : status);
  }
}
