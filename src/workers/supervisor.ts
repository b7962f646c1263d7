import type { Socket } from 'node:net';
import { ViaductError } from '../errors.ts';
import { applicationName } from '../project/project.ts';
import { overloadLog } from './overload-log.ts';
import { Pool } from './pool.ts';
import { Release, type ReleaseEvents, type ReleaseOptions } from './release.ts';
import { releaseEvents } from './release-events.ts';
import { ReleaseStart, type StartOutcome } from './release-start.ts';
import { Replacements } from './replacements.ts';
import type { Hello, Runtime } from './runtime.ts';
import type { SupervisorEvent } from './supervisor-event.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import type { Worker } from './worker.ts';

/**
 * Keeps an application's workers alive. All events go into one queue, and only `#step` acts on them. The supervisor
 * owns the serving release (`#current`), the starting one (`#start`) and the retiring ones (`#retiring`).
 */
export class Supervisor {
  readonly pool: Pool;
  readonly #options: SupervisorOptions;
  readonly #runtime: Runtime;
  /** Options of the next release. */
  #release: ReleaseOptions;
  readonly #events: SupervisorEvent[] = [];
  readonly #releaseEvents: ReleaseEvents;
  readonly #replacements = new Replacements(() => this.#post({ kind: 'replace' }));
  readonly #retiring = new Set<Release>();
  /** Releases without a zygote. What their dead workers wrote is still being read. */
  #ending: Release[] = [];
  #current: Release | null = null;
  #start: ReleaseStart | null = null;
  #stopped: (() => void) | null = null;
  #stepping = false;
  #destroyed = false;
  #releases = 0;
  /** Whether a release has served. From then on, one that fails is followed by another. */
  #served = false;

  constructor(options: SupervisorOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#release = options.release;
    const onError = (message: string): void => options.log.error(message);
    const directory = runtime.spoolDirectory;
    this.pool = new Pool({ ...options.pool, directory, onError, ...overloadLog(options.log) });
    this.#releaseEvents = releaseEvents(options, this.pool, (event) => this.#post(event));
  }

