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

/** Frames are gathered in memory of this size. */
const GATHERED_BYTES = 32_768;
/** Shorter content is copied behind the other frames; longer content gets memory of its own. */
const COPIED_BYTES_MAX = 8192;
const SPARE_MAX = 16;

const spare: Buffer[] = [];

/**
 * Gathers the frames for a peer, so that what one turn of the event loop produces leaves in one write. It holds memory only between the first
 * frame and `take`.
 */
export class FrameWriter {
  #buffer: Buffer | null = null;
  #at = 0;
  /** What comes before `#buffer`. */
  #full: Buffer[] = [];
  #fullBytes = 0;
  /** The last DATA frame while it is here: its stream (0 for none), its memory and the position of its head. */
  #dataId = 0;
  #dataIn: Buffer | null = null;
  #dataAt = 0;

  /** Bytes that wait for `take`. */
  get bytes(): number {
    return this.#fullBytes + this.#at;
  }

  /** Returns everything that was written, in order. */
  take(): readonly Buffer[] {
    const buffer = this.#buffer;
    if (buffer === null) return this.#full;
    this.#cut(buffer);
    this.#buffer = null;
    if (spare.length < SPARE_MAX) spare.push(buffer);
    const taken = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    this.#dataId = 0;
    this.#dataIn = null;
    return taken;
  }

  /** Makes room for `bytes`, at most `GATHERED_BYTES`. Write them from `position` on, then call `advance`. */
  reserve(bytes: number): Buffer {
    let buffer = this.#buffer;
    if (buffer === null) {
      buffer = spare.pop() ?? Buffer.allocUnsafeSlow(GATHERED_BYTES);
      this.#buffer = buffer;
    } else if (this.#at + bytes > GATHERED_BYTES) this.#cut(buffer);
    return buffer;
  }

  get position(): number {
    return this.#at;
  }

  /** The frames in the memory of `reserve` now end at `position`. */
  advance(position: number): void {
    this.#at = position;
  }

  /** Writes a header section of `length` bytes at `start` of `block`, in as many frames as it needs. */
  headers(id: number, block: Uint8Array, start: number, length: number, endsStream: boolean): void {
    const end = start + length;
    const ends = endsStream ? END_STREAM : 0;
    let at = start;
    do {
      const size = Math.min(end - at, FRAME_BYTES_MAX);
      const isLast = at + size === end ? END_HEADERS : 0;
      const out = this.reserve(FRAME_HEAD_BYTES + size);
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
    const flags = endsStream ? END_STREAM : 0;
    if (length > COPIED_BYTES_MAX) {
      this.reserve(0);
      if (this.#at > 0) this.#cut(this.#buffer as Buffer);
      const frame = Buffer.allocUnsafeSlow(FRAME_HEAD_BYTES + length);
      frame.set(bytes.subarray(start, end), writeFrameHead(frame, 0, length, DATA, flags, id));
      this.#full.push(frame);
      this.#fullBytes += frame.length;
      this.#dataId = id;
      this.#dataIn = frame;
      this.#dataAt = 0;
      return;
    }
    const out = this.reserve(FRAME_HEAD_BYTES + length);
    this.#dataId = id;
    this.#dataIn = out;
    this.#dataAt = this.#at;
    const from = writeFrameHead(out, this.#at, length, DATA, flags, id);
    if (length > 0) out.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), from);
    this.#at = from + length;
  }

  /** Ends stream `id`: with its last DATA frame if that is still here and nothing was written after it, else with an empty one. */
  end(id: number): void {
    const frame = this.#dataIn;
    if (frame !== null && this.#dataId === id && this.#isLast(frame)) frame[this.#dataAt + 4] = END_STREAM;
    else this.data(id, NO_BYTES, 0, 0, true);
  }

  #isLast(frame: Buffer): boolean {
    if (frame !== this.#buffer) return this.#at === 0 && this.#full.at(-1) === frame;
    return this.#dataAt + FRAME_HEAD_BYTES + frame.readUIntBE(this.#dataAt, 3) === this.#at;
  }

  settings(values: readonly (readonly [key: number, value: number])[]): void {
    const out = this.reserve(FRAME_HEAD_BYTES + SETTING_BYTES * values.length);
    let at = writeFrameHead(out, this.#at, SETTING_BYTES * values.length, SETTINGS, 0, 0);
    for (const [key, value] of values) {
      out[at] = key >> 8;
      out[at + 1] = key;
      at = writeUint32(out, at + 2, value);
    }
    this.#at = at;
  }

  settingsAck(): void {
    this.#at = writeFrameHead(this.reserve(FRAME_HEAD_BYTES), this.#at, 0, SETTINGS, ACK, 0);
  }

  /** Writes the eight bytes at `start` of `bytes`. */
  ping(bytes: Uint8Array, start: number, isAck: boolean): void {
    const out = this.reserve(FRAME_HEAD_BYTES + 8);
    const at = writeFrameHead(out, this.#at, 8, PING, isAck ? ACK : 0, 0);
    out.set(bytes.subarray(start, start + 8), at);
    this.#at = at + 8;
  }

  reset(id: number, code: number): void {
    const out = this.reserve(FRAME_HEAD_BYTES + 4);
    this.#at = writeUint32(out, writeFrameHead(out, this.#at, 4, RST_STREAM, 0, id), code);
  }

  windowUpdate(id: number, increment: number): void {
    const out = this.reserve(FRAME_HEAD_BYTES + 4);
    this.#at = writeUint32(out, writeFrameHead(out, this.#at, 4, WINDOW_UPDATE, 0, id), increment);
  }

  goaway(lastId: number, code: number): void {
    const out = this.reserve(FRAME_HEAD_BYTES + 8);
    const at = writeFrameHead(out, this.#at, 8, GOAWAY, 0, 0);
    this.#at = writeUint32(out, writeUint32(out, at, lastId), code);
  }

  /** Copies what `buffer` has, so that it can be used again. */
  #cut(buffer: Buffer): void {
    if (this.#at === 0) return;
    this.#dataId = 0;
    this.#full.push(Buffer.from(buffer.subarray(0, this.#at)));
    this.#fullBytes += this.#at;
    this.#at = 0;
  }
}

const NO_BYTES = new Uint8Array(0);
