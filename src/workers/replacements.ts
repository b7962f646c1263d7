import { RestartPolicy } from './restart-policy.ts';

/** When what died of an application is replaced: late when it keeps dying, and all that is missing at once. */
export class Replacements {
  readonly #policy = new RestartPolicy();
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | null = null;
  #dueMs = 0;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /**
   * Something has died that was born at `bornMs` (of `performance.now()`). Returns in how many milliseconds `onDue` will be called for it. What
   * is to be replaced soon does not wait for what is to be replaced late.
   */
  plan(bornMs: number): number {
    const nowMs = performance.now();
    const delayMs = this.#policy.delayAfter(nowMs - bornMs);
    const dueMs = nowMs + delayMs;
    if (this.#timer !== null && this.#dueMs <= dueMs) return delayMs;
    this.cancel();
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#onDue();
    }, delayMs);
    return delayMs;
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
