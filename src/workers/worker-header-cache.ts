/** Each thread of a worker has room for at least so many sections, about 4 KB each. */
const SECTIONS_MIN = 128;
/** How many sections the threads of a worker may keep together. */
const WORKER_SECTIONS_MAX = 4096;
/** Without room, one of so many sections that come back gets a slot: those that have slots may be of connections that ended. */
const REFUSED = 8;

/** The maximum number of sections that one of a worker's `threads` keeps. */
export function sectionsMaxOf(threads: number): number {
  return Math.max(SECTIONS_MIN, Math.floor(WORKER_SECTIONS_MAX / threads));
}

/**
 * The repeated field sections (`Request.headerCacheId`) that the thread behind a lane knows, each in a slot. The thread
 * adds a section when it runs the request that carries it, in the order of the lane.
 *
 * A new section takes the slot of the oldest one. While most new sections are known from before, and lost their slots,
 * they get slots of their own: then there are more connections than slots. At the limit, only few get one,
 * so that the others stay useful.
 *
 * When requests come back without having run, this side forgets all sections. Until the worker has reported that, no
 * request can refer to their sections. The reason is that a section belongs to one connection, which has one request at
 * a time.
 */
export class WorkerHeaderCache {
  readonly #max: number;
  /** The slots of the known sections, oldest first. */
  readonly #slots = new Map<number, number>();
  /** Sections that lost their slots, oldest first. */
  readonly #lost = new Set<number>();
  /** Moving average: the part of the new sections that had lost their slots. */
  #returning = 0;
  #refused = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** The slot of section `number`; 0 when the thread does not know the section. */
  find(number: number): number {
    return this.#slots.get(number) ?? 0;
  }

  /** Finds a slot for section `number`, which is sent with the next request. Returns 0 if it gets none. */
  learn(number: number): number {
    const { size } = this.#slots;
    const returns = this.#lost.has(number);
    this.#returning = this.#returning * 0.95 + (returns ? 0.05 : 0);
    let slot = size + 1;
    if (size >= SECTIONS_MIN && (size >= this.#max || this.#returning < 0.5)) {
      if (returns && this.#returning >= 0.5 && ++this.#refused % REFUSED !== 0) return 0;
      slot = this.#takeOldest();
    }
    this.#lost.delete(number);
    this.#slots.set(number, slot);
    return slot;
  }

  forget(): void {
    this.#slots.clear();
  }

  #takeOldest(): number {
    const [number, slot] = this.#slots.entries().next().value as [number, number];
    this.#slots.delete(number);
    this.#lost.add(number);
    if (this.#lost.size > WORKER_SECTIONS_MAX) this.#lost.delete(this.#lost.values().next().value as number);
    return slot;
  }
}
