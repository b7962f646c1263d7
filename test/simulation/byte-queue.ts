/** Bytes in order, such as in the kernel's buffer of a socket. */
export class ByteQueue {
  length = 0;
  #blocks: Buffer[] = [];

  push(block: Buffer): void {
    if (block.length === 0) return;
    this.#blocks.push(block);
    this.length += block.length;
  }

  unshift(block: Buffer): void {
    if (block.length === 0) return;
    this.#blocks.unshift(block);
    this.length += block.length;
  }

  /** Removes and returns at most `max` bytes. */
  take(max: number): Buffer {
    const taken: Buffer[] = [];
    let missing = Math.min(max, this.length);
    this.length -= missing;
    while (missing > 0) {
      const first = this.#blocks[0] as Buffer;
      if (first.length <= missing) this.#blocks.shift();
      else this.#blocks[0] = first.subarray(missing);
      taken.push(first.subarray(0, missing));
      missing -= Math.min(first.length, missing);
    }
    return taken.length === 1 ? (taken[0] as Buffer) : Buffer.concat(taken);
  }

  clear(): void {
    this.#blocks = [];
    this.length = 0;
  }
}
