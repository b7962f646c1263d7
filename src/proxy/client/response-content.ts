import { ChunkedDecoder } from '../../http/http1/chunked.ts';
import type { BodySink, BodySource, HeaderList } from '../../http/message.ts';
import { Refusal } from '../../http/refusal.ts';
import { DEFAULT_LIMITS } from '../../http/transport/limits.ts';
import type { ContentFraming } from '../http1/response-framing.ts';
import type { BackendConnection } from './backend-connection.ts';

/** Who is told how a response's content ends. */
export interface ContentOwner {
  /** More is wanted: the backend must send some in time. */
  contentWanted(): void;
  /** All of it has come; called before the sink hears of it. */
  contentOver(): void;
  /** What comes is no content. */
  contentBroken(reason: string): void;
  /** The client wants no more. */
  contentCancelled(): void;
}

const NO_TRAILERS: HeaderList = [];
const LIMITS = { ...DEFAULT_LIMITS, bodyBytesMax: Number.MAX_SAFE_INTEGER };

/** The content of a response that did not come with its head: from the backend's connection to the client's, as fast as both go. */
export class ResponseContent implements BodySource {
  readonly #owner: ContentOwner;
  readonly #connection: BackendConnection;
  readonly #framing: ContentFraming;
  readonly #decoder: ChunkedDecoder | null;
  #left: number;
  #sink: BodySink | null = null;
  #state: 'new' | 'flowing' | 'paused' | 'over' = 'new';
  /** What was decoded before anybody wanted it. */
  #early: Buffer | null = null;
  /** How the connection ended before that could be told. */
  #outcome: 'open' | 'ended' | Error = 'open';

  /** `length` counts where `framing` is `length`. */
  constructor(owner: ContentOwner, connection: BackendConnection, framing: ContentFraming, length: number) {
    this.#owner = owner;
    this.#connection = connection;
    this.#framing = framing;
    this.#left = length;
    this.#decoder = framing === 'chunked' ? new ChunkedDecoder(LIMITS) : null;
  }

  /** A copy of the whole content when it is chunked and all of it is in the connection's input, else null; to be asked once, first of all. */
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

  /** Somebody has asked for it. */
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
    this.#connection.awaitNothing();
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

  /** Passes on what the connection has received. */
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

  /** The backend has closed. Returns whether that is the content's proper end. */
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

  /** All of it was there from the beginning, and trailers with it. */
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

  /** Takes what is there of a content in chunks. */
  #decode(decoder: ChunkedDecoder): Buffer | Refusal {
    const { bytes } = this.#connection.input;
    const block = decoder.decode(this.#connection.input);
    if (block instanceof Refusal) return block;
    const start = block.byteOffset - bytes.byteOffset;
    return this.#connection.take(start, start + block.length);
  }

  /** Takes what is there of a content that is not chunked. */
  #take(): Buffer {
    const { input } = this.#connection;
    const start = input.at;
    input.at = this.#framing === 'length' ? Math.min(input.end, start + this.#left) : input.end;
    if (this.#framing === 'length') this.#left -= input.at - start;
    return this.#connection.take(start, input.at);
  }
}
