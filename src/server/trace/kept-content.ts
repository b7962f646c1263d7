import type { BodySink, HeaderList, RequestBody } from '../../http/message.ts';

/** Longer contents are not kept. */
export const KEPT_CONTENT_BYTES_MAX = 64 * 1024;

/** The content of a request, of which a copy is kept on its way to its receiver. */
export class KeptContent implements RequestBody, BodySink {
  readonly length: number;
  readonly #body: RequestBody;
  readonly #onComplete: (content: Uint8Array) => void;
  #sink: BodySink | null = null;
  #blocks: Uint8Array[] | null = [];
  #bytes = 0;

  /** `onComplete` gets the whole content, unless it is longer than `KEPT_CONTENT_BYTES_MAX` or breaks off. */
  constructor(body: RequestBody, onComplete: (content: Uint8Array) => void) {
    this.length = body.length;
    this.#body = body;
    this.#onComplete = onComplete;
  }

  get trailers(): HeaderList {
    return this.#body.trailers;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#body.start(this);
  }

  pause(): void {
    this.#body.pause();
  }

  resume(): void {
    this.#body.resume();
  }

  cancel(): void {
    this.#blocks = null;
    this.#body.cancel();
  }

  write(block: Uint8Array, onReleased?: () => void): void {
    this.#bytes += block.length;
    if (this.#bytes > KEPT_CONTENT_BYTES_MAX) this.#blocks = null;
    this.#blocks?.push(block.slice()); // a block is valid only during the call
    this.#sink?.write(block, onReleased);
  }

  end(): void {
    if (this.#blocks !== null) this.#onComplete(Buffer.concat(this.#blocks));
    this.#blocks = null;
    this.#sink?.end();
  }

  fail(error: Error): void {
    this.#blocks = null;
    this.#sink?.fail(error);
  }
}
