import { responseHead } from './http1/response-head.ts';
import type { HeaderList } from './message.ts';
import { encodeHeaders, Response } from './response.ts';
import { dateAndServerLines } from './semantics/date.ts';

/**
 * A response that answers many requests, such as a small file. The complete message is kept ready: sending it is a single write,
 * without a copy.
 */
export class PreparedResponse extends Response {
  /** A part of the message, as soon as the message exists. */
  declare body: Buffer;
  #dateLines = '';
  #message: Buffer = Buffer.alloc(0);

  /** See `Response.fromHeaders`; `headers` must hold the Content-Length. */
  constructor(status: number, headers: HeaderList, body: Buffer) {
    const { lines, contentLength, has } = encodeHeaders(headers);
    super(status, '', lines, contentLength, has, body);
  }

  /**
   * Head and body as a GET of HTTP/1.1 receives them on a persistent connection. A buffer never changes, because it may still
   * wait in a socket when the next second starts. The first call in a new second makes a new buffer, for the new Date.
   */
  message(): Buffer {
    const dateLines = dateAndServerLines();
    if (dateLines !== this.#dateLines) {
      this.#dateLines = dateLines;
      const head = responseHead(this, '', '');
      const message = Buffer.allocUnsafeSlow(head.length + this.body.length);
      message.write(head, 'latin1');
      message.set(this.body, head.length);
      this.#message = message;
      this.body = message.subarray(head.length);
    }
    return this.#message;
  }
}
