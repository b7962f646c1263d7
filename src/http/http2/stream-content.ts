import type { Refusal } from '../refusal.ts';
import type { HttpLimits } from '../transport/limits.ts';
import { WINDOW_BYTES } from './frames.ts';
import { type BodyOwner, StreamBody } from './stream-body.ts';

/** The stream as the content of its request sees it. */
export interface ContentOwner {
  /** The client waits for `100 Continue`, and the application wants the content. */
  onContinueWanted(): void;
  /** The content is wrong, too large or too slow. */
  onContentRefused(refusal: Refusal): void;
  /** The client may send `bytes` more on all streams of the connection. */
  creditConnection(bytes: number): void;
  /** The client may send `bytes` more on this stream. */
  creditStream(bytes: number): void;
}

/** What a client may send ahead while the application reads. Before that, the first size of windows applies. */
const READING_WINDOW_BYTES = 262_144;
/** The client learns that it may send more when that is worth a frame. */
const CREDIT_BYTES_MIN = 65_536;

/** The content of a request and the client's window for it (RFC 9113 section 6.9). */
export class StreamContent implements BodyOwner {
  readonly body: StreamBody;
  readonly #owner: ContentOwner;
  #expectsContinue: boolean;
  /** What the client may send now. */
  #window = WINDOW_BYTES;
  /** Content that was passed on, of which the client does not know yet. */
  #uncredited = 0;
  /** Whether the application has started to read. */
  #isReading = false;

  /** `length` is -1 for content without an announced length. */
  constructor(length: number, expectsContinue: boolean, limits: HttpLimits, owner: ContentOwner) {
    this.body = new StreamBody(length, limits, this);
    this.#expectsContinue = expectsContinue;
    this.#owner = owner;
  }

  /** A DATA frame of `bytes` starts. Returns false if these are more than the client may send. */
  takeFromWindow(bytes: number): boolean {
    this.#window -= bytes;
    return this.#window >= 0;
  }

  onBodyWanted(): void {
    if (this.#expectsContinue && this.body.received === 0) this.#owner.onContinueWanted();
    this.#expectsContinue = false;
    if (this.#isReading) return;
    this.#isReading = true;
    this.#credit(READING_WINDOW_BYTES - WINDOW_BYTES);
  }

  onBodyTaken(bytes: number): void {
    this.#owner.creditConnection(bytes);
    this.#credit(bytes);
  }

  onBodyDropped(bytes: number): void {
    this.#owner.creditConnection(bytes);
  }

  onBodyRefused(refusal: Refusal): void {
    this.#owner.onContentRefused(refusal);
  }

  #credit(bytes: number): void {
    this.#uncredited += bytes;
    if (this.#uncredited < CREDIT_BYTES_MIN) return;
    this.#window += this.#uncredited;
    this.#owner.creditStream(this.#uncredited);
    this.#uncredited = 0;
  }
}
