import { deriveRequest } from '../http/derived-request.ts';
import type { BodySink, HeaderList, Request, RequestBody } from '../http/message.ts';

/** Longer content can be sent only once. */
const KEPT_BYTES_MAX = 65_536;

/** `request` with content that can be sent again as long as it is short; see `RepeatableContent`. */
export function withRepeatableContent(request: Request): Request {
  const { body } = request;
  return body === null ? request : deriveRequest(request, { body: new RepeatableContent(body) });
}

/**
 * Content of a request that can be started again, for a backend that takes the content and then does not process the
 * request. It keeps the first 64 KiB.
 */
export class RepeatableContent implements RequestBody, BodySink {
  readonly length: number;
  readonly #source: RequestBody;
  #sink: BodySink | null = null;
  /** What has arrived; null when that is too much to keep. */
  #kept: Buffer[] | null = [];
  #keptBytes = 0;
  #state: 'new' | 'flowing' | 'paused' | 'ended' | 'over' = 'new';
  #error: Error | null = null;

  constructor(source: RequestBody) {
    this.#source = source;
    this.length = source.length;
  }

  get trailers(): HeaderList {
    return this.#source.trailers;
  }

  /** Takes the content back from its sink, so that `start` can be called again. Returns false if it cannot be repeated. */
  rewind(): boolean {
    if (this.#kept === null || this.#state === 'over') return false;
    this.#sink = null;
    this.pause();
    return true;
  }

  /** The content will not be sent again. */
  forget(): void {
    this.#kept = null;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#state === 'new') {
      this.#state = 'flowing';
      this.#source.start(this);
      return;
    }
    if (this.#state === 'paused') this.#state = 'flowing';
    for (const block of this.#kept ?? []) if (this.#sink === sink) sink.write(block);
    if (this.#sink !== sink) return;
    if (this.#error !== null) sink.fail(this.#error);
    else if (this.#state === 'ended') sink.end();
    else if (this.#state === 'flowing') this.#source.resume();
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#source.pause();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#source.resume();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#sink = null;
    this.#kept = null;
    this.#source.cancel();
  }

  // BodySink: calls of the source.

  write(block: Uint8Array): void {
    if (this.#kept !== null) this.#keep(this.#kept, block);
    this.#sink?.write(block);
  }

  end(): void {
    this.#state = 'ended';
    this.#sink?.end();
  }

  fail(error: Error): void {
    this.#state = 'ended';
    this.#error = error;
    this.#sink?.fail(error);
  }

  /** Without a sink, everything has to be kept. The source pauses, so that is not much. */
  #keep(kept: Buffer[], block: Uint8Array): void {
    this.#keptBytes += block.length;
    if (this.#keptBytes > KEPT_BYTES_MAX && this.#sink !== null) this.#kept = null;
    else kept.push(Buffer.from(block));
  }
}