  /**
   * Starts a release beside the current one. Resolves when all its workers are ready. With `commits` it then serves;
   * otherwise `commit` or `abandon` must follow. When the start fails, the current release continues to serve. New
   * `options` apply to this and later releases, unless the start fails.
   *
   * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, `WORKER` when the processes do not start.
   */
  startRelease(options: ReleaseOptions | null = null, commits = true): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#post({ kind: 'start', options, commits, outcome: { resolve, reject } }),
    );
  }

  /** Whether a release waits for `commit`. A worker of it may have died meanwhile; then none waits. */
  get isPrepared(): boolean {
    return this.#start?.isReady === true;
  }

  /** Lets the prepared release serve, and retires the current one. */
  commit(): void {
    this.#post({ kind: 'commit' });
  }

  /** Ends the release that starts or is prepared, if there is one. Its start fails with `error`. */
  abandon(error: ViaductError): void {
    this.#post({ kind: 'abandon', error });
  }

  /** Lets running requests finish and ends all processes. */
  stop(): Promise<void> {
    return new Promise((resolve) => this.#post({ kind: 'stop', stopped: resolve }));
  }

  /** Ends all processes now. Later events are ignored. */
  destroy(): void {
    this.#destroyed = true;
    for (const release of [...this.#releasesAlive(), ...this.#ending]) release.destroy();
    this.#start?.fail(new ViaductError('WORKER', 'Cannot start the application: the server was stopped'));
    this.#replacements.cancel();
    this.pool.stop();
  }

  /** Accepts a connection from one of the Python processes. After `destroy` they are about to end, and it is closed. */
  attach(hello: Hello, socket: Socket): void {
    const release = this.#destroyed
      ? undefined
      : this.#releasesAlive().find((candidate) => candidate.number === hello.release);
    const worker = hello.kind === 'zygote' ? undefined : release?.workers.get(hello.worker);
    if (hello.kind === 'zygote' && release !== undefined) release.attachZygote(socket);
    else if (hello.kind === 'worker' && worker !== undefined) worker.attachControl(socket, hello.pid);
    else if (hello.kind === 'lane' && worker !== undefined) worker.attachLane(socket, hello.index);
    else socket.destroy();
  }

  /** Process ids of the serving workers, for logs and tests. */
  get workerPids(): number[] {
    return [...(this.#current?.workers.values() ?? [])].map((worker) => worker.pid);
  }

  get #next(): Release | null {
    return this.#start?.release ?? null;
  }

  #post(event: SupervisorEvent): void {
    if (this.#destroyed) return;
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    this.#stepping = false;
  }

  #step(event: SupervisorEvent): void {
    const { log } = this.#options;
    switch (event.kind) {
      case 'start':
        this.#startRelease(event.options ?? this.#release, event.commits, event.outcome);
        break;
      case 'commit':
        if (this.isPrepared) this.#commit();
        break;
      case 'abandon':
        this.#giveUp(event.error);
        break;
      case 'loaded':
        this.#fork(event.release);
        break;
      case 'ready':
        this.#ready(event.worker);
        break;
      case 'broken':
        if (event.release === this.#next?.number) this.#giveUp(broken(this.#next, event.traceback, event.reason));
        else log.error(`Cannot import the application: ${event.reason}\n${event.traceback}`.trimEnd());
        break;
      case 'timed-out':
        if (event.release === this.#next) this.#giveUp(timedOut(event.release.options.startTimeoutMs));
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

  #startRelease(options: ReleaseOptions, commits: boolean, outcome: StartOutcome): void {
    if (this.#next !== null || this.#stopped !== null) {
      outcome.reject(new ViaductError('WORKER', 'Cannot start a release: another release is starting'));
      return;
    }
    this.#releases += 1;
    const release = new Release(this.#releases, options, this.#runtime, this.#releaseEvents);
    this.#start = new ReleaseStart(release, commits, outcome, () => this.#post({ kind: 'timed-out', release }));
    this.#attempt(release, () => release.start());
  }

  /** Forks the missing workers. */
  #fork(release: Release): void {
    this.#attempt(release, () => {
      while (release.workers.size < release.options.workers) release.fork();
    });
  }

  /** The private directory may be gone, and then it may be impossible to make another one. */
  #attempt(release: Release, step: () => void): void {
    try {
      step();
    } catch (error) {
      if (release === this.#next) this.#giveUp(error as ViaductError);
      else {
        this.#options.log.error((error as Error).message);
        this.#replacements.plan(performance.now());
      }
    }
  }

  #ready(worker: Worker): void {
    const start = this.#start;
    if (start === null || worker.release !== start.release.number) {
      worker.admit();
      return;
    }
    const workers = [...start.release.workers.values()];
    if (workers.length < start.release.options.workers || workers.some(({ state }) => state !== 'ready')) return;
    start.succeed();
    if (start.commits) this.#commit();
  }

  /** The prepared release becomes the current one. */
  #commit(): void {
    const next = this.#next as Release;
    const old = this.#current;
    this.#start = null;
    this.#current = next;
    this.#served = true;
    this.#release = next.options;
    next.state = 'serving';
    for (const worker of next.workers.values()) worker.admit();
    if (old !== null) this.#retire(old);
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
    this.#ending = [...this.#ending, release].filter(({ workers }) => workers.size > 0);
    if (release === this.#next) {
      this.#giveUp(new ViaductError('WORKER', `Cannot start "${release.options.project.python.path}": ${status}`));
    } else if (release === this.#current) {
      this.#current = null;
      if (this.#stopped === null) {
        this.#options.log.error(`The zygote ended (${status}); the application is restarted`);
        this.#replacements.plan(release.bornMs);
      }
    }
    this.#stoppedWhenEmpty();
  }

  /** Restores the number of workers of the serving release, or starts a release when none is serving. */
  #replace(): void {
    if (this.#stopped !== null) return;
    if (this.#current !== null) this.#fork(this.#current);
    else if (this.#next === null)
      this.#startRelease(this.#release, true, {
        resolve: () => {},
        reject: ({ message }) => this.#options.log.error(message),
      });
  }

  /** Ends the starting or prepared release, which has failed. */
  #giveUp(error: ViaductError): void {
    const start = this.#start;
    if (start === null) return;
    this.#start = null;
    start.fail(error);
    const { release } = start;
    release.state = release.state === 'gone' ? 'gone' : 'retiring';
    release.destroy();
    this.#stoppedWhenEmpty();
    if (this.#current === null && this.#served && this.#stopped === null) this.#replacements.plan(release.bornMs);
  }

  #retire(release: Release): void {
    if (release.state === 'gone') return;
    this.#retiring.add(release);
    release.retire(this.#release.gracefulTimeoutMs);
  }

  #stop(stopped: () => void): void {
    this.#stopped = stopped;
    this.#replacements.cancel();
    this.pool.stop();
    if (this.#next !== null) this.#giveUp(new ViaductError('WORKER', 'Cannot start a release: the server is stopping'));
    const current = this.#current;
    this.#current = null;
    if (current !== null) this.#retire(current);
    this.#stoppedWhenEmpty();
  }

  #stoppedWhenEmpty(): void {
    if (this.#stopped !== null && this.#retiring.size === 0 && this.#current === null) this.#stopped();
  }

  #releasesAlive(): Release[] {
    return [this.#current, this.#next, ...this.#retiring].filter((release) => release !== null);
  }
}

function timedOut(ms: number): ViaductError {
  return new ViaductError('WORKER', `Cannot start the application: it was not ready after ${ms / 1000} s`);
}

function broken(release: Release, traceback: string, reason: string): ViaductError {
  const name = applicationName(release.options.project.application);
  const cause = traceback === '' ? {} : { cause: traceback };
  return new ViaductError('APPLICATION_BROKEN', `Cannot import "${name}": ${reason}`, cause);
}
