import { PERSISTS, responseHead } from './http1/response-head.ts';
import type { HeaderList } from './message.ts';
import { encodeHeaders, Response } from './response.ts';
import { dateAndServerLines } from './semantics/date.ts';

/**
 * A response that is given to many requests, such as a small file. It keeps its message ready, so that sending it is one write of memory
 * that nobody copies.
 */
export class StandingResponse extends Response {
  /** Lies in the message, as soon as there is one. */
  declare body: Buffer;
  #dateLines = '';
  #message: Buffer = Buffer.alloc(0);

  /** As `Response.fromHeaders`; `headers` must hold the Content-Length. */
  constructor(status: number, headers: HeaderList, body: Buffer) {
    const { lines, contentLength, has } = encodeHeaders(headers);
    super(status, '', lines, contentLength, has, body);
  }

  /**
   * Head and body as a GET by HTTP/1.1 gets them on a connection that persists. A buffer stays as it is for good, because it may still
   * wait in a socket when the next second begins: that gets a new one.
   */
  message(): Buffer {
    const dateLines = dateAndServerLines();
    if (dateLines !== this.#dateLines) {
      this.#dateLines = dateLines;
      const head = responseHead(this, '', PERSISTS);
      const message = Buffer.allocUnsafeSlow(head.length + this.body.length);
      message.write(head, 'latin1');
      message.set(this.body, head.length);
      this.#message = message;
      this.body = message.subarray(head.length);
    }
    return this.#message;
  }
}
