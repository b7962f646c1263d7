import { HeaderField } from './header-field.ts';

/** A power of two, as every capacity: a position in the ring is a number modulo it. */
const FIRST_CAPACITY = 16;
/** Where no entry is: the ring keeps nothing that was evicted. */
const VACANT = new HeaderField('', '', false);
const NO_ENTRIES: HeaderField[] = [];

/**
 * The dynamic table of a decoder (RFC 7541 section 2.3.2): a ring that grows with its entries. It allocates nothing before the first entry.
 */
export class DynamicTable {
  /** Grows by one with each change. */
  generation = 0;
  /** Number of entries. */
  count = 0;
  #ring = NO_ENTRIES;
  /** Position of the newest entry in the ring. */
  #newest = 0;
  #bytes = 0;
  #bytesMax: number;

  /** `bytesMax` is the most that the sizes of the entries may add up to. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The entry that is the newest but `age`; `age` is less than `count`. */
  get(age: number): HeaderField {
    const ring = this.#ring;
    return ring[(this.#newest - age) & (ring.length - 1)] as HeaderField;
  }

  /** Adds a field, and evicts the oldest ones until it fits. A field that can never fit empties the table (RFC 7541 section 4.4). */
  insert(field: HeaderField): void {
    this.generation += 1;
    this.#evict(this.#bytesMax - field.size);
    if (field.size > this.#bytesMax) return;
    if (this.count === this.#ring.length) this.#grow();
    this.#newest = (this.#newest + 1) & (this.#ring.length - 1);
    this.#ring[this.#newest] = field;
    this.#bytes += field.size;
    this.count += 1;
  }

  /** Changes the most that the entries may take, and evicts what is beyond it (RFC 7541 section 4.3). */
  resize(bytesMax: number): void {
    if (bytesMax === this.#bytesMax) return;
    this.generation += 1;
    this.#bytesMax = bytesMax;
    this.#evict(bytesMax);
    if (this.count === 0) this.#ring = NO_ENTRIES;
  }

  #evict(bytesLeft: number): void {
    while (this.count > 0 && this.#bytes > bytesLeft) {
      this.count -= 1;
      const oldest = (this.#newest - this.count) & (this.#ring.length - 1);
      this.#bytes -= (this.#ring[oldest] as HeaderField).size;
      this.#ring[oldest] = VACANT;
    }
  }

  /** Doubles a ring that is full. */
  #grow(): void {
    const { count } = this;
    const ring = new Array<HeaderField>(Math.max(FIRST_CAPACITY, 2 * count)).fill(VACANT);
    for (let age = 0; age < count; age += 1) ring[count - 1 - age] = this.get(age);
    this.#ring = ring;
    this.#newest = count - 1;
  }
}
