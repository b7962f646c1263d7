/** How many sections a worker thread remembers: about 4 KB each. `lane.py` has the same number. */
const SECTIONS_MAX = 128;

/**
 * Which recurring field sections (`Request.recurring`) the thread behind a lane knows. It learns one when it runs the request that
 * brings it, in the order of the lane, and both sides forget the one that was learned first when there are too many. When requests come back
 * without having been run, all is forgotten here. Until the worker says so none can refer to what they would have brought: a section is that of
 * one connection, which has one request at a time.
 */
export class LaneMemory {
  readonly #known = new Set<number>();

  knows(number: number): boolean {
    return this.#known.has(number);
  }

  /** Section `number`, which is not known, goes out with the next request. */
  learn(number: number): void {
    const [first] = this.#known;
    if (this.#known.size >= SECTIONS_MAX && first !== undefined) this.#known.delete(first);
    this.#known.add(number);
  }

  forget(): void {
    this.#known.clear();
  }
}
