/** Number of sections that a worker thread caches: about 4 KB each. `lane.py` has the same number. */
const SECTIONS_MAX = 128;

/**
 * The repeated field sections (`Request.headerCacheId`) that the thread behind a lane knows. The thread adds a section
 * when it runs the request that carries it, in the order of the lane. When the cache is full, both sides drop the
 * section that was added first.
 *
 * When requests come back without having run, this side forgets all sections. Until the worker has reported that, no
 * request can refer to their sections. The reason is that a section belongs to one connection, which has one request at
 * a time.
 */
export class WorkerHeaderCache {
  readonly #known = new Set<number>();

  knows(number: number): boolean {
    return this.#known.has(number);
  }

  /** Adds section `number`, which is sent with the next request. */
  learn(number: number): void {
    const [first] = this.#known;
    if (this.#known.size >= SECTIONS_MAX && first !== undefined) this.#known.delete(first);
    this.#known.add(number);
  }

  forget(): void {
    this.#known.clear();
  }
}
