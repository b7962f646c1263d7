import type { Release } from './release.ts';

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
  isReady = false;
  readonly #outcome: StartOutcome;
  readonly #timer: NodeJS.Timeout;

  constructor(release: Release, commits: boolean, outcome: StartOutcome, onTimedOut: () => void) {
    this.release = release;
    this.commits = commits;
    this.#outcome = outcome;
    this.#timer = setTimeout(onTimedOut, release.options.startTimeoutMs);
  }

  /** All workers are ready. */
  succeed(): void {
    this.isReady = true;
    clearTimeout(this.#timer);
    this.#outcome.resolve();
  }

  fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#outcome.reject(error);
  }
}
