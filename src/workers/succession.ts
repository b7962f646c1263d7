import { ViaductError } from '../errors.ts';
import type { Release } from './release.ts';
import type { ReleaseFactory } from './release-factory.ts';
import type { ReleaseOptions } from './release-options.ts';
import { ReleaseStart, type StartOutcome } from './release-start.ts';
import type { ReleaseTrial } from './release-trial.ts';
import { RetiredReleases } from './retired-releases.ts';
import { sizeWithin } from './scaling.ts';
import { ServingRelease } from './serving-release.ts';
import type { ServingWorkers } from './serving-workers.ts';
import { broken, destroyed, neverReady, restartReplaced, startFailed, timedOut } from './start-failures.ts';
import type { SupervisorEvent } from './supervisor-event.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import type { Worker } from './worker.ts';

/**
 * The releases of one application: the serving one, the starting one (`#start`), one on trial (`#trial`) and the retired
 * ones. A release starts, may be tried out, serves, and retires when the next one serves. One follows the other only
 * here, on events: at most one release starts or is on trial, and a failure of it leaves the serving one as it is.
 */
export class Succession {
  /** Why the last release that has a trial was given up; null while it was not. */
  trialFailure: ViaductError | null = null;
  readonly serving: ServingRelease;
  readonly #options: SupervisorOptions;
  readonly #factory: ReleaseFactory;
  readonly #post: (event: SupervisorEvent) => void;
  /** Options of the next release. */
  #release: ReleaseOptions;
  readonly #retired = new RetiredReleases();
  #start: ReleaseStart | null = null;
  /** A release that takes requests of clients beside the serving one, or without it. */
  #trial: ReleaseTrial | null = null;
  /** Those who wait for the end of all releases. No release starts any more if there are any. */
  readonly #stopped: (() => void)[] = [];

  /** `post` gets what must be handled after the present event. */
  constructor(options: SupervisorOptions, factory: ReleaseFactory, post: (event: SupervisorEvent) => void) {
    this.#options = options;
    this.#factory = factory;
    this.#post = post;
    this.#release = options.release;
    this.serving = new ServingRelease(factory.pool, options.log, factory.counts, {
      onRecycle: (recycle) => post({ kind: 'recycle', recycle }),
      onResize: (size, reason) => post({ kind: 'resize', size, reason }),
      onReplace: (replacements) => post({ kind: 'replace', replacements }),
    });
  }

  /** Whether a release waits for `commit`. One that was not tried out may have lost a worker meanwhile; then none waits. */
  get isPrepared(): boolean {
    return this.#start?.isReady === true || this.#trial !== null;
  }

  /** The trial of the release that is prepared or tried out; null for one that has none. */
  get trial(): ReleaseTrial | null {
    return this.#trial ?? this.#start?.trial ?? null;
  }

  /** The serving release, the starting one, one on trial and those that finish their requests. */
  get releases(): readonly Release[] {
    return [this.serving.release, this.#next, this.#trial?.release ?? null, ...this.#retired.retiring].filter(
      (release) => release !== null,
    );
  }

  /** Ends all processes now. No event may follow. */
  destroy(): void {
    this.#start?.fail(destroyed());
    this.#start = null;
    for (const release of [...this.releases, ...this.#retired.ending]) release.destroy();
    this.serving.stop();
    this.#trial?.replacements.cancel();
    this.#trial?.pool.stop();
    this.#factory.pool.stop();
  }

  get #next(): Release | null {
    return this.#start?.release ?? null;
  }

  get #isStopping(): boolean {
    return this.#stopped.length > 0;
  }

