import type { BodySink, HeaderList, RequestBody } from '../message.ts';
import { Refusal, type RequestBodyError } from '../refusal.ts';
import type { HttpLimits } from '../transport/limits.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { Input } from './input.ts';

const NO_TRAILERS: HeaderList = [];

/** The connection, as its request's body sees it. */
export interface BodyOwner {
  /** The application wants content: `read` what there is, and more from the client. */
  onBodyWanted(): void;
  /** The application wants nothing for now, or nothing more. */
  onBodyPaused(): void;
}

/**
 * The content of one request on its way from the connection's input to the application's sink. `discarding` means that nobody wants it
 * but the next request lies behind it.
 */
export class BodyReader implements RequestBody {
  readonly length: number;
  /** Bytes of content that came. */
  received = 0;
  #state: 'new' | 'flowing' | 'paused' | 'cancelled' | 'discarding' | 'complete' | 'failed' = 'new';
  #sink: BodySink | null = null;
  readonly #decoder: ChunkedDecoder | null;
  readonly #owner: BodyOwner;

  /** `length` is -1 for chunked content. */
  constructor(length: number, limits: HttpLimits, owner: BodyOwner) {
    this.length = length;
    this.#decoder = length < 0 ? new ChunkedDecoder(limits) : null;
    this.#owner = owner;
  }

  get trailers(): HeaderList {
    return this.#decoder?.trailers ?? NO_TRAILERS;
  }

  /** Nothing more of it will come. */
  get over(): boolean {
    return this.#state === 'complete' || this.#state === 'failed';
  }

  /** Nobody has asked for it yet. */
  get untouched(): boolean {
    return this.#state === 'new';
  }

  /** It takes what the client sends. */
  get flowing(): boolean {
    return this.#state === 'flowing' || this.#state === 'discarding';
  }

  /** Bytes still to come, as far as that is known; -1 when it is not. */
  get left(): number {
    return this.length < 0 ? -1 : this.length - this.received;
  }

  start(sink: BodySink): void {
    if (this.#state !== 'new') return;
    this.#sink = sink;
    this.#state = 'flowing';
    this.#owner.onBodyWanted();
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#owner.onBodyPaused();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#owner.onBodyWanted();
  }

  cancel(): void {
    this.#sink = null;
    if (this.over || this.#state === 'discarding') return;
    this.#state = 'cancelled';
    this.#owner.onBodyPaused();
  }

  /** The request is answered: what is left of its content is read for the sake of the next one. */
  discard(): void {
    this.#sink = null;
    if (!this.over) this.#state = 'discarding';
  }

  /** The content will not come whole. */
  fail(error: RequestBodyError): void {
    if (this.over) return;
    this.#state = 'failed';
    const sink = this.#sink;
    this.#sink = null;
    sink?.fail(error);
  }

  /** Takes its part of `input` and passes it on. The application may do anything in between, so this is the last step of its caller. */
  read(input: Input): Refusal | null {
    if (!this.flowing) return null;
    const block = this.#decoder === null ? this.#take(input) : this.#decoder.decode(input);
    if (block instanceof Refusal) return block;
    if (this.#decoder !== null) this.received += block.length;
    const complete = this.#decoder === null ? this.received === this.length : this.#decoder.complete;
    if (complete) this.#state = 'complete';
    if (block.length > 0) this.#sink?.write(block);
    if (complete) {
      const sink = this.#sink;
      this.#sink = null;
      sink?.end();
    }
    return null;
  }

  #take(input: Input): Buffer {
    const start = input.at;
    input.at = Math.min(input.end, start + this.length - this.received);
    this.received += input.at - start;
    return input.bytes.subarray(start, input.at);
  }
}
