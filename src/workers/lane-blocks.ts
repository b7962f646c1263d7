import { ReadMemory } from './read-memory.ts';
import type { WorkerBody } from './worker-body.ts';

/** Larger blocks are passed on as they are. */
export const JOINED_BYTES_MAX = 4096;
/** A longer read is not copied as a whole. */
const COPIED_BYTES_MAX = 8_192;
/** After a block of this size, the next one is received as a large one from its start. */
const LARGE_BYTES = 65_536;

/** The blocks of response bodies on their way through a lane: large ones in the parts in which they arrive, small ones joined. */
export class LaneBlocks {
  /** Whether the data that is being read is part of a piece, which is valid only during the call. */
  #isLent = false;
  readonly #memory = new ReadMemory();
  readonly #onLastPassed: () => void;
  /** The body whose block is passed on as it arrives, the number of remaining bytes, and whether no block follows. */
  #passing: WorkerBody | null = null;
  #remaining = 0;
  #isLast = false;
  /** Whether the last block was large, so that the next one probably is. */
  #isLarge = false;
  /** Small blocks of one response that arrived together: they are one for everyone after this lane. */
  #joined: { readonly stream: WorkerBody; readonly data: Buffer; readonly start: number; end: number } | null = null;

  /** `onLastPassed` is called when the last block of a body was passed on completely. */
  constructor(onLastPassed: () => void) {
    this.#onLastPassed = onLastPassed;
  }

  /** Whether the rest of a block is to come. */
  get arePassing(): boolean {
    return this.#passing !== null;
  }

  /** Whether the block that is passed on is the last one of its body. */
  get isLast(): boolean {
    return this.#isLast;
  }

  /** The memory for the next read. */
  nextMemory(): Buffer {
    return this.#memory.next(this.#passing !== null || this.#isLarge);
  }

  /**
   * Returns what has arrived, for one read. One copy out of shared memory is cheaper than one for each frame, but a frame that
   * waits for its client would keep all of a long one.
   */
  begin(data: Buffer, isLent: boolean): Buffer {
    const mustCopy = isLent && this.#memory.isShared && data.length <= COPIED_BYTES_MAX;
    this.#isLent = isLent && !mustCopy;
    return mustCopy ? Buffer.from(data) : data;
  }

  /** The data that is being read is `rest` and then `data`, in memory of its own. */
  join(rest: Buffer, data: Buffer): Buffer {
    this.#isLent = false;
    return Buffer.concat([rest, data]);
  }

  /** Returns `bytes` in memory that nobody else changes. */
  keep(bytes: Buffer): Buffer {
    return this.#isLent ? Buffer.from(bytes) : bytes;
  }

  /** Passes on the bytes after `start` of a block of `length` bytes. Those that are missing follow as they arrive. */
  pass(stream: WorkerBody, data: Buffer, start: number, length: number, isLast: boolean): void {
    this.#passing = stream;
    this.#remaining = length;
    this.#isLast = isLast;
    this.#isLarge = length >= LARGE_BYTES && !isLast;
    this.passOn(data, start);
  }

  /** Passes on the part of the current block that `data` contains after `start`; returns where this part ends. */
  passOn(data: Buffer, start: number): number {
    const stream = this.#passing;
    if (stream === null) return start;
    const end = Math.min(data.length, start + this.#remaining);
    if (end > start) this.#write(stream, data.subarray(start, end));
    this.#remaining -= end - start;
    if (this.#remaining > 0) return end;
    this.#passing = null;
    if (this.#isLast) {
      this.#isLast = false;
      this.#onLastPassed();
      stream.end();
    }
    return end;
  }

  /** Moves a small block in `data` behind those before it. `passJoined` must follow in the same call. */
  collect(stream: WorkerBody, data: Buffer, start: number, length: number): void {
    const joined = this.#joined;
    if (joined === null) {
      this.#joined = { stream, data, start, end: start + length };
      return;
    }
    data.copyWithin(joined.end, start, start + length);
    joined.end += length;
  }

  /** The next frame is not a block. */
  finish(): void {
    this.passJoined();
    this.#isLarge = false;
  }

  passJoined(): void {
    const joined = this.#joined;
    if (joined === null) return;
    this.#joined = null;
    this.#write(joined.stream, joined.data.subarray(joined.start, joined.end));
  }

  /** The worker sends no more: a body that is being passed on breaks off. */
  abort(): void {
    this.#passing?.abort();
    this.#passing = null;
  }

  #write(stream: WorkerBody, block: Buffer): void {
    const release = this.#isLent ? this.#memory.lend(block.length) : null;
    if (release === null) stream.write(this.keep(block));
    else stream.write(block, release);
  }
}
