/** Initial number of retries, and the maximum that can be saved. */
const RESERVE = 10;

/**
 * Allows retries only for a small share of all requests. If every request fails, retrying all of them would double the
 * load of an overloaded backend.
 */
export class RetryBudget {
  readonly #share: number;
  #saved = RESERVE;

  /** `share` is the fraction of requests that may be retried: 0.2 is one in five. */
  constructor(share: number) {
    this.#share = share;
  }

  /** Must be called for each request. */
  countRequest(): void {
    if (this.#saved < RESERVE) this.#saved += this.#share;
  }

  /** Whether a retry is allowed. If so, it is counted. */
  take(): boolean {
    if (this.#share === 0 || this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
