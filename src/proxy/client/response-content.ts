import { ChunkedDecoder } from '../../http/http1/chunked.ts';
import type { BodySink, BodySource, HeaderList } from '../../http/message.ts';
import { Refusal } from '../../http/refusal.ts';
import { DEFAULT_LIMITS } from '../../http/transport/limits.ts';
import type { ContentFraming } from '../http1/response-framing.ts';
import type { BackendConnection } from './backend-connection.ts';

/** Receives events while a response's content arrives. */
export interface ContentOwner {
  /** The client accepts more content; a deadline must start. */
  contentWanted(): void;
  /** The content is complete. Called before the sink's `end`. */
  contentOver(): void;
  /** The received bytes are not valid content. */
  contentBroken(reason: string): void;
  /** The client wants no more content. */
  contentCancelled(): void;
}

const NO_TRAILERS: HeaderList = [];
const LIMITS = { ...DEFAULT_LIMITS, bodyBytesMax: Number.MAX_SAFE_INTEGER };

/**
 * Content of a response that continues after its head. It is passed from the backend's connection to the client, with
 * back-pressure.
 */
export class ResponseContent implements BodySource {
  readonly #owner: ContentOwner;
  readonly #connection: BackendConnection;
  readonly #framing: ContentFraming;
  readonly #decoder: ChunkedDecoder | null;
  #left: number;
  #sink: BodySink | null = null;
  #state: 'new' | 'flowing' | 'paused' | 'over' = 'new';
  /** Content that was decoded before `start`. */
  #early: Buffer | null = null;
  /** How the connection ended, until the sink can be notified. */
  #outcome: 'open' | 'ended' | Error = 'open';

  /** The content of the response whose head `connection` has just read. */
  constructor(owner: ContentOwner, connection: BackendConnection) {
    const { content, contentLength, nominated } = connection.head.framing;
    this.#owner = owner;
    this.#connection = connection;
    this.#framing = content;
    this.#left = contentLength;
    this.#decoder = content === 'chunked' ? new ChunkedDecoder(LIMITS, nominated) : null;
  }

  /**
   * Returns a copy of chunked content that is already complete in the connection's input, a refusal for a malformed
   * chunk, else null. Must be called at most once, before any other method.
   */
  whole(): Buffer | Refusal | null {
    if (this.#decoder === null) return null;
    const block = this.#decode(this.#decoder);
    if (block instanceof Refusal) return block;
    if (this.#decoder.complete && this.#decoder.trailers.length === 0) return block;
    this.#early = block;
    return null;
  }

  get trailers(): HeaderList {
    return this.#decoder?.trailers ?? NO_TRAILERS;
  }

  /** Whether `start` was called. */
  get started(): boolean {
    return this.#state !== 'new';
  }

  start(sink: BodySink): void {
    if (this.#state !== 'new') return;
    this.#sink = sink;
    this.#state = 'flowing';
    const early = this.#early;
    this.#early = null;
    if (early !== null && early.length > 0) sink.write(early);
    if (this.#decoder?.complete === true) this.#complete(sink);
    this.feed();
    this.#want();
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#connection.setReading(false);
    this.#connection.clearDeadline();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.feed();
    this.#want();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#sink = null;
    this.#owner.contentCancelled();
  }

  /** Passes the connection's input on to the sink. */
  feed(): void {
    const { input } = this.#connection;
    if (this.#state !== 'flowing' || input.length === 0) return;
    const block = this.#decoder === null ? this.#take() : this.#decode(this.#decoder);
    if (block instanceof Refusal) {
      this.#owner.contentBroken(block.reason);
      return;
    }
    const complete = this.#decoder === null ? this.#left === 0 : this.#decoder.complete;
    const sink = this.#sink;
    if (complete) {
      this.#state = 'over';
      this.#owner.contentOver();
    }
    if (block.length > 0) sink?.write(block);
    if (complete) sink?.end();
    else this.#want();
  }

  /** Handles the end of the backend's side. Returns whether this end completes the content. */
  finish(): boolean {
    if (this.#framing !== 'close') return false;
    this.#outcome = 'ended';
    this.#want();
    return true;
  }

  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#outcome = error;
    if (this.#state === 'paused') this.#state = 'flowing';
    this.#want();
  }

  /** Handles chunked content that was already complete when it was started, together with its trailers. */
  #complete(sink: BodySink): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#owner.contentOver();
    sink.end();
  }

  #want(): void {
    if (this.#state !== 'flowing') return;
    if (this.#outcome === 'open') {
      this.#owner.contentWanted();
      this.#connection.setReading(true);
      return;
    }
    const sink = this.#sink;
    const outcome = this.#outcome;
    this.#state = 'over';
    this.#sink = null;
    if (outcome !== 'ended') sink?.fail(outcome);
    else {
      this.#owner.contentOver();
      sink?.end();
    }
  }

  /** Takes the available part of chunked content. */
  #decode(decoder: ChunkedDecoder): Buffer | Refusal {
    const { bytes } = this.#connection.input;
    const block = decoder.decode(this.#connection.input);
    if (block instanceof Refusal) return block;
    const start = block.byteOffset - bytes.byteOffset;
    return this.#connection.take(start, start + block.length);
  }

  /** Takes the available part of content that is not chunked. */
  #take(): Buffer {
    const { input } = this.#connection;
    const start = input.at;
    input.at = this.#framing === 'length' ? Math.min(input.end, start + this.#left) : input.end;
    if (this.#framing === 'length') this.#left -= input.at - start;
    return this.#connection.take(start, input.at);
  }
}
