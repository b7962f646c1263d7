import { Duplex } from 'node:stream';

/** Transports one request of a front-end proxy, and its response. */
export interface CgiRequestTransport {
  /** The engine wants more of the request. */
  wanted(): void;
  /** Sends a part of the response; `sent` is called when there is room for more. */
  send(bytes: Buffer, sent: (error?: Error | null) => void): void;
  /** The response is complete. */
  finish(): void;
  /** The engine gave up the request, before or within its response. */
  abandon(): void;
}

/**
 * The connection of one request over a CGI protocol. The HTTP engine sees it as a client of HTTP/1.0, so that limits, timeouts, draining
 * and logs are the same for all. The front-end proxy gets the engine's response without the fields of the connection. The response starts
 * with a status line or with the Status field of CGI.
 */
export class CgiRequestSocket extends Duplex {
  readonly #transport: CgiRequestTransport;
  readonly #statusLine: 'http' | 'cgi';
  /** The head of the response as far as it was written; null after its end. */
  #head: string | null = '';
  #finished = false;

  constructor(transport: CgiRequestTransport, statusLine: 'http' | 'cgi') {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#transport = transport;
    this.#statusLine = statusLine;
  }

  /** Gives `bytes` of the request to the engine. Returns false when the engine wants no more for now. */
  deliver(bytes: Buffer): boolean {
    return this.destroyed || this.push(bytes);
  }

  /** The front-end proxy has sent the complete request. */
  deliverEnd(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }

  override _read(): void {
    this.#transport.wanted();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = this.#head === null ? chunk : this.#rewrite(this.#head + chunk.toString('latin1'));
    if (bytes === null) done();
    else this.#transport.send(bytes, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'latin1', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finished = true;
    this.#transport.finish();
    done();
    process.nextTick(() => this.destroy());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#finished) this.#transport.abandon();
    done(error);
  }

  /** The head in the form for the front-end proxy, with the bytes after it; null while the head is incomplete. */
  #rewrite(text: string): Buffer | null {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#head = text;
      return null;
    }
    this.#head = null;
    const lines = text.slice(0, end).replace(/\r\nConnection: [^\r]*/, '');
    const start = this.#statusLine === 'http' ? lines : `Status: ${lines.slice(lines.indexOf(' ') + 1)}`;
    return Buffer.from(start + text.slice(end), 'latin1');
  }
}
