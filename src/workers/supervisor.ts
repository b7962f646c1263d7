import type { Socket } from 'node:net';
import { ViaductError } from '../errors.ts';
import type { Response } from '../http/response.ts';
import { applicationName } from '../project/project.ts';
import type { Job } from './pending-request.ts';
import { Pool, type PoolOptions } from './pool.ts';
import { Release, type ReleaseEvents, type ReleaseOptions } from './release.ts';
import { type Outcome, ReleaseStart } from './release-start.ts';
import { Replacements } from './replacements.ts';
import type { Hello } from './runtime.ts';
import type { Worker } from './worker.ts';

export interface SupervisorLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface SupervisorOptions {
  readonly release: ReleaseOptions;
  readonly pool: Omit<PoolOptions, 'directory' | 'onError'>;
  readonly responseBufferBytesMax: number;
  /** A release that is not ready by then has failed. */
  readonly startTimeoutMs: number;
  readonly errorResponse: (traceback: string) => Response;
  readonly log: SupervisorLog;
}

type Event =
  | { readonly kind: 'begin'; readonly options: ReleaseOptions | null; readonly outcome: Outcome }
  | { readonly kind: 'loaded' | 'timed-out'; readonly release: Release }
  | { readonly kind: 'broken'; readonly release: number; readonly traceback: string; readonly reason: string }
  | { readonly kind: 'zygote-gone'; readonly release: Release; readonly status: string }
  | { readonly kind: 'ready' | 'gone'; readonly worker: Worker }
  | { readonly kind: 'replace' }
  | { readonly kind: 'stop'; readonly stopped: () => void };

/**
 * Keeps an application's workers alive. Everything that happens to them is put on one queue of events, and `#step` alone acts on
 * it: it owns which release serves (`#current`), which one is being started (`#start`) and which ones finish (`#retiring`).
 */
