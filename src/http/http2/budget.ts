/** What a client may do at once, and how often after that. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/** Counts what a client does against an allowance that grows again with time, a bucket that leaks. */
export class Budget {
  readonly #burst: number;
  readonly #perTick: number;
  #left: number;
  #tick = 0;

  constructor(allowance: Allowance, tickMs: number) {
    this.#burst = allowance.burst;
    this.#perTick = (allowance.perSecond * tickMs) / 1000;
    this.#left = allowance.burst;
  }

  /** Takes one at `tick`: false when none is left. */
  take(tick: number): boolean {
    if (tick !== this.#tick) {
      this.#left = Math.min(this.#burst, this.#left + (tick - this.#tick) * this.#perTick);
      this.#tick = tick;
    }
    this.#left -= 1;
    return this.#left >= 0;
  }

  /** Adds what something else has earned. */
  earn(count: number): void {
    this.#left = Math.min(this.#burst, this.#left + count);
  }
}