  /** Acts on an event. Those before it must have been handled. */
  handle(event: SupervisorEvent): void {
    switch (event.kind) {
      case 'start':
        if (this.#start?.isRestart === true) this.#giveUp(restartReplaced());
        this.#startRelease(event.options ?? this.#release, event.commits, event.outcome);
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
        if (event.release === this.#next) this.#attempt(() => event.release.fill());
        break;
      case 'ready':
        this.#ready(event.worker);
        break;
      case 'broken':
        this.#broken(event);
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
        else if (event.replacements === this.serving.replacements) this.#replace();
        break;
      case 'recycle':
        this.serving.workers.recycle(event.recycle);
        this.#trial?.serving.recycle(event.recycle);
        break;
      case 'resize':
        this.serving.workers.resize(event.size, event.reason);
        break;
      case 'stop':
        this.#stop(event.stopped);
        break;
    }
  }

  /** Starts a release with as many workers as there are, if its options allow, or with `size`. */
  #startRelease(
    options: ReleaseOptions,
    commits: boolean,
    outcome: StartOutcome,
    size = sizeWithin(options, this.serving.size),
  ): void {
    if (this.#next !== null || this.#trial !== null || this.#isStopping) {
      const state = this.#isStopping ? 'the server is stopping' : 'another release is starting';
      outcome.reject(new ViaductError('WORKER', `Cannot start a release: ${state}`));
      return;
    }
    this.trialFailure = null;
    const { release, trial } = this.#factory.create(options, size, options.hasTrial === true && !commits);
    this.#start = new ReleaseStart(release, commits, trial, outcome, () => this.#post({ kind: 'timed-out', release }));
    this.#attempt(() => release.start());
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
    const old = this.serving.release;
    if (this.#trial === null) next.beginServing(trial === null);
    this.#start = null;
    this.#trial = null;
    this.#release = next.options;
    old?.runHook('on_reload');
    if (trial !== null) {
      trial.join(next, this.#factory.pool);
      if (trial.release !== null) this.serving.takeOver(trial);
    }
    this.serving.set(next);
    if (old !== null) this.#retire(old);
  }

  /** The prepared release takes requests of clients, in its own pool. */
  #tryOut(): void {
    const start = this.#start;
    if (start === null || !start.isReady || start.trial === null) return;
    this.#start = null;
    this.#trial = start.trial;
    start.release.beginServing(false);
    start.trial.begin(start.release);
    if (this.serving.release === null) this.#factory.pool.handOver(start.trial.pool);
    this.serving.hold();
  }

  /** The release on trial is not used. Its running requests finish, and the current release gets all others. */
  #endTrial(error: ViaductError): void {
    const trial = this.#trial;
    if (trial === null) return;
    const release = trial.release as Release;
    this.#trial = null;
    this.trialFailure = error;
    this.#retire(release);
    trial.end(this.#factory.pool);
    this.serving.resume();
    if (this.serving.release === null && !this.#isStopping) this.serving.replacements.plan(release.bornMs);
  }

  /** An import has failed: that of the starting release, or of a later worker of another one. */
  #broken(event: Extract<SupervisorEvent, { kind: 'broken' }>): void {
    if (event.release === this.#next?.number) this.#giveUp(broken(this.#next, event.failure, this.serving.release));
    else
      this.#options.log.error(
        `Cannot import the application: ${event.failure.reason}\n${event.failure.traceback}`.trimEnd(),
      );
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
    return [this.serving.workers, this.#trial?.serving].find((serving) => serving?.has(worker)) ?? null;
  }

  #zygoteGone(release: Release, status: string): void {
    this.#retired.zygoteGone(release);
    if (release === this.#next) {
      this.#giveUp(startFailed(release, status));
    } else if (release === this.#trial?.release) {
      this.#endTrial(new ViaductError('WORKER', `Cannot use the new release: its zygote ended (${status})`));
    } else if (release === this.serving.release) {
      this.serving.set(null);
      if (!this.#isStopping) {
        const then = this.#trial === null ? 'the application is restarted' : 'the new release takes its place';
        this.#options.log.error(`The zygote ended (${status}); ${then}`);
        if (this.#trial === null) this.serving.replacements.plan(release.bornMs);
        else this.#factory.pool.handOver(this.#trial.pool); // other server processes may go on with the watch
      }
    }
    this.#stoppedWhenEmpty();
  }

  /** Restores the number of workers of the serving release, or starts a release when none is serving. */
  #replace(): void {
    if (this.#isStopping) return;
    if (this.serving.release !== null) this.serving.workers.replace();
    if (this.serving.release !== null || this.#next !== null || this.#trial !== null) return;
    const outcome = { resolve: () => {}, reject: ({ message }: Error) => this.#options.log.error(message) };
    this.#startRelease(this.#release, true, outcome, this.serving.size);
    if (this.#start !== null) this.#start.isRestart = true;
  }

  /** Ends the starting or prepared release, which has failed. */
  #giveUp(error: ViaductError): void {
    const start = this.#start;
    if (start === null) return;
    this.#start = null;
    if (start.trial !== null) this.trialFailure = error;
    start.fail(error);
    if (this.serving.release === null && this.serving.hasServed && !this.#isStopping)
      this.serving.replacements.plan(start.release.bornMs);
  }

  #retire(release: Release): void {
    this.#retired.retire(release, this.#release.gracefulTimeoutMs);
  }

  #stop(stopped: () => void): void {
    this.#stopped.push(stopped);
    this.serving.replacements.cancel();
    this.#factory.pool.stop();
    if (this.#next !== null) this.#giveUp(new ViaductError('WORKER', 'Cannot start a release: the server is stopping'));
    this.#endTrial(new ViaductError('WORKER', 'Cannot use the new release: the server is stopping'));
    const current = this.serving.release;
    this.serving.set(null);
    if (current !== null) this.#retire(current);
    this.#stoppedWhenEmpty();
  }

  #stoppedWhenEmpty(): void {
    if (this.serving.release !== null || this.#trial !== null || this.#retired.retiring.length > 0) return;
    for (const stopped of this.#stopped) stopped();
  }
}
