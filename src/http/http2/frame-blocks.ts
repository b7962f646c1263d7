/** Room for eight full DATA frames, which is what one turn of the event loop writes, and for the frames between them. */
const BLOCK_BYTES = 147_456;
/** Room for a head and a short answer or event. */
const SMALL_BYTES = 8192;
/** Blocks that sockets have at once: 9 MB. */
const LENT_MAX = 64;
/** Free blocks that are kept, of each size. */
const SPARE_MAX = 16;

const spare: Buffer[] = [];
const spareSmall: Buffer[] = [];
let lent = 0;

/**
 * Memory for the frames of all connections. Memory of its own for each write would be cheap to take but dear to collect: V8 starts a
 * collection when enough of it was allocated, however little the heap holds. For the same reason short output gets a small block: an event
 * for thousands of connections has as many blocks at once.
 */
export const FrameBlocks = {
  /** The length of a small block, which no socket gets: its output leaves as a copy. */
  smallBytes: SMALL_BYTES,

  /** Blocks that sockets have. */
  get lent(): number {
    return lent;
  },

  /** Returns a block for this turn of the event loop: a small one if `bytes` fit into it. */
  take(bytes: number): Buffer {
    if (bytes <= SMALL_BYTES) return spareSmall.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
    return spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  },

  /** A large block of `take` goes to a socket. Returns false if sockets have too many: then the socket must get a copy. */
  lend(): boolean {
    if (lent === LENT_MAX) return false;
    lent += 1;
    return true;
  },

  /** The socket does not need a block of `lend` any more. */
  returned(block: Buffer): void {
    lent -= 1;
    FrameBlocks.giveBack(block);
  },

  /** A block of `take` is free. */
  giveBack(block: Buffer): void {
    const free = block.length === SMALL_BYTES ? spareSmall : spare;
    if (free.length < SPARE_MAX) free.push(block);
  },
};
