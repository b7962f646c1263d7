import type { Socket } from 'node:net';
import { ViaductError } from '../errors.ts';
import type { Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { ApplicationMetrics } from './metrics/application-metrics.ts';
import type { Outcomes } from './outcomes.ts';
import { newPoolCommon, Pool } from './pool.ts';
import { poolLog } from './pool-log.ts';
import { RecentOutcomes } from './recent-outcomes.ts';
import { Release, type ReleaseEvents } from './release.ts';
import { releaseEvents } from './release-events.ts';
import type { ReleaseOptions } from './release-options.ts';
import { broken, neverReady, ReleaseStart, type StartOutcome, startFailed, timedOut } from './release-start.ts';
import { ReleaseTrial } from './release-trial.ts';
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
 * owns the serving release (`#current`), the starting one (`#start`), one on trial (`#trial`) and the retiring ones
 * (`#retiring`).
 */
export class Supervisor {
  readonly pool: Pool;
  readonly counts = new WorkerCounts();
  /** What the application counts, in all of its processes. */
  readonly metrics: ApplicationMetrics;
  /** Why the last release that was tried out ended; null while it has not. */
  trialFailure: ViaductError | null = null;
  readonly #options: SupervisorOptions;
  readonly #runtime: Runtime;
  /** Options of the next release. */
  #release: ReleaseOptions;
  readonly #events: SupervisorEvent[] = [];
  readonly #common = newPoolCommon();
  readonly #releaseEvents: ReleaseEvents;
  readonly #recent: RecentOutcomes;
  #replacements = new Replacements(() => this.#post({ kind: 'replace', replacements: this.#replacements }));
  /** The workers of `#current`. */
  #serving: ServingWorkers;
  readonly #upkeep: Upkeep;
  readonly #retiring = new Set<Release>();
  /** Releases without a zygote. What their dead workers wrote is still being read. */
  #ending: Release[] = [];
  #current: Release | null = null;
  #start: ReleaseStart | null = null;
  /** A release that takes requests of clients beside `#current`, or without it. */
  #trial: ReleaseTrial | null = null;
  #stopped: (() => void) | null = null;
  #stepping = false;
  #destroyed = false;
  #releases = 0;
  /** How many workers the last release had. */
  #size = 0;
  #served = false;

  constructor(options: SupervisorOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#release = options.release;
    this.metrics = new ApplicationMetrics((text) => options.log.warn(text));
    this.pool = this.#newPool();
    this.#recent = new RecentOutcomes(this.pool);
    this.#releaseEvents = releaseEvents(options, this.pool, this, (event) => this.#post(event));
    this.#serving = new ServingWorkers(options.log, this.#replacements, this.counts);
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

  /** Whether a release waits for `commit`. One that was not tried out may have lost a worker meanwhile; then none waits. */
  get isPrepared(): boolean {
    return this.#start?.isReady === true || this.#trial !== null;
  }

  /** The trial of the release that is prepared or tried out; null for one that has none. */
  get trial(): ReleaseTrial | null {
    return this.#trial ?? this.#start?.trial ?? null;
  }

  /** How the latest requests of the serving release ended. */
  recentOutcomes(): Outcomes {
    return this.#recent.total();
  }

  /**
   * Lets the pool of the prepared release, which must have a trial, get requests of clients. Its dead workers are replaced. The current
   * release stays as it is until `commit` or `abandon`, which must follow. If all of the new release dies, it is abandoned.
   */
  tryOut(): void {
    this.#post({ kind: 'try-out' });
  }

  /** Lets the release that is prepared or tried out serve, and retires the current one. */
  commit(): void {
    this.#post({ kind: 'commit' });
  }

  /**
   * Ends the release that starts, is prepared or is tried out, if there is one. Its start fails with `error`. One that was tried out
   * finishes its requests; those that wait for it go to the current release.
   */
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
    this.#trial?.replacements.cancel();
    this.#upkeep.watch(null);
    this.#recent.stop();
    this.trial?.pool.stop();
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

  /** The serving release, the starting one, one on trial and those that finish their requests. */
  get releases(): readonly Release[] {
    return this.#releasesAlive();
  }

  /** The serving release; null while there is none. */
  get release(): Release | null {
    return this.#current;
  }

  /** Whether a release has served. From then on, one that fails is followed by another. */
  get hasServed(): boolean {
    return this.#served;
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
      case 'try-out':
        this.#tryOut();
        break;
      case 'commit':
        if (this.isPrepared) this.#commit();
        break;
      case 'abandon':
        this.#giveUp(event.error);
        this.#endTrial(event.error);
        break;
      case 'loaded':
        this.#loaded(event.release);
        break;
      case 'ready':
        this.#ready(event.worker);
        break;
      case 'broken':
        if (event.release === this.#next?.number) this.#giveUp(broken(this.#next, event.failure, this.#current));
        else log.error(`Cannot import the application: ${event.failure.reason}\n${event.failure.traceback}`.trimEnd());
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
        if (event.replacements === this.#trial?.replacements) this.#trial.serving.replace();
        else if (event.replacements === this.#replacements) this.#replace();
        break;
      case 'recycle':
        this.#serving.recycle(event.recycle);
        this.#trial?.serving.recycle(event.recycle);
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
    if (this.#next !== null || this.#trial !== null || this.#stopped !== null) {
      const state = this.#stopped === null ? 'another release is starting' : 'the server is stopping';
      outcome.reject(new ViaductError('WORKER', `Cannot start a release: ${state}`));
      return;
    }
    this.#releases += 1;
    const trial = options.hasTrial === true && !commits ? this.#newTrial() : null;
    const events = trial === null ? this.#releaseEvents : this.#trialEvents(trial);
    const release = new Release(this.#releases, size, options, this.#runtime, events);
    this.#start = new ReleaseStart(release, commits, trial, outcome, () => this.#post({ kind: 'timed-out', release }));
    this.#attempt(() => release.start());
  }

  #newPool(): Pool {
    const { pool, log } = this.#options;
    return new Pool({ ...pool, directory: this.#runtime.spoolDirectory, ...poolLog(log) }, this.#common);
  }

  #newTrial(): ReleaseTrial {
    return new ReleaseTrial(this.#newPool(), this.#options.log, this.counts, (replacements) =>
      this.#post({ kind: 'replace', replacements }),
    );
  }

  /** As the events of other releases, but requests go to the pool of the trial, which also keeps the last traceback. */
  #trialEvents(trial: ReleaseTrial): ReleaseEvents {
    const errorResponse = (traceback: string, request: Request): Response => {
      trial.traceback = traceback;
      return this.#options.errorResponse(traceback, request);
    };
    return releaseEvents({ ...this.#options, errorResponse }, trial.pool, this, (event) => this.#post(event));
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
    this.#servingOf(worker)?.ready(worker);
    const start = this.#start;
    if (start === null || worker.release !== start.release.number || !start.isComplete) return;
    start.succeed();
    if (start.commits) this.#commit();
  }

  /** The prepared release becomes the current one, or the one on trial. */
  #commit(): void {
    const { trial } = this;
    const next = (this.#trial?.release ?? this.#next) as Release;
    const old = this.#current;
    if (this.#trial === null) this.#beginServing(next, trial === null);
    this.#start = null;
    this.#trial = null;
    this.#served = true;
    this.#release = next.options;
    old?.runHook('on_reload');
    if (trial !== null) {
      this.pool.resume();
      next.moveTo(this.pool);
      trial.pool.handOver(this.pool);
      if (trial.release !== null) this.#takeOver(trial);
    }
    this.#serve(next);
    if (old !== null) this.#retire(old);
  }

  /** The prepared release takes requests of clients, in its own pool. */
  #tryOut(): void {
    const start = this.#start;
    if (start === null || !start.isReady || start.trial === null) return;
    this.#start = null;
    this.#trial = start.trial;
    this.trialFailure = null;
    this.#beginServing(start.release, false);
    start.trial.begin(start.release);
    this.#recent.hold();
    this.#upkeep.watch(null); // the current release stays as large as it is, although it may have nothing to do
  }

  /** What the trial knows of its workers, such as those that must be replaced, stays known. */
  #takeOver({ serving, replacements }: ReleaseTrial): void {
    this.#replacements.cancel();
    this.#replacements = replacements;
    this.#serving = serving;
  }

  #beginServing(release: Release, admits: boolean): void {
    release.state = 'serving';
    if (admits) for (const worker of release.workers.values()) worker.admit();
    release.runHook('on_ready');
  }

  /** The release on trial is not used. Its running requests finish, and the current release gets all others. */
  #endTrial(error: ViaductError): void {
    const trial = this.#trial;
    if (trial === null) return;
    const release = trial.release as Release;
    this.#trial = null;
    this.trialFailure = error;
    this.#retire(release);
    this.pool.resume();
    trial.end(this.pool);
    this.#recent.resume();
    this.#upkeep.watch(this.#current);
    this.#stoppedWhenEmpty();
    if (this.#current === null && this.#stopped === null) this.#replacements.plan(release.bornMs);
  }

  #workerGone(worker: Worker): void {
    if (worker.release === this.#next?.number) {
      this.#giveUp(neverReady(worker));
      return;
    }
    if (this.#trial?.serving.has(worker) && !worker.wasRetired) this.#trial.crashes += 1;
    this.#servingOf(worker)?.gone(worker);
  }

  /** What looks after this worker; null if it is of a release that starts or retires. */
  #servingOf(worker: Worker): ServingWorkers | null {
    return [this.#serving, this.#trial?.serving].find((serving) => serving?.has(worker)) ?? null;
  }

  /** Sets the serving release; null for none. */
  #serve(release: Release | null): void {
    this.#size = this.#current?.size ?? this.#size;
    this.#current = release;
    this.#serving.serve(release);
    this.#upkeep.watch(release);
    if (release === null) this.#recent.stop();
    else this.#recent.restart(release.options.watchMs ?? 0);
  }

  #zygoteGone(release: Release, status: string): void {
    this.#retiring.delete(release);
    this.#ending = [...this.#ending, release].filter(({ workers }) => workers.size > 0);
    if (release === this.#next) {
      this.#giveUp(startFailed(release, status));
    } else if (release === this.#trial?.release) {
      this.#endTrial(new ViaductError('WORKER', `Cannot use the new release: its zygote ended (${status})`));
    } else if (release === this.#current) {
      this.#serve(null);
      if (this.#stopped === null) {
        const then = this.#trial === null ? 'the application is restarted' : 'the new release takes its place';
        this.#options.log.error(`The zygote ended (${status}); ${then}`);
        if (this.#trial === null) this.#replacements.plan(release.bornMs);
        else this.pool.handOver(this.#trial.pool); // other server processes may go on with the watch
      }
    }
    this.#stoppedWhenEmpty();
  }

  /** Restores the number of workers of the serving release, or starts a release when none is serving. */
  #replace(): void {
    if (this.#stopped !== null) return;
    if (this.#current !== null) this.#serving.replace();
    else if (this.#next === null && this.#trial === null)
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
    const { release, trial } = start;
    release.state = release.state === 'gone' ? 'gone' : 'retiring';
    release.destroy();
    trial?.abandon();
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
    this.#endTrial(new ViaductError('WORKER', 'Cannot use the new release: the server is stopping'));
    const current = this.#current;
    this.#serve(null);
    if (current !== null) this.#retire(current);
    this.#stoppedWhenEmpty();
  }

  #stoppedWhenEmpty(): void {
    if (this.#stopped !== null && this.#retiring.size === 0 && this.#current === null && this.#trial === null)
      this.#stopped();
  }

  #releasesAlive(): Release[] {
    return [this.#current, this.#next, this.#trial?.release ?? null, ...this.#retiring].filter(
      (release) => release !== null,
    );
  }
}
