import { RestartPolicy } from './restart-policy.ts';

/**
 * Decides when dead processes of an application are replaced: with a delay when they keep dying, and all missing ones
 * together.
 */
export class Replacements {
  readonly #policy = new RestartPolicy();
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | null = null;
  #dueMs = 0;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /**
   * Must be called when a process has died; `bornMs` is its start time (`performance.now()`). Returns the delay in
   * milliseconds until `onDue` is called. An earlier replacement does not wait for a later one.
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
