/** A first-in, first-out queue that also takes items back at its front. Amortised constant time at both ends. */
export class Queue<T> {
  #items: T[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#first += 1;
    if (this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Puts `items` before all others, in their order. */
  unshift(items: readonly T[]): void {
    this.#items = [...items, ...this.#items.slice(this.#first)];
    this.#first = 0;
  }

  /** Takes `item` out, wherever it stands. False when it is not here. */
  remove(item: T): boolean {
    const index = this.#items.indexOf(item, this.#first);
    if (index < 0) return false;
    this.#items.splice(index, 1);
    return true;
  }

  /** Takes everything out, in order. */
  clear(): T[] {
    const items = this.#items.slice(this.#first);
    this.#items = [];
    this.#first = 0;
    return items;
  }
}
