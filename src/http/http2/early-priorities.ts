import type { Priority } from './priority.ts';

/** The priorities that a client announced for streams that it has not started (RFC 9218 section 7.1). It has no memory before the first one. */
export class EarlyPriorities {
  readonly #countMax: number;
  #priorities: Map<number, Priority> | null = null;

  /** Remembers at most `countMax` of them. */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Remembers the last priority of stream `id`. Returns false if these are too many streams. */
  set(id: number, priority: Priority): boolean {
    this.#priorities ??= new Map();
    if (this.#priorities.size >= this.#countMax && !this.#priorities.has(id)) return false;
    this.#priorities.set(id, priority);
    return true;
  }

  /** The priority of stream `id`, which starts; undefined if there is none. No lower stream will start, so their priorities go. */
  take(id: number): Priority | undefined {
    const priorities = this.#priorities;
    if (priorities === null) return undefined;
    const priority = priorities.get(id);
    for (const other of priorities.keys()) if (other <= id) priorities.delete(other);
    if (priorities.size === 0) this.#priorities = null;
    return priority;
  }
}
