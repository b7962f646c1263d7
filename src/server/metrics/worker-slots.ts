/**
 * Numbers the workers of an application from 1 for as long as they live. Each new worker gets the lowest number that is free: numbers that only
 * grow would be new time series with every recycled worker.
 */
export class WorkerSlots {
  /** Numbers of workers by slot; 0 for a free one. */
  readonly #slots: number[] = [];

  /** The slots of these workers, in their order. Those of all others are free from now on. */
  assign(workers: readonly number[]): number[] {
    for (const [index, worker] of this.#slots.entries()) if (!workers.includes(worker)) this.#slots[index] = 0;
    return workers.map((worker) => {
      let index = this.#slots.indexOf(worker);
      if (index < 0) index = this.#slots.indexOf(0);
      if (index < 0) index = this.#slots.length;
      this.#slots[index] = worker;
      return index + 1;
    });
  }
}
