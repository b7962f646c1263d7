/** Ticks without an answer after which a process counts as dead. */
const TICKS_MAX = 4;

/** The interval of ticks, in milliseconds, after which a silence of `timeoutMs` has lasted for too many ticks. */
export function tickMs(timeoutMs: number): number {
  return Math.max(1, timeoutMs / TICKS_MAX);
}

/**
 * Counts for how many ticks a process has not answered. Time counts only in ticks of this process, at most one at once.
 * So a process does not look dead because this one, or the whole machine, was stopped meanwhile.
 */
export class LifeWatch {
  #ticks = 0;
  #askedMs = 0;
  #delayMs = 0;

  /** Must be called at each tick while an answer is missing. Returns true when it has been missing for too long. */
  tick(): boolean {
    if (this.#ticks === 0) this.#askedMs = performance.now();
    this.#ticks += 1;
    return this.#ticks > TICKS_MAX;
  }

  /** Whether an answer is missing. */
  get isWaiting(): boolean {
    return this.#ticks > 0;
  }

  /** How long the last answer took, or how long the missing one has taken so far, in milliseconds. */
  get delayMs(): number {
    return this.isWaiting ? Math.max(this.#delayMs, performance.now() - this.#askedMs) : this.#delayMs;
  }

  answered(): void {
    if (this.isWaiting) this.#delayMs = performance.now() - this.#askedMs;
    this.#ticks = 0;
  }
}
