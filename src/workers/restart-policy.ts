/** A worker that lived shorter than this counts as failed at its start. */
const SHORT_LIFE_MS = 5000;
const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 10_000;

/**
 * How long to wait before a dead process is replaced: not at all when it lived a while; 100 ms after the first that died young,
 * and twice as long after each further one in a row, up to ten seconds, so that a broken application does not burn the machine.
 */
export class RestartPolicy {
  #delayMs = 0;

  /** To be called at each death; returns milliseconds. */
  delayAfter(livedMs: number): number {
    if (livedMs >= SHORT_LIFE_MS) this.#delayMs = 0;
    else this.#delayMs = this.#delayMs === 0 ? FIRST_DELAY_MS : Math.min(this.#delayMs * 2, DELAY_MS_MAX);
    return livedMs >= SHORT_LIFE_MS ? 0 : this.#delayMs;
  }
}
