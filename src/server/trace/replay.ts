import type { HandlerResult } from '../../http/handler.ts';
import type { BodySink, HeaderList, Peer, Request, RequestBody, ResponseBody } from '../../http/message.ts';
import { statusInLogs } from '../../http/no-response.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { markGone, newRecord } from '../../http/request-record.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import { toPromise } from '../../http/to-promise.ts';
import { unlessAborted } from '../../site/unless-aborted.ts';
import type { RecordedRequest } from '../../trace/store.ts';
import { newOneTimeToken, TRACE_FIELD } from '../../trace/token.ts';
import { USUAL_DETAILS } from '../../trace/trace.ts';
import { KEPT_CONTENT_BYTES_MAX } from './kept-content.ts';
import type { ReplayOutcome } from './traces.ts';
import type { Tracing } from './tracing.ts';

/** What answers a request that is sent again: the same as for a request of a client. */
export interface ReplayedServer {
  /** Applies the rules for all clients. */
  receive(request: Request): Request;
  handle(request: Request): HandlerResult;
  /** Its response is over: for the logs. `startedAtMs` is `performance.now()`. */
  onAnswered(request: Request, status: number, bodyBytes: number, startedAtMs: number): void;
}

/** The field that marks a request that was sent again. Its value is the id of the first request. */
export const REPLAY_FIELD = 'Viaduct-Replay';

/** An answer that takes longer, such as an endless one, is given up. */
const REPLAY_MS_MAX = 60_000;
/** So many bytes of the response are awaited. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

/** Fields of the first request that would be wrong in a second one: its id, its place in another trace, and the token that asked for its trace. */
const OWN_FIELDS = new Set(['x-request-id', 'traceparent', 'tracestate', 'viaduct-trace', 'viaduct-replay']);

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Sends the request of the trace `id` through `server` again, and lets it be recorded in full. */
export async function replayRequest(
  tracing: Tracing,
  id: string,
  confirmed: boolean,
  server: ReplayedServer,
): Promise<ReplayOutcome> {
  const recorded = tracing.store.recorded(id);
  if (recorded === null) return tracing.store.find(id) === null ? { kind: 'unknown' } : refused(NOT_KEPT);
  if (recorded.body === 'lost') return refused(CONTENT_LOST);
  if (!SAFE_METHODS.has(recorded.method) && !confirmed) {
    const reason = `${recorded.method} may change something: confirm that the request is sent again`;
    return { ...refused(reason), needsConfirmation: true };
  }
  const token = newOneTimeToken();
  tracing.acceptToken(token, USUAL_DETAILS);
  const raw = new ReplayedRequest(recorded, recorded.body, [REPLAY_FIELD, id, TRACE_FIELD, token]);
  const request = server.receive(raw);
  const startedAtMs = performance.now();
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(new Error(`there was no answer within ${REPLAY_MS_MAX / 1000} s`));
    markGone(raw);
  }, REPLAY_MS_MAX);
  try {
    const answering = toPromise(server.handle(request));
    const response = await unlessAborted(late.signal, answering, ({ body }) => discardBody(body));
    request.record.lines = response.lines;
    const bytes = await complete(response.body, raw);
    const status = statusInLogs(response);
    server.onAnswered(request, status, bytes, startedAtMs);
    return { kind: 'answered', id: requestIdOf(request.record), status };
  } catch (error) {
    server.onAnswered(request, 500, 0, startedAtMs);
    return refused(`The request was sent again and failed: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

const NOT_KEPT = 'Only the stages of this request were kept, not the request itself, so it cannot be sent again';

const CONTENT_LOST = `The content of the request was not kept, so it cannot be sent again: only complete contents of up to ${KEPT_CONTENT_BYTES_MAX / 1024} KiB are, and only in development`;

function refused(reason: string): Extract<ReplayOutcome, { kind: 'refused' }> {
  return { kind: 'refused', reason, needsConfirmation: false };
}

/** Resolves to the number of bytes when all of `body` has come. */
function complete(body: ResponseBody, request: ReplayedRequest): Promise<number> {
  if (body === null) return Promise.resolve(0);
  if (body instanceof Uint8Array) return Promise.resolve(body.length);
  if ('fd' in body) {
    body.release();
    return Promise.resolve(body.end - body.start);
  }
  return new Promise((resolve) => {
    let bytes = 0;
    const giveUp = (): void => {
      discardBody(body);
      resolve(bytes);
    };
    request.onGone = giveUp;
    body.start({
      write(block, onReleased) {
        bytes += block.length;
        onReleased?.();
        if (bytes > RESPONSE_BYTES_MAX) giveUp();
      },
      end: () => resolve(bytes),
      fail: () => resolve(bytes),
    });
  });
}

class ReplayedRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly protocol = 'HTTP/1.1';
  readonly headers: HeaderList;
  readonly headersRepeat = true;
  readonly headerCacheId = 0;
  readonly scriptName = '';
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  readonly upgrades = false;
  readonly record = newRecord();
  gone = false;
  onGone: (() => void) | null = null;

  constructor(
    { method, path, query, host, headers, client }: RecordedRequest,
    body: Uint8Array | null,
    added: HeaderList,
  ) {
    const { address, port, listener, secure, serverPort } = client;
    this.method = method;
    this.path = path;
    this.query = query;
    this.host = host;
    this.headers = [...withoutOwn(headers), ...(body === null ? [] : ['Content-Length', `${body.length}`]), ...added];
    this.body = body === null ? null : new KeptBody(body);
    this.peer = { remoteAddress: address, remotePort: port, listener, secure, serverPort };
  }

  /** Nobody waits for it. */
  sendInterim(): void {}
}

/** The content may have come chunked: its length is known now. */
function withoutOwn(headers: readonly string[]): string[] {
  return headers.filter((_, index) => {
    const name = (headers[index - (index % 2)] as string).toLowerCase();
    return !OWN_FIELDS.has(name) && name !== 'content-length' && name !== 'transfer-encoding' && name !== 'expect';
  });
}

/** Content that is in memory. */
class KeptBody implements RequestBody {
  readonly length: number;
  readonly trailers: HeaderList = [];
  readonly #bytes: Uint8Array;
  #sink: BodySink | null = null;
  #isPaused = false;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#bytes = bytes;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.length > 0) sink.write(this.#bytes);
    if (!this.#isPaused) this.#end();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#end();
  }

  cancel(): void {
    this.#sink = null;
  }

  #end(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.end();
  }
}
