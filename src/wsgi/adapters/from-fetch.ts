import { ReadableStream, type ReadableStreamDefaultReader } from 'node:stream/web';
import { isHopByHop } from '../../http/response.ts';
import type { Application, Environ, Header, InputStream } from '../contract.ts';
import { NO_INPUT } from '../input-stream.ts';
import { formatStatus } from '../status.ts';
import { headersOf, isHost, targetOf } from './environ-target.ts';
import { keepRequest } from './keep-request.ts';

/** What a fetch handler receives beside the request. */
export interface FetchContext {
  /** Numeric address of the client; '' on a Unix socket. */
  readonly remoteAddress: string;
  /** The environ that the request was made from, with the keys that middleware has added. */
  readonly environ: Environ;
}

/** A function of a `Request` that returns a `Response`: Hono's `app.fetch`, or the `fetch` method of an object. */
export type FetchHandler = (request: Request, context: FetchContext) => Response | Promise<Response>;

/**
 * Makes an application of a fetch handler. The request has the URL as the client sent it, the content as a stream, and a signal that is aborted if the client
 * leaves. The response is streamed at the client's pace. Its stream is cancelled if the client does not want the remaining content. A method that the fetch
 * standard forbids (CONNECT, TRACE, TRACK) is answered with 501.
 *
 * What the handler throws or rejects with is thrown by the application: a server answers 500.
 *
 * @example
 * ```ts
 * const application = fromFetch((request, { remoteAddress }) => new Response(`${request.url} for ${remoteAddress}`));
 * ```
 */
export function fromFetch(handler: FetchHandler): Application {
  return async function fetchApplication(environ, startResponse) {
    const method = environ.REQUEST_METHOD;
    if (/^(CONNECT|TRACE|TRACK)$/i.test(method)) {
      startResponse('501 Not Implemented', [['Content-Type', 'text/plain; charset=utf-8']]);
      return [Buffer.from(`Not Implemented: ${method}\n`)];
    }
    const request = requestOf(environ);
    const context = { remoteAddress: environ.REMOTE_ADDR, environ };
    const response = await keepRequest(request, () => handler(request, context));
    startResponse(formatStatus(response.status, response.statusText), responseHeaders(response));
    const { body, status } = response;
    if (body === null) return [];
    if (method !== 'HEAD' && status !== 204 && status !== 304) return new StreamedBody(body.getReader(), request);
    await body.cancel();
    return [];
  };
}

function requestOf(environ: Environ): Request {
  const { HTTP_HOST, SERVER_NAME, SERVER_PORT, REQUEST_METHOD: method } = environ;
  const host = HTTP_HOST !== undefined && isHost(HTTP_HOST) ? HTTP_HOST : `${SERVER_NAME}:${SERVER_PORT}`;
  const input = environ['wsgi.input'];
  const signal = environ['viaduct.client']?.signal;
  const hasContent = input !== NO_INPUT && method !== 'GET' && method !== 'HEAD';
  return new Request(`${environ['wsgi.url_scheme']}://${host}${targetOf(environ)}`, {
    method,
    headers: headersOf(environ),
    ...(signal === undefined ? {} : { signal }),
    ...(hasContent ? { body: streamOf(input) as globalThis.ReadableStream, duplex: 'half' as const } : {}),
  });
}

function streamOf(input: InputStream): ReadableStream<Uint8Array> {
  const blocks = input.blocks()[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await blocks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await blocks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The fields without those of a connection. A handler that proxies may have such fields, of its own connection to another server. */
function responseHeaders({ headers }: Response): Header[] {
  const list: Header[] = [];
  for (const [name, value] of headers) if (!isHopByHop(name)) list.push([name, value]);
  return list;
}

/** The content of a `Response`. */
class StreamedBody implements AsyncIterable<Uint8Array> {
  /** Kept for its signal: Node does not abort that any more when the `Request` is garbage, and a handler may have kept the signal only. */
  readonly request: Request;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #state: 'open' | 'over' = 'open';

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, request: Request) {
    this.#reader = reader;
    this.request = request;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      yield value;
    }
    this.#state = 'over';
  }

  /** Does not wait for a read that has not finished. */
  async close(): Promise<void> {
    if (this.#state === 'over') return;
    this.#state = 'over';
    await this.#reader.cancel().catch(() => {}); // a stream that has failed cannot be cancelled
  }
}
