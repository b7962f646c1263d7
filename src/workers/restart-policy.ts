/** A worker that lived for a shorter time counts as failed at its start. */
const SHORT_LIFE_MS = 5000;
const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 10_000;

/**
 * The delay before a dead process is replaced. There is no delay after a long life. The delay is 100 ms after the first
 * short life and doubles with each further one in a row, up to ten seconds. So a broken application does not use up the
 * CPU.
 */
export class RestartPolicy {
  #delayMs = 0;

  /** Must be called at each death; returns milliseconds. */
  delayAfter(livedMs: number): number {
    if (livedMs >= SHORT_LIFE_MS) this.#delayMs = 0;
    else this.#delayMs = this.#delayMs === 0 ? FIRST_DELAY_MS : Math.min(this.#delayMs * 2, DELAY_MS_MAX);
    return livedMs >= SHORT_LIFE_MS ? 0 : this.#delayMs;
  }
}
