const LARGE = 512 * 1024;
const SMALL = 16 * 1024;
/** Large blocks that may be in use at once: 32 MiB. Past it files go out in small ones, so slow clients cannot take all memory. */
const LARGE_MAX = 64;
/** Large blocks kept for the next file. */
const SPARE_MAX = 8;

const spare: Buffer[] = [];
let inUse = 0;

/** Memory for reading files: large blocks while there are enough, small ones otherwise. */
export const FileBlocks = {
  /** A block for a file of which `bytes` are still to be read. */
  take(bytes: number): Buffer {
    if (bytes <= SMALL || inUse >= LARGE_MAX) return Buffer.allocUnsafeSlow(Math.min(bytes, SMALL));
    inUse += 1;
    return spare.pop() ?? Buffer.allocUnsafeSlow(LARGE);
  },

  giveBack(block: Buffer): void {
    if (block.length !== LARGE) return;
    inUse -= 1;
    if (spare.length < SPARE_MAX) spare.push(block);
  },
};
