const SECONDS_UNTIL_FULL = 10;

/** Counts the actions of a client against a limit that recovers with time. */
export class LeakyBucket {
  readonly #max: number;
  readonly #perTick: number;
  #left: number;
  #tick = 0;

  /** A client may do `max` actions at once, and a tenth of them each second. */
  constructor(max: number, tickMs: number) {
    this.#max = max;
    this.#perTick = (max * tickMs) / (1000 * SECONDS_UNTIL_FULL);
    this.#left = max;
  }

  /** Counts one action at `tick`: returns false when the limit is exceeded. */
  take(tick: number): boolean {
    if (tick !== this.#tick) {
      this.#left = Math.min(this.#max, this.#left + (tick - this.#tick) * this.#perTick);
      this.#tick = tick;
    }
    this.#left -= 1;
    return this.#left >= 0;
  }
}
