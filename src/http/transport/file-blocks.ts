import { contentMemory } from '../buffering/content-memory.ts';

const LARGE = 512 * 1024;
const SMALL = 16 * 1024;
/** Large blocks in use at once: 32 MiB. Beyond them files are sent in small blocks, so that slow clients cannot take all memory. */
const LARGE_MAX = 64;
/** Large blocks that are kept for the next file. */
const SPARE_MAX = 8;

const spare: Buffer[] = [];
let inUse = 0;

/** Memory for reading files: large blocks while enough are free and `contentMemory` has room, else small blocks. */
export const FileBlocks = {
  /** Returns a block for a file with `bytes` still to read. The block may be shorter. */
  take(bytes: number): Buffer {
    if (bytes <= SMALL || inUse >= LARGE_MAX || !contentMemory.hasRoom(LARGE))
      return Buffer.allocUnsafeSlow(Math.min(bytes, SMALL));
    inUse += 1;
    contentMemory.hold(LARGE);
    return spare.pop() ?? Buffer.allocUnsafeSlow(LARGE);
  },

  /** Returns a block of `take` when its bytes are no longer needed. */
  giveBack(block: Buffer): void {
    if (block.length !== LARGE) return;
    inUse -= 1;
    contentMemory.release(LARGE);
    if (spare.length < SPARE_MAX) spare.push(block);
  },
};
