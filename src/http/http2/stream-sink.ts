import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { ResponseSink } from '../exchange.ts';
import { respond } from './respond.ts';

type Written = (error?: Error | null) => void;

/** What a head as text is to a `StreamSink`. Not empty: senders ask whether they still have it. */
export const HEAD = 'head';

/** A stream as the senders of long bodies see it. */
export class StreamSink implements ResponseSink {
  readonly #stream: ServerHttp2Stream;
  readonly #fields: OutgoingHttpHeaders;
  readonly #onProgress: () => void;

  /** `onProgress` is called when the client's window and socket have taken a block. */
  constructor(stream: ServerHttp2Stream, fields: OutgoingHttpHeaders, onProgress: () => void) {
    this.#stream = stream;
    this.#fields = fields;
    this.#onProgress = onProgress;
  }

  cork(): void {
    this.#stream.cork();
  }

  uncork(): void {
    this.#stream.uncork();
  }

  write(part: string | Uint8Array, after?: string | Written): boolean {
    if (typeof part === 'string') {
      respond(this.#stream, this.#fields, false);
      return true;
    }
    const onWritten = typeof after === 'function' ? after : null;
    return this.#stream.write(part, (error) => {
      if (error === null || error === undefined) this.#onProgress();
      onWritten?.(error);
    });
  }
}
