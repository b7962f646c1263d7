/** The bytes of one record, where they lie: `start` is a multiple of 8. */
export interface StoredBytes {
  readonly block: MemoryBlock;
  readonly start: number;
  readonly length: number;
}

export interface MemoryBlock {
  readonly bytes: Buffer;
  /** The same memory. */
  readonly numbers: Float64Array;
  /** Where the next record starts. */
  end: number;
  /** How many records are in it. */
  records: number;
}

const BLOCK_BYTES = 65536;
/** A longer record has a block of its own. */
const SHARED_BYTES_MAX = BLOCK_BYTES / 8;
/** Blocks without records that are kept for the next ones. */
const SPARE_MAX = 2;

/**
 * Memory for records outside of JavaScript's heap: there, the garbage collector would walk through all of them again and again. Records are freed
 * about in the order in which they came, so a block is soon free again.
 */
export class TraceMemory {
  #current: MemoryBlock | null = null;
  readonly #spare: MemoryBlock[] = [];

  /** `write` gets room for `lengthMax` bytes, and returns how many it used. */
  store(lengthMax: number, write: (block: MemoryBlock, start: number) => number): StoredBytes {
    const block = this.#blockFor(lengthMax);
    const start = block.end;
    const length = write(block, start);
    block.end = aligned(start + length);
    block.records += 1;
    return { block, start, length };
  }

  /** Nobody reads the record any more. */
  free({ block }: StoredBytes): void {
    block.records -= 1;
    if (block.records > 0 || block.bytes.length !== BLOCK_BYTES) return;
    block.end = 0;
    if (block !== this.#current && this.#spare.length < SPARE_MAX) this.#spare.push(block);
  }

  #blockFor(length: number): MemoryBlock {
    if (length > SHARED_BYTES_MAX) return newBlock(aligned(length));
    if (this.#current === null || this.#current.end + length > BLOCK_BYTES)
      this.#current = this.#spare.pop() ?? newBlock(BLOCK_BYTES);
    return this.#current;
  }
}

function newBlock(length: number): MemoryBlock {
  const bytes = Buffer.allocUnsafeSlow(length);
  return { bytes, numbers: new Float64Array(bytes.buffer), end: 0, records: 0 };
}

function aligned(position: number): number {
  return Math.ceil(position / Float64Array.BYTES_PER_ELEMENT) * Float64Array.BYTES_PER_ELEMENT;
}
