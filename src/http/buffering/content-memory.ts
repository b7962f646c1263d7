const DEFAULT_BYTES_MAX = 256 * 1024 * 1024;
/** What a block costs in addition to its bytes: its object and its place in a list. */
const BLOCK_BYTES = 128;

/**
 * Counts the content that this process holds in memory because its receiver does not take it yet: responses for slow clients, uploads that
 * are not complete or wait for a worker, blocks of files. A holder of content asks `hasRoom` first. Without room, the content goes to a file,
 * its source pauses, or the smallest block is used. Therefore the process holds at most `bytesMax`, plus a small part for each connection.
 */
class ContentMemory {
  /** The setting `content_memory_bytes_max`. */
  bytesMax = DEFAULT_BYTES_MAX;
  #held = 0;

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  hasRoom(bytes: number): boolean {
    return this.#held + bytes <= this.bytesMax;
  }

  /** Counts `bytes` until `release`, whether there is room or not. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

/** The count of this process. All servers in the process share it. */
export const contentMemory = new ContentMemory();

/** Memory that a block may keep alive in addition to its own. */
const SPARE_BYTES_MAX = 4096;

/**
 * `block` with memory that is about as large as the block. Blocks are often parts of larger memory, such as what a socket received, and one
 * that waits would keep all of it alive.
 */
export function compact(block: Uint8Array): Uint8Array {
  return block.buffer.byteLength <= 2 * block.length + SPARE_BYTES_MAX ? block : new Uint8Array(block);
}

/** What it costs to hold `block`. */
export function costOf(block: Uint8Array): number {
  return block.length + BLOCK_BYTES;
}
