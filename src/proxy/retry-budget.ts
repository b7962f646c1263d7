/** So many repeats are always possible, and so many can be saved up. */
const RESERVE = 10;

/**
 * Lets requests be repeated as long as repeats are a small share of all: when every request fails, repeating all of them would only double the load of
 * what is overloaded.
 */
export class RetryBudget {
  readonly #share: number;
  #saved = RESERVE;

  /** `share` of the requests may be repeated: 0.2 is one in five. */
  constructor(share: number) {
    this.#share = share;
  }

  /** A request has come. */
  requested(): void {
    if (this.#saved < RESERVE) this.#saved += this.#share;
  }

  /** Whether a request may be repeated; if so, that is counted. */
  take(): boolean {
    if (this.#share === 0 || this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
