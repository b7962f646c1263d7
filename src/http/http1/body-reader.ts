import type { BodySink, HeaderList, RequestBody } from '../message.ts';
import { Refusal, type RequestBodyError } from '../refusal.ts';
import type { Framing } from '../semantics/framing.ts';
import type { HttpLimits } from '../transport/limits.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { Input } from './input.ts';

const NO_TRAILERS: HeaderList = [];

/** The connection as the body of its request sees it. */
export interface BodyOwner {
  /** The application wants content: call `read` for the content that is here, and receive more from the client. */
  onBodyWanted(): void;
  /** The application wants no content for now, or no more at all. */
  onBodyPaused(): void;
}

/**
 * The content of one request on its way from the connection's input to the application's sink. In the state `discarding` the
 * application no longer wants the content, but the next request follows it.
 */
export class BodyReader implements RequestBody {
  readonly length: number;
  /** Bytes of content that have arrived. */
  received = 0;
  #state: 'new' | 'flowing' | 'paused' | 'cancelled' | 'discarding' | 'complete' | 'failed' = 'new';
  #sink: BodySink | null = null;
  readonly #decoder: ChunkedDecoder | null;
  readonly #owner: BodyOwner;

  /** `contentLength` is -1 for chunked content. */
  constructor({ contentLength, nominated }: Framing, limits: HttpLimits, owner: BodyOwner) {
    this.length = contentLength;
    this.#decoder = contentLength < 0 ? new ChunkedDecoder(limits, nominated) : null;
    this.#owner = owner;
  }

  get trailers(): HeaderList {
    return this.#decoder?.trailers ?? NO_TRAILERS;
  }

  /** Whether no more content will come. */
  get over(): boolean {
    return this.#state === 'complete' || this.#state === 'failed';
  }

  /** Whether the application has not asked for the content yet. */
  get untouched(): boolean {
    return this.#state === 'new';
  }

  /** Whether the body takes what the client sends. */
  get flowing(): boolean {
    return this.#state === 'flowing' || this.#state === 'discarding';
  }

  /** Bytes still to come; -1 when their number is unknown. */
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

  /** The request is answered: the remaining content is read only to reach the next request. */
  discard(): void {
    this.#sink = null;
    if (!this.over) this.#state = 'discarding';
  }

  /** The content will not arrive completely. */
  fail(error: RequestBodyError): void {
    if (this.over) return;
    this.#state = 'failed';
    const sink = this.#sink;
    this.#sink = null;
    sink?.fail(error);
  }

  /** Takes the content in `input` and passes it on. The application may call back meanwhile, so callers do nothing after this call. */
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
