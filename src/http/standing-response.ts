import { dateAndServerLines } from './date.ts';
import type { HeaderList } from './message.ts';
import { encodeHeaders, Response } from './response.ts';
import { PERSISTS, responseHead } from './response-head.ts';

/** A response that is given to many requests, such as a small file. It keeps its message ready, so that sending it is one write. */
export class StandingResponse extends Response {
  declare readonly body: Buffer;
  #dateLines = '';
  #message: Buffer = Buffer.alloc(0);

  /** As `Response.fromHeaders`; `headers` must hold the Content-Length. */
  constructor(status: number, headers: HeaderList, body: Buffer) {
    const { lines, contentLength, has } = encodeHeaders(headers);
    super(status, '', lines, contentLength, has, body);
  }

  /**
   * Head and body as a GET by HTTP/1.1 gets them on a connection that persists. Valid for good, because a new buffer is made when
   * the date has changed: the old one may still wait in a socket.
   */
  message(): Buffer {
    const dateLines = dateAndServerLines();
    if (dateLines !== this.#dateLines) {
      this.#dateLines = dateLines;
      const head = responseHead(this, '', PERSISTS);
      this.#message = Buffer.allocUnsafeSlow(head.length + this.body.length);
      this.#message.write(head, 'latin1');
      this.#message.set(this.body, head.length);
    }
    return this.#message;
  }
}
