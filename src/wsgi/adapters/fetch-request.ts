import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { HeaderList, Peer, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { PulledBody, type PulledSource } from '../pulled-body.ts';
import { FrameworkRequest, peerOf } from './framework-request.ts';
import { isBelow } from './framework-server.ts';

/** What a server knows about a request, beside the `Request` itself. */
export interface FetchInfo {
  /** Numeric address of the client. The application sees it as REMOTE_ADDR; '' by default. */
  readonly remoteAddress?: string;
}

/** A `Request` of the fetch standard as a request of the server. */
export class FetchRequest extends FrameworkRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly protocol = 'HTTP/1.1';
  readonly headers: HeaderList;
  readonly headersRepeat = false;
  readonly scriptName: string;
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  /** Kept for its signal: Node does not abort that any more when the `Request` is garbage. */
  readonly source: Request;

  constructor(request: Request, mount: string, { remoteAddress = '' }: FetchInfo) {
    super();
    this.source = request;
    const url = new URL(request.url);
    const secure = url.protocol === 'https:';
    const host = request.headers.get('host');
    this.method = request.method;
    this.path = url.pathname;
    this.query = url.search.slice(1);
    this.headers = headersOf(request, host === null ? url.host : null);
    this.scriptName = isBelow(url.pathname, mount) ? mount : '';
    this.host = host ?? url.host;
    this.body = bodyOf(request);
    this.peer = peerOf(remoteAddress, 0, secure, url.port || (secure ? '443' : '80'));
    if (request.signal.aborted) this.leave();
    else request.signal.addEventListener('abort', () => this.leave(), { once: true });
  }
}

function headersOf({ headers }: Request, host: string | null): HeaderList {
  const list = host === null ? [] : ['host', host];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}

function bodyOf(request: Request): RequestBody | null {
  const { body, headers } = request;
  if (body === null) return null;
  const length = headers.get('content-length');
  return new PulledBody(blocksOf(body.getReader()), length !== null && /^\d+$/.test(length) ? Number(length) : -1);
}

function blocksOf(reader: ReadableStreamDefaultReader<Uint8Array>): PulledSource {
  return {
    async next() {
      const { done, value } = await reader.read().catch(() => {
        throw new RequestBodyError(400, 'the stream of the request failed');
      });
      if (done) return null;
      if (!(value instanceof Uint8Array)) throw new TypeError('a block of the stream is not a Uint8Array');
      return value;
    },
    cancel() {
      reader.cancel().catch(() => {}); // a stream that has failed cannot be cancelled
    },
  };
}
