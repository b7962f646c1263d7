import { Duplex } from 'node:stream';

/** Who carries a request of a front, and its response. */
export interface Carrier {
  /** More of the request is wanted. */
  wanted(): void;
  /** Sends a part of the response; `sent` is called when there is room for more. */
  send(bytes: Buffer, sent: (error?: Error | null) => void): void;
  /** The response is over. */
  finish(): void;
  /** The request is given up, with or without a part of its response. */
  abandon(): void;
}

/**
 * The connection of one request that came by a gateway protocol. To the HTTP engine it is a client of HTTP/1.0, so that limits, time-outs, draining and logs are
 * the same for all. What is written to it is sent to the front as the fields of CGI, or behind a status line, without those of the connection.
 */
export class CarriedSocket extends Duplex {
  readonly #carrier: Carrier;
  readonly #statusLine: 'http' | 'cgi';
  /** What of the response's head has come; null behind it. */
  #head: string | null = '';
  #finished = false;

  constructor(carrier: Carrier, statusLine: 'http' | 'cgi') {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#carrier = carrier;
    this.#statusLine = statusLine;
  }

  /** Gives the engine `bytes` of the request. Returns false when it wants no more for now. */
  deliver(bytes: Buffer): boolean {
    return this.destroyed || this.push(bytes);
  }

  /** The front sends no more of the request. */
  deliverEnd(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }

  override _read(): void {
    this.#carrier.wanted();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = this.#head === null ? chunk : this.#rewrite(this.#head + chunk.toString('latin1'));
    if (bytes === null) done();
    else this.#carrier.send(bytes, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'latin1', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finished = true;
    this.#carrier.finish();
    done();
    process.nextTick(() => this.destroy());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#finished) this.#carrier.abandon();
    done(error);
  }

  /** The head as the front wants it; null while it is not complete. */
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
