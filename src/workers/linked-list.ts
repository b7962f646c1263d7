/** What a `LinkedList` keeps of an item. The item must not change these fields, and it can be in one list only. */
export interface Linked<T> {
  previous: T | null;
  next: T | null;
}

/** A list from which an item can be removed at any position. Every operation takes constant time. */
export class LinkedList<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | null {
    return this.#first;
  }

  get last(): T | null {
    return this.#last;
  }

  /** The items from the first to the last. The list must not change meanwhile. */
  *items(): Iterable<T> {
    for (let item = this.#first; item !== null; item = item.next) yield item;
  }

  push(item: T): void {
    item.previous = this.#last;
    if (this.#last === null) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#length += 1;
  }

  unshift(item: T): void {
    item.next = this.#first;
    if (this.#first === null) this.#last = item;
    else this.#first.previous = item;
    this.#first = item;
    this.#length += 1;
  }

  /** Removes and returns the first item. */
  shift(): T | null {
    const first = this.#first;
    if (first !== null) this.remove(first);
    return first;
  }

  /** Removes `item`, which must be in this list. */
  remove(item: T): void {
    const { previous, next } = item;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    item.previous = null;
    item.next = null;
    this.#length -= 1;
  }
}
