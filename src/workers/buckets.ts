/** What a `Buckets` keeps of an item. The item must not change these fields. */
export interface Bucketed {
  /** Number of the item's bucket; -1 in none. */
  bucket: number;
  /** Position in the bucket. */
  slot: number;
}

/** Items in numbered buckets, each item in one at most. Every operation takes constant time for any number of items. */
export class Buckets<T extends Bucketed> {
  readonly #buckets: T[][] = [];
  /** A bit for each bucket that is not empty, 32 in a word. */
  readonly #filled: number[] = [0];

  /** Moves `item` into a bucket; -1 for none. */
  move(item: T, bucket: number): void {
    if (item.bucket >= 0) this.#take(item);
    item.bucket = bucket;
    if (bucket < 0) return;
    while (bucket >= this.#buckets.length) this.#buckets.push([]);
    const items = this.#buckets[bucket] as T[];
    item.slot = items.length;
    items.push(item);
    const word = bucket >> 5;
    while (word >= this.#filled.length) this.#filled.push(0);
    this.#filled[word] = (this.#filled[word] as number) | (1 << (bucket & 31));
  }

  /** The last item of the lowest bucket that is not empty and not below `from`; null if there is none. */
  lowest(from: number): T | null {
    let word = from >> 5;
    let bits = (this.#filled[word] ?? 0) & (-1 << (from & 31));
    while (bits === 0) {
      word += 1;
      if (word >= this.#filled.length) return null;
      bits = this.#filled[word] as number;
    }
    return this.#last(word * 32 + 31 - Math.clz32(bits & -bits));
  }

  /** The last item of the highest bucket that is not empty, not above `to` and not below `from`; null if there is none. */
  highest(from: number, to: number): T | null {
    let word = to >> 5;
    let bits = (this.#filled[word] ?? 0) & (-1 >>> (31 - (to & 31)));
    if (word >= this.#filled.length) word = this.#filled.length;
    while (bits === 0) {
      word -= 1;
      if (word < 0) return null;
      bits = this.#filled[word] as number;
    }
    const bucket = word * 32 + 31 - Math.clz32(bits);
    return bucket < from ? null : this.#last(bucket);
  }

  #last(bucket: number): T {
    return (this.#buckets[bucket] as T[]).at(-1) as T;
  }

  #take(item: T): void {
    const items = this.#buckets[item.bucket] as T[];
    const last = items.pop() as T;
    if (last !== item) {
      items[item.slot] = last;
      last.slot = item.slot;
    }
    if (items.length > 0) return;
    const word = item.bucket >> 5;
    this.#filled[word] = (this.#filled[word] as number) & ~(1 << (item.bucket & 31));
  }
}
