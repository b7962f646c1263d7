import type { Release } from './release.ts';
import type { ReleaseTrial } from './release-trial.ts';

/** Settles the promise of the caller who waits for a release. */
export interface StartOutcome {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The start of a release, until the release serves or has failed. */
export class ReleaseStart {
  readonly release: Release;
  /** Whether the release serves as soon as it is ready. Otherwise it waits for `Supervisor.commit`. */
  readonly commits: boolean;
  /** Where the release gets its first requests; null if it gets none before it serves. */
  readonly trial: ReleaseTrial | null;
  isReady = false;
  /** Whether nobody has asked for it: it follows a dead zygote. */
  isRestart = false;
  readonly #outcome: StartOutcome;
  readonly #timer: NodeJS.Timeout;

  constructor(
    release: Release,
    commits: boolean,
    trial: ReleaseTrial | null,
    outcome: StartOutcome,
    onTimedOut: () => void,
  ) {
    this.release = release;
    this.commits = commits;
    this.trial = trial;
    this.#outcome = outcome;
    this.#timer = setTimeout(onTimedOut, release.options.startTimeoutMs);
  }

  /** Whether all workers are ready. */
  get isComplete(): boolean {
    const workers = [...this.release.workers.values()];
    return workers.length >= this.release.size && workers.every(({ state }) => state === 'ready');
  }

  /** All workers are ready. Those of a trial can get requests from now on. */
  succeed(): void {
    this.isReady = true;
    clearTimeout(this.#timer);
    if (this.trial !== null) for (const worker of this.release.workers.values()) worker.admit();
    this.#outcome.resolve();
  }

  /** Ends the release, which never serves. */
  fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#outcome.reject(error);
    if (this.release.state !== 'gone') this.release.state = 'retiring';
    this.release.destroy();
    this.trial?.abandon();
  }
}
