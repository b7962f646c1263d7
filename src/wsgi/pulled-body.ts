import { asError } from '../errors.ts';
import type { BodySink, HeaderList, RequestBody } from '../http/message.ts';

const NO_TRAILERS: HeaderList = [];

/** A source that content is pulled from. It reports an error of the client as a `RequestBodyError`; any other error is one of the server. */
export interface PulledSource {
  /** The next block; null at the end. */
  next(): Promise<Uint8Array | null>;
  /** Nothing more is needed, also not the block that the last `next` asked for. */
  cancel(): void;
}

/** The content of a request that is pulled from a source, a block at a time, and no faster than it is taken. */
export class PulledBody implements RequestBody {
  readonly length: number;
  readonly trailers = NO_TRAILERS;
  readonly #source: PulledSource;
  #state: 'flowing' | 'paused' | 'cancelled' = 'flowing';
  #resumed: (() => void) | null = null;

  /** `length` is -1 if it is not known before the end. */
  constructor(source: PulledSource, length: number) {
    this.#source = source;
    this.length = length;
  }

  start(sink: BodySink): void {
    void this.#pump(sink);
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'flowing';
    this.#wake();
  }

  cancel(): void {
    if (this.#isCancelled()) return;
    this.#state = 'cancelled';
    this.#wake();
    this.#source.cancel();
  }

  async #pump(sink: BodySink): Promise<void> {
    try {
      for (;;) {
        const block = await this.#source.next();
        if (this.#isCancelled()) return;
        if (block === null) break;
        sink.write(block);
        while (this.#state === 'paused') await this.#untilResumed();
        if (this.#isCancelled()) return;
      }
      sink.end();
    } catch (error) {
      if (!this.#isCancelled()) sink.fail(asError(error));
    }
  }

  #untilResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }

  #wake(): void {
    const resumed = this.#resumed;
    this.#resumed = null;
    resumed?.();
  }

  /** A method, because the body may be cancelled while it waits. */
  #isCancelled(): boolean {
    return this.#state === 'cancelled';
  }
}
