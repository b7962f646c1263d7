import type { BodySink, HeaderList, RequestBody } from '../http/message.ts';
import { RequestBodyError } from '../http/refusal.ts';
import type { InputStream } from './contract.ts';

const NO_TRAILERS: HeaderList = [];

/** What is left of a `wsgi.input`, as the content of a request. */
export class InputBody implements RequestBody {
  /** Not known before its end. */
  readonly length = -1;
  readonly trailers = NO_TRAILERS;
  readonly #input: InputStream;
  #state: 'flowing' | 'paused' | 'cancelled' = 'flowing';
  #resumed: (() => void) | null = null;

  constructor(input: InputStream) {
    this.#input = input;
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
    this.#state = 'cancelled';
    this.#wake();
  }

  async #pump(sink: BodySink): Promise<void> {
    try {
      for await (const block of this.#input.blocks()) {
        if (this.#isCancelled()) return;
        sink.write(block);
        while (this.#state === 'paused') await this.#untilResumed();
        if (this.#isCancelled()) return;
      }
      sink.end();
    } catch (error) {
      if (!this.#isCancelled()) sink.fail(bodyError(error));
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

  /** A method, because it may be cancelled while it waits. */
  #isCancelled(): boolean {
    return this.#state === 'cancelled';
  }
}

function bodyError(error: unknown): RequestBodyError {
  if (error instanceof RequestBodyError) return error;
  return new RequestBodyError(400, error instanceof Error ? error.message : String(error));
}
