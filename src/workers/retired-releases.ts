import type { Release } from './release.ts';

/**
 * The releases that are not used any more. Each finishes its requests first. Then its zygote ends, and what its dead
 * workers wrote is read to the end.
 */
export class RetiredReleases {
  readonly #retiring = new Set<Release>();
  #ending: readonly Release[] = [];

  /** Those whose processes live. */
  get retiring(): readonly Release[] {
    return [...this.#retiring];
  }

  /** Those without a zygote whose dead workers were not read to the end yet. */
  get ending(): readonly Release[] {
    return this.#ending;
  }

  /** Lets `release` finish its requests, and then its threads within `graceMs`. Does nothing if it is gone. */
  retire(release: Release, graceMs: number): void {
    if (release.state === 'gone') return;
    this.#retiring.add(release);
    release.retire(graceMs);
  }

  /** The zygote of `release` has ended, whether it was retired or not. */
  zygoteGone(release: Release): void {
    this.#retiring.delete(release);
    this.#ending = [...this.#ending, release].filter(({ workers }) => workers.size > 0);
  }
}
