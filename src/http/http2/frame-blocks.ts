/** Room for eight full DATA frames, which is what one turn of the event loop writes, and for the frames between them. */
const BLOCK_BYTES = 147_456;
/** Blocks that sockets have at once: 9 MB. */
const LENT_MAX = 64;
/** Free blocks that are kept. */
const SPARE_MAX = 16;

const spare: Buffer[] = [];
let lent = 0;

/**
 * Memory for the frames of all connections. Memory of its own for each write would be cheap to take but dear to collect: V8 starts a
 * collection when enough of it was allocated, however little the heap holds.
 */
export const FrameBlocks = {
  bytes: BLOCK_BYTES,

  /** Blocks that sockets have. */
  get lent(): number {
    return lent;
  },

  /** Returns a block for this turn of the event loop. */
  take(): Buffer {
    return spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  },

  /** `block` of `take` goes to a socket. Returns false if sockets have too many: then the socket must get a copy. */
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
    if (spare.length < SPARE_MAX) spare.push(block);
  },
};
