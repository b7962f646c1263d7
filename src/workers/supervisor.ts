import type { Socket } from 'node:net';
import { ViaductError } from '../errors.ts';
import { ApplicationMetrics } from './metrics/application-metrics.ts';
import { Pool } from './pool.ts';
import { poolLog } from './pool-log.ts';
import { Release, type ReleaseEvents } from './release.ts';
import { releaseEvents } from './release-events.ts';
import type { ReleaseOptions } from './release-options.ts';
import { broken, ReleaseStart, type StartOutcome, timedOut } from './release-start.ts';
import { Replacements } from './replacements.ts';
import type { Hello, Runtime } from './runtime.ts';
import { sizeWithin } from './scaling.ts';
import { type Recycle, ServingWorkers } from './serving-workers.ts';
import type { SupervisorEvent } from './supervisor-event.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import { Upkeep } from './upkeep.ts';
import type { Worker } from './worker.ts';
import { WorkerCounts } from './worker-counts.ts';

/**
 * Keeps an application's workers alive. All events go into one queue, and only `#step` acts on them. The supervisor
 * owns the serving release (`#current`), the starting one (`#start`) and the retiring ones (`#retiring`).
 */
export class Supervisor {
  readonly pool: Pool;
  readonly counts = new WorkerCounts();
  /** What the application counts, in all of its processes. */
  readonly metrics: ApplicationMetrics;
  readonly #options: SupervisorOptions;
  readonly #runtime: Runtime;
  /** Options of the next release. */
  #release: ReleaseOptions;
  readonly #events: SupervisorEvent[] = [];
  readonly #releaseEvents: ReleaseEvents;
  readonly #replacements = new Replacements(() => this.#post({ kind: 'replace' }));
  /** The workers of `#current`. */
  readonly #serving: ServingWorkers;
  readonly #upkeep: Upkeep;
  readonly #retiring = new Set<Release>();
  /** Releases without a zygote. What their dead workers wrote is still being read. */
  #ending: Release[] = [];
  #current: Release | null = null;
  #start: ReleaseStart | null = null;
  #stopped: (() => void) | null = null;
  #stepping = false;
  #destroyed = false;
  #releases = 0;
  /** How many workers the last release had. */
  #size = 0;
  /** Whether a release has served. From then on, one that fails is followed by another. */
  #served = false;

