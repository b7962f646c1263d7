import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { BodySink, HeaderList, Peer, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { ForeignRequest, peerOf } from './foreign-request.ts';
import { isBelow } from './foreign-server.ts';

/** What a server knows of a request beside the `Request` itself. */
export interface FetchInfo {
  /** Numeric address of the client. */
  readonly remoteAddress?: string;
}

/** A `Request` of the fetch standard, as an application's server needs it. */
export class FetchRequest extends ForeignRequest {
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

  constructor(request: Request, mount: string, { remoteAddress = '' }: FetchInfo) {
    super();
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
  return new WebBody(body.getReader(), length !== null && /^\d+$/.test(length) ? Number(length) : -1);
}

const NO_TRAILERS: HeaderList = [];

/** Content that is pulled out of a stream, a block at a time. */
class WebBody implements RequestBody {
  readonly length: number;
  readonly trailers = NO_TRAILERS;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #state: 'flowing' | 'paused' | 'cancelled' = 'flowing';
  #resumed: (() => void) | null = null;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, length: number) {
    this.#reader = reader;
    this.length = length;
  }

  start(sink: BodySink): void {
    void this.#pump(sink);
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'flowing';
    this.#wake();
  }

  cancel(): void {
    this.#state = 'cancelled';
    this.#wake();
    this.#reader.cancel().catch(() => {}); // a stream that has failed cannot be cancelled
  }

  async #pump(sink: BodySink): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (this.#isCancelled()) return;
        if (done) break;
        if (!(value instanceof Uint8Array)) throw new TypeError('a block of the stream is no Uint8Array');
        sink.write(value);
        if (this.#state === 'paused') await this.#untilResumed();
        if (this.#isCancelled()) return;
      }
      sink.end();
    } catch (error) {
      if (!this.#isCancelled())
        sink.fail(new RequestBodyError(400, error instanceof Error ? error.message : String(error)));
    }
  }

  #untilResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }

  #wake(): void {
    const resumed = this.#resumed;
    this.#resumed = null;
    resumed?.();
  }

  /** A method, because it may be cancelled while it waits. */
  #isCancelled(): boolean {
    return this.#state === 'cancelled';
  }
}
