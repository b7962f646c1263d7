import { Duplex } from 'node:stream';
import type { RequestBody } from '../message.ts';
import type { BodySender } from '../response-channel.ts';
import type { StreamOutput } from './stream-output.ts';

/** The stream as its socket sees it. */
export interface SocketStream {
  readonly socket: StreamOutput;
  /** Ends what this server sends. */
  complete(): void;
  /** Gives up the stream. */
  cancel(): void;
}

/** A stream that became a tunnel (RFC 8441 section 5): its DATA frames as an ordinary stream of bytes, with back-pressure both ways. */
export class StreamSocket extends Duplex implements BodySender {
  readonly #stream: SocketStream;
  readonly #body: RequestBody;
  #started = false;

  constructor(stream: SocketStream, body: RequestBody) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#body = body;
  }

  // Duplex.

  override _read(): void {
    if (this.#started) this.#body.resume();
    else {
      this.#started = true;
      this.#body.start({
        write: (block) => {
          if (!this.push(Buffer.from(block))) this.#body.pause();
        },
        end: () => this.push(null),
        fail: (error) => this.destroy(error),
      });
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.complete();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream.cancel();
    done(error);
  }

  // BodySender: what becomes of the stream.

  onDrain(): void {}

  cancel(): void {
    this.destroy();
  }
}
