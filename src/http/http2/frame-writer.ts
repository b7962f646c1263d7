import { FrameBlocks } from './frame-blocks.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTING_BYTES,
  SETTINGS,
  WINDOW_UPDATE,
  writeFrameHead,
  writeUint32,
} from './frames.ts';

/** What a socket needs to be to take frames. */
export interface FrameSink {
  cork(): void;
  uncork(): void;
  /** Takes `bytes`, which do not change until `onWritten` is called. Returns whether it wants more. */
  write(bytes: Buffer, onWritten?: (error?: Error | null) => void): boolean;
}

/**
 * Gathers the frames for a peer, so that what one turn of the event loop produces leaves in one write. It holds memory only between the first
 * frame and `writeTo`.
 */
export class FrameWriter {
  #block: Buffer | null = null;
  #at = 0;
  /** Blocks that come before `#block`, and how much of each is used. */
  #full: Buffer[] = [];
  #fullSizes: number[] = [];
  #fullBytes = 0;
  /** The last DATA frame while it is in `#block`: its stream (0 for none) and the position of its head. */
  #dataId = 0;
  #dataAt = 0;

  /** Bytes that wait for `writeTo`. */
  get bytes(): number {
    return this.#fullBytes + this.#at;
  }

  /** Writes everything to `sink`, in order. Returns whether the sink wants more. */
  writeTo(sink: FrameSink): boolean {
    const full = this.#full;
    if (full.length === 0) return this.#writeBlock(sink);
    const sizes = this.#fullSizes;
    this.#full = [];
    this.#fullSizes = [];
    this.#fullBytes = 0;
    sink.cork();
    let more = true;
    for (let i = 0; i < full.length; i += 1) more = write(sink, full[i] as Buffer, sizes[i] as number);
    if (this.#block !== null) more = this.#writeBlock(sink);
    sink.uncork();
    return more;
  }

  #writeBlock(sink: FrameSink): boolean {
    const block = this.#block;
    if (block === null) return true;
    const bytes = this.#at;
    this.#block = null;
    this.#at = 0;
    this.#dataId = 0;
    return write(sink, block, bytes);
  }

  /** Writes a header section of `length` bytes at `start` of `block`, in as many frames as it needs. */
  headers(id: number, block: Uint8Array, start: number, length: number, endsStream: boolean): void {
    const end = start + length;
    const ends = endsStream ? END_STREAM : 0;
    let at = start;
    do {
      const size = Math.min(end - at, FRAME_BYTES_MAX);
      const isLast = at + size === end ? END_HEADERS : 0;
      const out = this.#reserve(FRAME_HEAD_BYTES + size);
      const from =
        at === start
          ? writeFrameHead(out, this.#at, size, HEADERS, ends | isLast, id)
          : writeFrameHead(out, this.#at, size, CONTINUATION, isLast, id);
      out.set(at === 0 && size === block.length ? block : block.subarray(at, at + size), from);
      this.#at = from + size;
      at += size;
    } while (at < end);
  }

  /** Writes the content `start` to `end` of `bytes` as one DATA frame, with a copy. */
  data(id: number, bytes: Uint8Array, start: number, end: number, endsStream: boolean): void {
    const length = end - start;
    const out = this.#reserve(FRAME_HEAD_BYTES + length);
    this.#dataId = id;
    this.#dataAt = this.#at;
    const from = writeFrameHead(out, this.#at, length, DATA, endsStream ? END_STREAM : 0, id);
    if (length > 0) out.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), from);
    this.#at = from + length;
  }

  /** Ends stream `id`: with its last DATA frame if that is still here and nothing was written after it, else with an empty one. */
  end(id: number): void {
    const block = this.#block;
    const at = this.#dataAt;
    if (block !== null && this.#dataId === id && at + FRAME_HEAD_BYTES + block.readUIntBE(at, 3) === this.#at) {
      block[at + 4] = END_STREAM;
    } else this.data(id, NO_BYTES, 0, 0, true);
  }

  settings(values: readonly (readonly [key: number, value: number])[]): void {
    const out = this.#reserve(FRAME_HEAD_BYTES + SETTING_BYTES * values.length);
    let at = writeFrameHead(out, this.#at, SETTING_BYTES * values.length, SETTINGS, 0, 0);
    for (const [key, value] of values) {
      out[at] = key >> 8;
      out[at + 1] = key;
      at = writeUint32(out, at + 2, value);
    }
    this.#at = at;
  }

  settingsAck(): void {
    this.#at = writeFrameHead(this.#reserve(FRAME_HEAD_BYTES), this.#at, 0, SETTINGS, ACK, 0);
  }

  /** Writes the eight bytes at `start` of `bytes`. */
  ping(bytes: Uint8Array, start: number, isAck: boolean): void {
    const out = this.#reserve(FRAME_HEAD_BYTES + 8);
    const at = writeFrameHead(out, this.#at, 8, PING, isAck ? ACK : 0, 0);
    out.set(bytes.subarray(start, start + 8), at);
    this.#at = at + 8;
  }

  reset(id: number, code: number): void {
    const out = this.#reserve(FRAME_HEAD_BYTES + 4);
    this.#at = writeUint32(out, writeFrameHead(out, this.#at, 4, RST_STREAM, 0, id), code);
  }

  windowUpdate(id: number, increment: number): void {
    const out = this.#reserve(FRAME_HEAD_BYTES + 4);
    this.#at = writeUint32(out, writeFrameHead(out, this.#at, 4, WINDOW_UPDATE, 0, id), increment);
  }

  goaway(lastId: number, code: number): void {
    const out = this.#reserve(FRAME_HEAD_BYTES + 8);
    const at = writeFrameHead(out, this.#at, 8, GOAWAY, 0, 0);
    this.#at = writeUint32(out, writeUint32(out, at, lastId), code);
  }

  /** Makes room for `bytes`, at most a full frame, and returns the memory. They belong at `#at`. */
  #reserve(bytes: number): Buffer {
    let block = this.#block;
    if (block !== null && this.#at + bytes > block.length) block = this.#replace(block, bytes);
    block ??= FrameBlocks.take(bytes);
    this.#block = block;
    return block;
  }

  /** Moves what a small block has to one with room for `bytes` more. A large block is full: then the result is null. */
  #replace(block: Buffer, bytes: number): Buffer | null {
    const at = this.#at;
    if (block.length === FrameBlocks.smallBytes) {
      const large = FrameBlocks.take(at + bytes);
      large.set(block.subarray(0, at));
      FrameBlocks.giveBack(block);
      return large;
    }
    this.#full.push(block);
    this.#fullSizes.push(at);
    this.#fullBytes += at;
    this.#at = 0;
    this.#dataId = 0;
    return null;
  }
}

/**
 * Writes the first `bytes` of `block`, which then belongs to the sink until it has written them, or is free. Short output leaves as a
 * copy, so that its block is free at once.
 */
function write(sink: FrameSink, block: Buffer, bytes: number): boolean {
  const part = block.subarray(0, bytes);
  if (bytes > FrameBlocks.smallBytes && FrameBlocks.lend()) return sink.write(part, () => FrameBlocks.returned(block));
  const copy = Buffer.from(part);
  FrameBlocks.giveBack(block);
  return sink.write(copy);
}

const NO_BYTES = new Uint8Array(0);
