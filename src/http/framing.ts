import type { FileBody } from './message.ts';
import { HAS_DATE, HAS_SERVER, type Response } from './response.ts';
import { statusLine } from './status.ts';

/** How the body of a response goes out (RFC 9112 section 6). */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

/** What `frame` found out about the response it was given last. */
export const framed = {
  head: '',
  framing: 'none' as Framing,
  /** Content-Length, declared or known; -1 when neither. */
  length: -1,
};

/**
 * Makes the head of `response` and decides on its framing, into `framed`. A response to HEAD, a 304, a 204 and a 1xx have no content;
 * the last two no Content-Length either (RFC 9110 section 8.6). For HEAD the length is stated only when it is known for certain.
 */
export function frame(response: Response, head: boolean, minorVersion: 0 | 1, connection: string, date: string): void {
  const { status, body } = response;
  let { lines, contentLength: length } = response;
  let framing: Framing = 'none';
  if (status < 200 || status === 204) {
    if (length >= 0) lines = lines.replace(/^content-length:.*\r\n/im, '');
    length = -1;
  } else if (status !== 304) {
    if (length >= 0) framing = 'length';
    else {
      length = body === null ? (head ? -1 : 0) : knownLength(body);
      if (length >= 0) {
        framing = 'length';
        lines += `Content-Length: ${length}\r\n`;
      } else if (body !== null && minorVersion === 1) {
        framing = 'chunked';
        if (!head) lines += 'Transfer-Encoding: chunked\r\n';
      } else framing = 'until-close';
    }
    if (head) framing = 'none';
  }
  if ((response.has & HAS_DATE) === 0) lines += `Date: ${date}\r\n`;
  framed.head = `${statusLine(status, response.reason)}${lines}${connection}${(response.has & HAS_SERVER) === 0 ? SERVER : '\r\n'}`;
  framed.framing = framing;
  framed.length = length;
}

const SERVER = 'Server: viaduct\r\n\r\n';

function knownLength(body: NonNullable<Response['body']>): number {
  if (body instanceof Uint8Array) return body.length;
  return isFile(body) ? body.end - body.start : -1;
}

export function isFile(body: NonNullable<Response['body']>): body is FileBody {
  return 'fd' in body;
}
