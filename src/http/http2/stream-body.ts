import { contentMemory, costOf } from '../buffering/content-memory.ts';
import type { BodySink, HeaderList, RequestBody } from '../message.ts';
import { Refusal } from '../refusal.ts';
import { passedTrailers } from '../semantics/trailers.ts';
import type { HttpLimits } from '../transport/limits.ts';

const TOO_LARGE = new Refusal(413, 'the content is too large');
const TRAILERS_TOO_LARGE = new Refusal(431, 'the trailer lines are too long');
const FORBIDDEN_TRAILER = new Refusal(400, 'a trailer field frames or routes the message');
const TRAILERS_FORBIDDEN = new Set(['content-length', 'transfer-encoding', 'host']);

/** The stream as the body of its request sees it. */
export interface BodyOwner {
  /** The application wants content. */
  onBodyWanted(): void;
  /** `bytes` of content were passed on: the client may send as many again. */
  onBodyTaken(bytes: number): void;
  /** `bytes` of content were dropped. */
  onBodyDropped(bytes: number): void;
  /** The content is wrong or too large. */
  onBodyRefused(refusal: Refusal): void;
}

/**
 * The content of one request, from the DATA frames of its stream. It holds what arrives while the application does not read: at most the
 * stream's window, because only content that was passed on opens the window again.
 */
export class StreamBody implements RequestBody {
  readonly length: number;
  trailers: HeaderList = [];
  /** Bytes of content that have arrived. */
  received = 0;
  /** Whether the client has sent everything. */
  #ended = false;
  #state: 'new' | 'flowing' | 'paused' | 'cancelled' | 'complete' | 'failed' = 'new';
  #sink: BodySink | null = null;
  /** Why the content failed before its start. */
  #failure: Error | null = null;
  #held: Buffer[] | null = null;
  /** Bytes that were passed on while the application paused. */
  #takenInPause = 0;
  #draining = false;
  readonly #limits: HttpLimits;
  readonly #owner: BodyOwner;

  /** `length` is -1 for content without an announced length. */
  constructor(length: number, limits: HttpLimits, owner: BodyOwner) {
    this.length = length;
    this.#limits = limits;
    this.#owner = owner;
  }

  /** Whether no more content will come. */
  get over(): boolean {
    return this.#state === 'complete' || this.#state === 'failed';
  }

  /** Whether the application waits for what the client sends. */
  get flowing(): boolean {
    return this.#state === 'flowing' && !this.#ended;
  }

  /** The whole content, if it has arrived without trailers and nobody has started to read it; else null. */
  takeWhole(): Uint8Array | null {
    if (this.#state !== 'new' || !this.#ended || this.trailers.length > 0) return null;
    const blocks = this.#held ?? [];
    const whole = blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
    this.#state = 'complete';
    this.#held = null;
    for (const block of blocks) contentMemory.release(costOf(block));
    return whole;
  }

  /** Content that has failed before its start fails at once: the application may wait for nothing else. */
  start(sink: BodySink): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) sink.fail(failure);
    if (this.#state !== 'new') return;
    this.#sink = sink;
    this.#state = 'flowing';
    this.#owner.onBodyWanted();
    this.#drain();
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#owner.onBodyWanted();
    this.#drain();
  }

  cancel(): void {
    this.#sink = null;
    if (this.over || this.#state === 'cancelled') return;
    this.#state = 'cancelled';
    this.#forget();
  }

  /** The content will not arrive completely. */
  fail(error: Error): void {
    if (this.over) return;
    if (this.#state === 'new') this.#failure = error;
    this.#state = 'failed';
    this.#forget();
    const sink = this.#sink;
    this.#sink = null;
    sink?.fail(error);
  }

  /** Content arrived. Returns false if it is longer than its announced length. */
  receive(bytes: Buffer, start: number, end: number): boolean {
    this.received += end - start;
    if (this.length >= 0 && this.received > this.length) return false;
    if (!this.over && this.received > this.#limits.bodyBytesMax) this.#owner.onBodyRefused(TOO_LARGE);
    if (this.over || this.#state === 'cancelled') this.#owner.onBodyDropped(end - start);
    else if (this.#state === 'flowing' && this.#held === null) this.#pass(bytes.subarray(start, end));
    else {
      const block = Buffer.from(bytes.subarray(start, end));
      this.#held ??= [];
      this.#held.push(block);
      contentMemory.hold(costOf(block));
    }
    return true;
  }

  /** The client has sent everything. Returns false if that is less than the announced length. */
  end(): boolean {
    if (this.length >= 0 && this.received !== this.length) return false;
    this.#ended = true;
    if (this.#state === 'flowing') this.#drain();
    return true;
  }

  /** The trailer section `fields` arrived; `isCut` says that it had more. Returns whether it is acceptable. */
  readTrailers(fields: HeaderList, isCut = false): boolean {
    let bytes = 0;
    let refusal: Refusal | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      bytes += (fields[i] as string).length + (fields[i + 1] as string).length + 4;
      if (TRAILERS_FORBIDDEN.has(fields[i] as string)) refusal = FORBIDDEN_TRAILER;
    }
    if (isCut || bytes > this.#limits.trailerBytesMax || fields.length > 2 * this.#limits.headerCountMax) {
      refusal = TRAILERS_TOO_LARGE;
    }
    if (refusal !== null) this.#owner.onBodyRefused(refusal);
    else this.trailers = passedTrailers(fields, null);
    return refusal === null;
  }

  #pass(block: Uint8Array): void {
    this.#sink?.write(block);
    if (this.#state === 'paused') this.#takenInPause += block.length;
    else this.#owner.onBodyTaken(block.length);
  }

  /** Passes on what was held. The application may pause again at each block. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    if (this.#takenInPause > 0) this.#owner.onBodyTaken(this.#takenInPause);
    this.#takenInPause = 0;
    while (this.#state === 'flowing' && this.#held !== null) {
      const block = this.#held.shift() as Buffer;
      if (this.#held.length === 0) this.#held = null;
      contentMemory.release(costOf(block));
      this.#pass(block);
    }
    this.#draining = false;
    if (this.#state !== 'flowing' || !this.#ended) return;
    this.#state = 'complete';
    const sink = this.#sink;
    this.#sink = null;
    sink?.end();
  }

  #forget(): void {
    let bytes = this.#takenInPause;
    for (const block of this.#held ?? []) {
      contentMemory.release(costOf(block));
      bytes += block.length;
    }
    this.#held = null;
    this.#takenInPause = 0;
    if (bytes > 0) this.#owner.onBodyDropped(bytes);
  }
}