  constructor(options: SupervisorOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#release = options.release;
    const directory = runtime.spoolDirectory;
    this.pool = new Pool({ ...options.pool, directory, ...poolLog(options.log) });
    this.metrics = new ApplicationMetrics((text) => options.log.warn(text));
    const { counts, metrics } = this;
    this.#releaseEvents = releaseEvents(options, this.pool, { counts, metrics }, (event) => this.#post(event));
    this.#serving = new ServingWorkers(options.log, this.#replacements, counts);
    this.#upkeep = new Upkeep(this.pool, {
      onRecycle: (recycle) => this.recycle(recycle),
      onResize: (size, reason) => this.resize(size, reason),
    });
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

  /**
   * Replaces a worker of the serving release. It serves until its successor is ready; then it finishes its requests and
   * ends. Workers are replaced one at a time, urgent ones first, in the order of these calls. A reload or stop meanwhile
   * wins.
   */
  recycle(recycle: Recycle): void {
    this.#post({ kind: 'recycle', recycle });
  }

  /**
   * Changes the number of workers of the serving release, also beyond its options. `reason` is for the log. The next
   * release has as many, if its options allow; one that follows a dead zygote has as many in any case.
   */
  resize(size: number, reason: string): void {
    this.#post({ kind: 'resize', size, reason });
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
    this.#upkeep.watch(null);
    this.pool.stop();
    this.metrics.close();
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

  /** The serving release, the starting one and those that finish their requests. */
  get releases(): readonly Release[] {
    return this.#releasesAlive();
  }

  /** The serving release; null while there is none. */
  get release(): Release | null {
    return this.#current;
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
        this.#startNew(event.options ?? this.#release, event.commits, event.outcome);
        break;
      case 'commit':
        if (this.isPrepared) this.#commit();
        break;
      case 'abandon':
        this.#giveUp(event.error);
        break;
      case 'loaded':
        this.#loaded(event.release);
        break;
      case 'ready':
        this.#ready(event.worker);
        break;
      case 'broken':
        if (event.release === this.#next?.number) this.#giveUp(broken(this.#next, event.traceback, event.reason));
        else log.error(`Cannot import the application: ${event.reason}\n${event.traceback}`.trimEnd());
        break;
      case 'timed-out':
        if (event.release === this.#next) this.#giveUp(timedOut(event.release));
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
      case 'recycle':
        this.#serving.recycle(event.recycle);
        break;
      case 'resize':
        this.#serving.resize(event.size, event.reason);
        break;
      case 'stop':
        this.#stop(event.stopped);
        break;
    }
  }

  /** Starts a release with as many workers as there are, if its options allow. */
  #startNew(options: ReleaseOptions, commits: boolean, outcome: StartOutcome): void {
    this.#startRelease(options, commits, outcome, sizeWithin(options, this.#current?.size ?? this.#size));
  }

  #startRelease(options: ReleaseOptions, commits: boolean, outcome: StartOutcome, size: number): void {
    if (this.#next !== null || this.#stopped !== null) {
      outcome.reject(new ViaductError('WORKER', 'Cannot start a release: another release is starting'));
      return;
    }
    this.#releases += 1;
    const release = new Release(this.#releases, size, options, this.#runtime, this.#releaseEvents);
    this.#start = new ReleaseStart(release, commits, outcome, () => this.#post({ kind: 'timed-out', release }));
    this.#attempt(() => release.start());
  }

  /** The zygote of a release is ready to fork. */
  #loaded(release: Release): void {
    if (release === this.#next) this.#attempt(() => release.fill());
  }

  /** A step of the start. The private directory may be gone, and then it may be impossible to make another one. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#giveUp(error as ViaductError);
    }
  }

  #ready(worker: Worker): void {
    if (this.#serving.has(worker)) this.#serving.ready(worker);
    const start = this.#start;
    if (start === null || worker.release !== start.release.number || !start.isComplete) return;
    start.succeed();
    if (start.commits) this.#commit();
  }

  /** The prepared release becomes the current one. */
  #commit(): void {
    const next = this.#next as Release;
    const old = this.#current;
    this.#start = null;
    this.#served = true;
    this.#release = next.options;
    next.state = 'serving';
    for (const worker of next.workers.values()) worker.admit();
    next.runHook('on_ready');
    old?.runHook('on_reload');
    this.#serve(next);
    if (old !== null) this.#retire(old);
  }

  #workerGone(worker: Worker): void {
    if (worker.release === this.#next?.number) {
      this.#giveUp(new ViaductError('WORKER', 'Cannot start a worker: it died'));
    } else if (this.#serving.has(worker)) this.#serving.gone(worker);
  }

  /** Sets the serving release; null for none. */
  #serve(release: Release | null): void {
    this.#size = this.#current?.size ?? this.#size;
    this.#current = release;
    this.#serving.serve(release);
    this.#upkeep.watch(release);
  }

  #zygoteGone(release: Release, status: string): void {
    this.#retiring.delete(release);
    this.#ending = [...this.#ending, release].filter(({ workers }) => workers.size > 0);
    if (release === this.#next) {
      this.#giveUp(new ViaductError('WORKER', `Cannot start "${release.options.project.python.path}": ${status}`));
    } else if (release === this.#current) {
      this.#serve(null);
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
    if (this.#current !== null) this.#serving.replace();
    else if (this.#next === null)
      this.#startRelease(
        this.#release,
        true,
        { resolve: () => {}, reject: ({ message }) => this.#options.log.error(message) },
        this.#size,
      );
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
    this.#serve(null);
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