export class Supervisor {
  readonly pool: Pool;
  readonly #options: SupervisorOptions;
  /** What the next release is made of. */
  #release: ReleaseOptions;
  readonly #events: Event[] = [];
  readonly #replacements = new Replacements(() => this.#post({ kind: 'replace' }));
  readonly #retiring = new Set<Release>();
  #current: Release | null = null;
  #start: ReleaseStart | null = null;
  #stopped: (() => void) | null = null;
  #stepping = false;
  #destroyed = false;
  #releases = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#release = options.release;
    const { log, release } = options;
    const directory = release.runtimeDirectory;
    const onError = (message: string): void => log.error(message);
    this.pool = new Pool({ ...options.pool, directory, onError });
  }

  /**
   * Starts a release: the first, or one beside the old that takes over when all its workers are ready. When it fails, the old
   * one goes on serving. Other `options` than before hold for this and the following releases, unless it fails.
   *
   * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, `WORKER` when the processes do not come up.
   */
  begin(options: ReleaseOptions | null = null): Promise<void> {
    return new Promise((resolve, reject) => this.#post({ kind: 'begin', options, outcome: { resolve, reject } }));
  }

  /** Lets the running requests finish and ends all processes. */
  stop(): Promise<void> {
    return new Promise((resolve) => this.#post({ kind: 'stop', stopped: resolve }));
  }

  /** Ends all processes now. What happens to them afterwards is nobody's concern. */
  destroy(): void {
    this.#destroyed = true;
    for (const release of this.#releasesAlive()) release.destroy();
    this.#start?.fail(new ViaductError('WORKER', 'Cannot start the application: it was stopped meanwhile'));
    this.#replacements.cancel();
    this.pool.stop();
  }

  /** Takes a connection from one of the Python processes. */
  attach(hello: Hello, socket: Socket): void {
    const release = this.#releasesAlive().find((candidate) => candidate.number === hello.release);
    const worker = hello.kind === 'zygote' ? undefined : release?.workers.get(hello.worker);
    if (hello.kind === 'zygote' && release !== undefined) release.attachZygote(socket);
    else if (hello.kind === 'worker' && worker !== undefined) worker.attachControl(socket, hello.pid);
    else if (hello.kind === 'lane' && worker !== undefined) worker.attachLane(socket, hello.index);
    else socket.destroy();
  }

  /** Pids of the serving workers, for logs and tests. */
  get workerPids(): number[] {
    return [...(this.#current?.workers.values() ?? [])].map((worker) => worker.pid);
  }

  get #next(): Release | null {
    return this.#start?.release ?? null;
  }

  #post(event: Event): void {
    if (this.#destroyed) return;
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    this.#stepping = false;
  }

  #step(event: Event): void {
    const { log, startTimeoutMs } = this.#options;
    switch (event.kind) {
      case 'begin':
        this.#begin(event.options ?? this.#release, event.outcome);
        break;
      case 'loaded':
        for (let i = 0; i < event.release.options.workers; i += 1) event.release.fork();
        break;
      case 'ready':
        this.#ready(event.worker);
        break;
      case 'broken':
        if (event.release === this.#next?.number) this.#giveUp(this.#brokenError(event.traceback, event.reason));
        else log.error(`Cannot import the application: ${event.reason}\n${event.traceback}`.trimEnd());
        break;
      case 'timed-out':
        if (event.release === this.#next) this.#giveUp(new ViaductError('WORKER', timedOut(startTimeoutMs)));
        break;
      case 'gone':
        this.#workerGone(event.worker);
        break;
      case 'zygote-gone':
        this.#zygoteGone(event.release, event.status);
        break;
      case 'replace':
        this.#replace();
        break;
      case 'stop':
        this.#stop(event.stopped);
        break;
    }
  }

  #begin(options: ReleaseOptions, outcome: Outcome): void {
    if (this.#next !== null || this.#stopped !== null) {
      outcome.reject(new ViaductError('WORKER', 'Cannot start a release: another one is starting'));
      return;
    }
    this.#releases += 1;
    const release = new Release(this.#releases, options, this.#releaseEvents());
    const { startTimeoutMs } = this.#options;
    this.#start = new ReleaseStart(release, outcome, startTimeoutMs, () => this.#post({ kind: 'timed-out', release }));
    release.start();
  }

  #ready(worker: Worker): void {
    const next = this.#next;
    if (worker.release !== next?.number) {
      worker.admit();
      return;
    }
    const workers = [...next.workers.values()];
    if (workers.length < next.options.workers || workers.some(({ state }) => state !== 'ready')) return;
    const old = this.#current;
    this.#current = next;
    this.#release = next.options;
    next.state = 'serving';
    for (const fresh of workers) fresh.admit();
    if (old !== null) this.#retire(old);
    this.#finishStart((start) => start.succeed());
  }

  #workerGone(worker: Worker): void {
    const { log } = this.#options;
    if (worker.release === this.#next?.number) {
      this.#giveUp(new ViaductError('WORKER', 'Cannot start a worker: it died'));
      return;
    }
    if (worker.release !== this.#current?.number || this.#stopped !== null) return;
    const delayMs = this.#replacements.plan(worker.bornMs);
    log.error(
      `worker ${worker.number} (pid ${worker.pid}) died ${worker.death}; a new one follows${delayMs === 0 ? '' : ` in ${delayMs} ms`}`,
    );
  }

  #zygoteGone(release: Release, status: string): void {
    this.#retiring.delete(release);
    if (release === this.#next) {
      this.#giveUp(new ViaductError('WORKER', `Cannot start "${release.options.project.python.path}": ${status}`));
    } else if (release === this.#current) {
      this.#current = null;
      if (this.#stopped === null) {
        this.#options.log.error(`The zygote ended (${status}); the application is started anew`);
        this.#replacements.plan(release.bornMs);
      }
    }
    this.#stoppedWhenEmpty();
  }

  /** Brings the serving release back to its number of workers, or starts one when there is none. */
  #replace(): void {
    if (this.#stopped !== null) return;
    const current = this.#current;
    if (current !== null) {
      for (let count = current.workers.size; count < current.options.workers; count += 1) current.fork();
    } else if (this.#next === null) {
      const reject = (error: Error): void => {
        this.#options.log.error(error.message);
        this.#replacements.plan(performance.now());
      };
      this.#begin(this.#release, { resolve: () => {}, reject });
    }
  }

  /** The release that was starting has failed. */
  #giveUp(error: ViaductError): void {
    const failed = this.#next;
    if (failed === null) return;
    this.#finishStart((start) => start.fail(error));
    failed.state = failed.state === 'gone' ? 'gone' : 'retiring';
    failed.destroy();
  }

  #finishStart(tell: (start: ReleaseStart) => void): void {
    const start = this.#start;
    this.#start = null;
    if (start !== null) tell(start);
    this.#stoppedWhenEmpty();
  }

  #retire(release: Release): void {
    if (release.state === 'gone') return;
    this.#retiring.add(release);
    release.retire();
  }

  #stop(stopped: () => void): void {
    this.#stopped = stopped;
    this.#replacements.cancel();
    this.pool.stop();
    if (this.#next !== null) this.#giveUp(new ViaductError('WORKER', 'Cannot start a release: the server is stopping'));
    const current = this.#current;
    this.#current = null;
    if (current !== null) this.#retire(current);
    this.pool.refuseAll();
    this.#stoppedWhenEmpty();
  }

  #stoppedWhenEmpty(): void {
    if (this.#stopped !== null && this.#retiring.size === 0 && this.#current === null) this.#stopped();
  }

  #releasesAlive(): Release[] {
    return [this.#current, this.#next, ...this.#retiring].filter((release) => release !== null);
  }

  #brokenError(traceback: string, reason: string): ViaductError {
    const { project } = this.#next?.options ?? this.#release;
    const name = applicationName(project.application);
    const cause = traceback === '' ? {} : { cause: traceback };
    return new ViaductError('APPLICATION_BROKEN', `Cannot import "${name}": ${reason}`, cause);
  }

  #releaseEvents(): ReleaseEvents {
    const { log, errorResponse, responseBufferBytesMax } = this.#options;
    return {
      onLoaded: (release) => this.#post({ kind: 'loaded', release }),
      onBroken: ({ number }, traceback, reason) => this.#post({ kind: 'broken', release: number, traceback, reason }),
      onZygoteGone: (release, status) => this.#post({ kind: 'zygote-gone', release, status }),
      onWorkerBroken: (worker, reason) => log.error(`worker ${worker.number} (pid ${worker.pid}) is ended: ${reason}`),
      worker: {
        pool: this.pool,
        responseBufferBytesMax,
        errorResponse,
        onReady: (worker) => this.#post({ kind: 'ready', worker }),
        onGone: (worker) => this.#post({ kind: 'gone', worker }),
        onTraceback: ({ release }, traceback, reason) => this.#post({ kind: 'broken', release, traceback, reason }),
        onLog: (worker, text, job) => log.error(text, { worker: worker.pid, ...describe(job) }),
      },
    };
  }
}

function describe(job: Job | null): Record<string, unknown> {
  return job === null ? {} : { request: `${job.request.method} ${job.request.path}` };
}

function timedOut(ms: number): string {
  return `Cannot start the application: it was not ready after ${ms / 1000} s`;
}
