import { contentMemory } from './content-memory.ts';

export interface BlockSizes {
  readonly largeBytes: number;
  readonly smallBytes: number;
  /** Large blocks in use at once. Beyond them small blocks are used, so that slow clients cannot take all memory. */
  readonly largeMax: number;
  /** Free large blocks that are kept. */
  readonly spareMax: number;
}

/** Memory for reading or writing files: large blocks while enough are free and `contentMemory` has room, else small blocks. */
export class BlockPool {
  readonly #sizes: BlockSizes;
  readonly #spare: Buffer[] = [];
  #inUse = 0;

  constructor(sizes: BlockSizes) {
    this.#sizes = sizes;
  }

  /** Returns a block for `bytes`. The block may be shorter. */
  take(bytes: number): Buffer {
    const { largeBytes, smallBytes, largeMax } = this.#sizes;
    if (bytes <= smallBytes || this.#inUse >= largeMax || !contentMemory.hasRoom(largeBytes)) {
      return Buffer.allocUnsafeSlow(Math.min(bytes, smallBytes));
    }
    this.#inUse += 1;
    contentMemory.hold(largeBytes);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(largeBytes);
  }

  /** Returns a block of `take` when its bytes are no longer needed. */
  giveBack(block: Buffer): void {
    const { largeBytes, spareMax } = this.#sizes;
    if (block.length !== largeBytes) return;
    this.#inUse -= 1;
    contentMemory.release(largeBytes);
    if (this.#spare.length < spareMax) this.#spare.push(block);
  }
}
