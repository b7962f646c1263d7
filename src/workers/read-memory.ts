/** A large block is received in pieces of this size: about what a Unix socket holds. */
const PIECE_BYTES = 262_144;
/** Less than this is copied: it would hold a whole piece. */
const LENT_BYTES_MIN = 65_536;
/** Free pieces that are kept: as much as one response waits with by default (`response_buffer_bytes_max`). */
const SPARE_MAX = 64;

/** Memory that all lanes share: what it holds is valid during one call. */
const shared = Buffer.allocUnsafeSlow(65_536);
const spare: Piece[] = [];

interface Piece {
  readonly memory: Buffer;
  /** How many of those who got a part of it still need it. */
  users: number;
}

/**
 * The memory into which a lane receives. Node would allocate it for each read, and to collect it again would cost as
 * much as to copy it. Small frames must be copied out of shared memory. A piece of a large block is passed on without a copy,
 * and its memory is used again when the kernel has taken it.
 */
export class ReadMemory {
  #piece: Piece | null = null;

  /** Whether the last read went into the memory that all lanes share. */
  get isShared(): boolean {
    return this.#piece === null;
  }

  /** The memory for the next read. `isLarge`: what will be read is part of a large block. */
  next(isLarge: boolean): Buffer {
    const last = this.#piece;
    if (last !== null && last.users > 0) this.#piece = null;
    if (isLarge) {
      this.#piece ??= spare.pop() ?? { memory: Buffer.allocUnsafeSlow(PIECE_BYTES), users: 0 };
      return this.#piece.memory;
    }
    if (this.#piece !== null) keep(this.#piece);
    this.#piece = null;
    return shared;
  }

  /**
   * Lends `bytes` of the last read to a user. Returns the function that takes them back, or null if they must be copied: the
   * memory is shared, or the bytes are few.
   */
  lend(bytes: number): (() => void) | null {
    const piece = this.#piece;
    if (piece === null || bytes < LENT_BYTES_MIN) return null;
    piece.users += 1;
    return () => {
      piece.users -= 1;
      if (piece.users === 0 && piece !== this.#piece) keep(piece);
    };
  }
}

function keep(piece: Piece): void {
  if (spare.length < SPARE_MAX) spare.push(piece);
}
