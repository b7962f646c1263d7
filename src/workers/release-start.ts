import type { Release } from './release.ts';

/** Who waits for a release to serve. */
export interface Outcome {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A release that is being started, for somebody who waits for it, but not for ever. */
export class ReleaseStart {
  readonly release: Release;
  readonly #outcome: Outcome;
  readonly #timer: NodeJS.Timeout;

  constructor(release: Release, outcome: Outcome, timeoutMs: number, onTimedOut: () => void) {
    this.release = release;
    this.#outcome = outcome;
    this.#timer = setTimeout(onTimedOut, timeoutMs);
  }

  succeed(): void {
    clearTimeout(this.#timer);
    this.#outcome.resolve();
  }

  fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#outcome.reject(error);
  }
}
