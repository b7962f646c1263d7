import type { BodySink, BodySource, Request as Incoming } from '../../http/message.ts';
import { Response as Answer } from '../../http/response.ts';
import type { Application } from '../contract.ts';
import { applicationOf } from '../direct.ts';
import { SourceReader } from '../source-reader.ts';
import type { FetchInfo } from './fetch-request.ts';
import { isHopByHop } from './header-pairs.ts';

export interface FromFetchOptions {
  /**
   * The URL's path is what follows SCRIPT_NAME, for a framework that does not know of its prefix. By default it is whole, as the client sees it: what
   * Hono's `basePath`, SvelteKit's `paths.base` and Remix's `basename` expect.
   */
  readonly stripScriptName?: boolean;
}

/** What `fetch` never sends (Fetch standard, "forbidden method"), so no `Request` can have it. */
const FORBIDDEN = new Set(['CONNECT', 'TRACE', 'TRACK']);

/**
 * Makes an application of a fetch handler: Hono's `app.fetch`, SvelteKit's, Remix's, any `(Request) => Response`. The content streams in both
 * directions; `request.signal` aborts when the client goes, and the response's body is cancelled. `info` is the client's address; Hono has it as `c.env`.
 *
 * GET and HEAD have no content in fetch: what a client sends is dropped. CONNECT, TRACE and TRACK are answered with 501, a Host that makes no URL with 400.
 * Hop-by-hop fields of the response are left out. When the handler rejects, the answer is 500; when the body fails, the response breaks off.
 */
export function fromFetch(
  handler: (request: Request, info: FetchInfo) => Response | Promise<Response>,
  options: FromFetchOptions = {},
): Application {
  const { stripScriptName = false } = options;
  return applicationOf(function callHandler(incoming) {
    if (FORBIDDEN.has(incoming.method)) return Answer.text(501, 'Not Implemented\n');
    const url = urlOf(incoming, stripScriptName);
    if (url === null) return Answer.text(400, 'Bad Request\n');
    const { remoteAddress, remotePort } = incoming.peer;
    const client = clientOf(incoming);
    return respond(handler(requestOf(incoming, url, client), { remoteAddress, remotePort }), client);
  });
}

function urlOf({ peer, host, path, query, scriptName }: Incoming, strip: boolean): string | null {
  const rest = path === '*' ? '/' : strip ? path.slice(scriptName.length) || '/' : path;
  const url = `${peer.secure ? 'https' : 'http'}://${host || 'localhost'}${rest}${query === '' ? '' : `?${query}`}`;
  return URL.canParse(url) && !/[/?#@\\\s]/.test(host) ? url : null;
}

function requestOf(incoming: Incoming, url: string, { signal }: AbortController): Request {
  const { method, body } = incoming;
  const headers = new Headers();
  for (let i = 0; i < incoming.headers.length; i += 2) {
    headers.append(incoming.headers[i] as string, incoming.headers[i + 1] as string);
  }
  if (body === null || method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal });
  return new Request(url, { method, headers, signal, body: streamOf(body), duplex: 'half' });
}

/** Aborted when the client of `incoming` goes. */
function clientOf(incoming: Incoming): AbortController {
  const controller = new AbortController();
  const before = incoming.onGone;
  if (incoming.gone) controller.abort();
  else
    incoming.onGone = () => {
      before?.();
      controller.abort();
    };
  return controller;
}

/** Content that is pulled; nothing is asked of the client before somebody reads. */
function streamOf(body: BodySource): ReadableStream<Uint8Array> {
  const reader = new SourceReader(body, true);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const block = await reader.next();
        if (block === null) controller.close();
        else controller.enqueue(block);
      },
      cancel: () => reader.cancel(),
    },
    { highWaterMark: 0 },
  );
}

async function respond(response: Response | Promise<Response>, client: AbortController): Promise<Answer> {
  const { status, statusText, headers, body } = await response;
  const fields: string[] = [];
  for (const [name, value] of headers) if (!isHopByHop(name)) fields.push(name, value);
  if (body === null) return Answer.fromHeaders(status, fields, new Uint8Array(0), statusText);
  const reader = body.getReader();
  try {
    const content = await contentOf(reader, client);
    return Answer.fromHeaders(status, fields, content, statusText);
  } catch (error) {
    reader.cancel(error).catch(() => {}); // the handler's response is not used
    throw error;
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Step = ReturnType<Reader['read']>;

/** Content that is all there, in one block, need not be sent in chunks. What is still to come must not hold up the head. */
async function contentOf(reader: Reader, client: AbortController): Promise<Uint8Array | StreamSource> {
  const turn = new Promise<null>((resolve) => setImmediate(resolve, null));
  const steps = [reader.read()];
  const first = await Promise.race([steps[0], turn]);
  if (first?.done === true) return new Uint8Array(0);
  if (first === null || first === undefined) return new StreamSource(reader, steps, client);
  steps.push(reader.read());
  const second = await Promise.race([steps[1]?.catch(() => null), turn]);
  const isWhole = second?.done === true && first.value instanceof Uint8Array;
  return isWhole ? first.value : new StreamSource(reader, steps, client);
}

/** A response's content, as it is read. */
class StreamSource implements BodySource {
  readonly #reader: Reader;
  /** What was asked for already. */
  readonly #steps: Step[];
  readonly #client: AbortController;
  #state: 'flowing' | 'paused' | 'cancelled' = 'flowing';
  #resumed: (() => void) | null = null;

  constructor(reader: Reader, steps: Step[], client: AbortController) {
    this.#reader = reader;
    this.#steps = steps;
    this.#client = client;
    for (const step of steps) step.catch(() => {}); // it is awaited in its turn
  }

  start(sink: BodySink): void {
    void this.#pump(sink);
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'flowing';
    this.#resumed?.();
  }

  cancel(): void {
    this.#state = 'cancelled';
    this.#resumed?.();
    this.#client.abort();
    this.#reader.cancel().catch(() => {}); // what its `cancel` throws is nobody's response
  }

  async #pump(sink: BodySink): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await (this.#steps.shift() ?? this.#reader.read());
        if (this.#is('cancelled')) return;
        if (done) break;
        if (!(value instanceof Uint8Array))
          throw new TypeError('Cannot send a block of a body: it must be a Uint8Array');
        sink.write(value);
        while (this.#is('paused')) await this.#untilResumed();
        if (this.#is('cancelled')) return;
      }
      sink.end();
    } catch (error) {
      if (this.#is('cancelled')) return;
      this.#reader.cancel(error).catch(() => {}); // nobody reads it further
      sink.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #untilResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }

  /** A method, because it changes while it waits. */
  #is(state: 'paused' | 'cancelled'): boolean {
    return this.#state === state;
  }
}
