import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { ResponseSink } from '../response-channel.ts';
import { respond } from './respond.ts';

type Written = (error?: Error | null) => void;

/** What a head as text is to a `StreamSink`. Not empty: senders ask whether they still have it. */
export const HEAD = 'head';

/** Who is told what becomes of blocks. */
export interface SinkOwner {
  /** A block of so many bytes waits for the client. */
  onWriting(bytes: number): void;
  /** Its window and its socket have taken one of so many bytes, or never will. */
  onWritten(bytes: number): void;
}

/** A stream as the senders of long bodies see it. */
export class StreamSink implements ResponseSink {
  readonly #stream: ServerHttp2Stream;
  readonly #fields: OutgoingHttpHeaders;
  readonly #owner: SinkOwner;

  constructor(stream: ServerHttp2Stream, fields: OutgoingHttpHeaders, owner: SinkOwner) {
    this.#stream = stream;
    this.#fields = fields;
    this.#owner = owner;
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
    this.#owner.onWriting(part.length);
    return this.#stream.write(part, (error) => {
      this.#owner.onWritten(part.length);
      onWritten?.(error);
    });
  }
}
