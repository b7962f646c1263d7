import type { ServerHttp2Stream } from 'node:http2';
import type { BodySink, HeaderList, RequestBody } from '../message.ts';
import { Refusal, type RequestBodyError } from '../refusal.ts';
import type { HttpLimits } from '../transport/limits.ts';

const TOO_LARGE = new Refusal(413, 'the content is too large');
const TRAILERS_TOO_LARGE = new Refusal(431, 'the trailer lines are too long');
const FORBIDDEN_TRAILER = new Refusal(400, 'a trailer field frames or routes the message');
const TRAILERS_FORBIDDEN = new Set(['content-length', 'transfer-encoding', 'host']);
const CUT_SHORT = new Refusal(400, 'the stream ended within the content');

/** The stream, as its request's body sees it. */
export interface StreamBodyOwner {
  /** The application wants content. */
  onBodyWanted(): void;
  /** `bytes` of it came. */
  onBodyReceived(bytes: number): void;
  /** The application wants nothing for now, or nothing more, or has all. */
  onBodyPaused(): void;
  /** The content is wrong or too large. */
  onBodyRefused(refusal: Refusal): void;
  /** Whether the client gave the stream up: what came is not whole then. */
  readonly reset: boolean;
}

/** The content of one request as its stream's DATA frames bring it. As long as nobody takes it the client's window stays closed. */
export class StreamBody implements RequestBody {
  readonly length: number;
  trailers: HeaderList = [];
  /** Bytes of content that came. */
  received = 0;
  #state: 'new' | 'flowing' | 'paused' | 'cancelled' | 'complete' | 'failed' = 'new';
  #sink: BodySink | null = null;
  readonly #stream: ServerHttp2Stream;
  readonly #limits: HttpLimits;
  readonly #owner: StreamBodyOwner;

  /** `length` is -1 for content of a length that was not announced. */
  constructor(stream: ServerHttp2Stream, length: number, limits: HttpLimits, owner: StreamBodyOwner) {
    this.#stream = stream;
    this.length = length;
    this.#limits = limits;
    this.#owner = owner;
  }

  /** Nothing more of it will come. */
  get over(): boolean {
    return this.#state === 'complete' || this.#state === 'failed';
  }

  /** It takes what the client sends. */
  get flowing(): boolean {
    return this.#state === 'flowing';
  }

  start(sink: BodySink): void {
    if (this.#state !== 'new') return;
    this.#sink = sink;
    this.#state = 'flowing';
    this.#owner.onBodyWanted();
    this.#stream.on('trailers', (_fields, _flags, raw: readonly string[] = []) => this.#readTrailers(raw));
    this.#stream.on('end', () => this.#end());
    this.#stream.on('data', (block: Buffer) => this.#receive(block));
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#stream.pause();
    this.#owner.onBodyPaused();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#owner.onBodyWanted();
    this.#stream.resume();
  }

  cancel(): void {
    this.#sink = null;
    if (this.over || this.#state === 'cancelled') return;
    const started = this.#state !== 'new';
    this.#state = 'cancelled';
    if (started) this.#stream.pause();
    this.#owner.onBodyPaused();
  }

  /** The content will not come whole. */
  fail(error: RequestBodyError): void {
    if (this.over) return;
    this.#state = 'failed';
    const sink = this.#sink;
    this.#sink = null;
    sink?.fail(error);
  }

  #receive(block: Buffer): void {
    if (this.over || this.#state === 'cancelled') return;
    this.received += block.length;
    if (this.received > this.#limits.bodyBytesMax) {
      this.#owner.onBodyRefused(TOO_LARGE);
      return;
    }
    this.#owner.onBodyReceived(block.length);
    this.#sink?.write(block);
  }

  #readTrailers(raw: readonly string[]): void {
    let bytes = 0;
    let refusal: Refusal | null = null;
    for (let i = 0; i < raw.length; i += 2) {
      bytes += (raw[i] as string).length + (raw[i + 1] as string).length + 4;
      if (TRAILERS_FORBIDDEN.has(raw[i] as string)) refusal = FORBIDDEN_TRAILER;
    }
    if (bytes > this.#limits.trailerBytesMax) refusal = TRAILERS_TOO_LARGE;
    if (refusal === null) this.trailers = [...raw];
    else this.#owner.onBodyRefused(refusal);
  }

  #end(): void {
    // What a client gave up ends, too, when it said that nothing was wrong: the stream's close tells.
    if (this.over || this.#state === 'cancelled' || this.#owner.reset) return;
    if (this.length >= 0 && this.received !== this.length) {
      this.#owner.onBodyRefused(CUT_SHORT);
      return;
    }
    this.#state = 'complete';
    this.#owner.onBodyPaused();
    const sink = this.#sink;
    this.#sink = null;
    sink?.end();
  }
}
