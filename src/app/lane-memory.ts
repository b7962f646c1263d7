/** How many sections a worker thread remembers: about 4 KB each. */
const SECTIONS_MAX = 128;

/**
 * Which recurring field sections (`Request.recurring`) the thread behind a lane knows, and in which slot. It learns one when it runs the
 * request that brings it, in the order of the lane. So when requests come back without having been run, all is forgotten. Until the worker says
 * so none can refer to what they would have brought: a section is that of one connection, which has one request at a time.
 */
export class LaneMemory {
  readonly #slots = new Map<number, number>();
  /** The section in each slot; the oldest makes room. */
  readonly #sections: number[] = [];
  #next = 0;

  /** The slot of section `number`; undefined when the thread has to learn it. */
  find(number: number): number | undefined {
    return this.#slots.get(number);
  }

  /** Chooses a slot for section `number`, which goes out with the next request. */
  learn(number: number): number {
    const slot = this.#next;
    this.#next = (slot + 1) % SECTIONS_MAX;
    this.#slots.delete(this.#sections[slot] ?? 0);
    this.#sections[slot] = number;
    this.#slots.set(number, slot);
    return slot;
  }

  forget(): void {
    this.#slots.clear();
    this.#sections.length = 0;
    this.#next = 0;
  }
}
