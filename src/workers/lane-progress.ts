import { LifeWatch } from './life-watch.ts';

/** Whether bytes of a lane still arrive, as the watches of workers and of deadlines see it. */
export class LaneProgress {
  /** Counts how long the worker owes something. */
  readonly #debt = new LifeWatch();
  #debtBytes = 0;
  #streamBytes = 0;
  #streamSinceMs = 0;

  /**
   * Whether the worker has owed this lane something for too many ticks: an answer (`owesAnswer`), or the rest of a frame
   * (`isHalfway`) of which nothing arrives. Must be called at each tick of the worker's life watch.
   */
  isSilent(bytesRead: number, owesAnswer: boolean, isHalfway: boolean): boolean {
    const isWaiting = owesAnswer || (isHalfway && bytesRead === this.#debtBytes);
    this.#debtBytes = bytesRead;
    if (isWaiting) return this.#debt.tick();
    this.#debt.answered();
    return false;
  }

  /** Since when nothing of a stream has arrived, while nobody made the worker wait. `now` is from `performance.now()`. */
  streamSinceMs(bytesRead: number, isPaused: boolean, now: number): number {
    if (bytesRead !== this.#streamBytes || isPaused) this.#streamSinceMs = now;
    this.#streamBytes = bytesRead;
    return this.#streamSinceMs;
  }
}
