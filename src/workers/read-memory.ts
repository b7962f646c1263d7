/** A large block is received in pieces of this size: about what a Unix socket holds. */
const PIECE_BYTES = 262_144;
/** Free pieces that are kept. */
const SPARE_MAX = 8;

/** Memory that all lanes share: what it holds is valid during one call. */
const shared = Buffer.allocUnsafeSlow(65_536);
const spare: Buffer[] = [];

/**
 * The memory into which a lane receives. Node would allocate it for each read, and to collect it again would cost as
 * much as to copy it. Small frames are copied out of shared memory. A piece of a large block is passed on without a copy,
 * and its memory is used again when the kernel has taken it.
 */
export class ReadMemory {
  #piece: Buffer | null = null;

  /** The memory for the next read. `isLarge`: the rest of a large block is to come. */
  next(isLarge: boolean): Buffer {
    if (isLarge) {
      this.#piece ??= spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
      return this.#piece;
    }
    if (this.#piece !== null) keep(this.#piece);
    this.#piece = null;
    return shared;
  }

  /**
   * Gives away the memory of the last read for `bytes` of it. Returns the function that takes it back, or null if `bytes`
   * must be copied: the memory is shared, was given away or would hold little.
   */
  lend(bytes: number): (() => void) | null {
    const piece = this.#piece;
    if (piece === null || bytes * 2 < PIECE_BYTES) return null;
    this.#piece = null;
    return () => keep(piece);
  }
}

function keep(piece: Buffer): void {
  if (spare.length < SPARE_MAX) spare.push(piece);
}
