import type { FrameWriter } from './frame-writer.ts';
import { WINDOW_BYTES } from './frames.ts';

/** What a client may send on all streams of a connection (RFC 9113 section 6.9). Content that was passed on opens it again. */
export class ReceiveWindow {
  readonly #writer: FrameWriter;
  readonly #bytes: number;
  #left = WINDOW_BYTES;
  /** What the client does not know of yet. */
  #credit = 0;

  /** `bytes` is the size of the window. */
  constructor(writer: FrameWriter, bytes: number) {
    this.#writer = writer;
    this.#bytes = bytes;
  }

  /** Gives the window its size. */
  open(): void {
    this.#writer.windowUpdate(0, this.#bytes - WINDOW_BYTES);
    this.#left = this.#bytes;
  }

  /** The client sent `bytes`. Returns false if these are too many. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** `bytes` were passed on. The client learns of it when half of the window is used up. Returns whether a frame was written. */
  credit(bytes: number): boolean {
    this.#credit += bytes;
    if (2 * this.#credit < this.#bytes) return false;
    this.#writer.windowUpdate(0, this.#credit);
    this.#left += this.#credit;
    this.#credit = 0;
    return true;
  }
}
