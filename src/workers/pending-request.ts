import type { Later, Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { addedTraceParent } from '../trace/trace-context.ts';
import { writeSection, writeTarget } from './environ.ts';
import { type Variables, variablesOf, writeVariables } from './environ-variables.ts';
import { traceOptions } from './lane-traces.ts';
import { DICT, DICT_END, type MarshalWriter, Name, NONE, TUPLE } from './marshal.ts';
import type { Outcomes } from './outcomes.ts';
import type { ReceivedBody } from './request-body.ts';
import type { ClientQueue, Waiting } from './turns.ts';
import type { WorkerBody } from './worker-body.ts';
import type { WorkerHeaderCache } from './worker-header-cache.ts';

/**
 * A request on its way through the pool. It is also the promise of its response (`Later`), without the cost of a
 * Promise. The pool owns it until `settle`; a recall moves it from a lane back to the queue.
 */
export class PendingRequest implements Later<Response>, Waiting<PendingRequest> {
  readonly id: number;
  readonly request: Request;
  /** The complete body; null when the request has none. */
  body: ReceivedBody | null = null;
  /** Set when the body of the response arrives in parts. */
  stream: WorkerBody | null = null;
  /** The worker that ran the request died, and the request was allowed to start once more. */
  retried = false;
  /** Where the request waits for a lane; null when it does not wait. `Queue` sets these three. */
  queue: ClientQueue<PendingRequest> | null = null;
  previous: PendingRequest | null = null;
  next: PendingRequest | null = null;
  /** When the request was complete and entered the pool, by `performance.now()`. */
  queuedAtMs = 0;
  /** How long the request waited until it was sent to a lane, for the environ; -1 if the environ does not have it. */
  waitedMs = -1;
  #onResponse: ((response: Response) => unknown) | null = null;
  #response: Response | null = null;
  /** The request's variables as changed by middleware; null without middleware. */
  readonly #variables: Variables | null;
  /** Where the outcome is counted; null when nobody compares releases. */
  readonly #outcomes: Outcomes | null;

  /** @throws ViaductError `CONTRACT` for an environ that cannot be sent to Python. */
  constructor(id: number, request: Request, outcomes: Outcomes | null = null) {
    this.id = id;
    this.request = request;
    this.#outcomes = outcomes;
    this.#variables = request.environ === undefined ? null : variablesOf(request.environ);
  }

  // biome-ignore lint/suspicious/noThenProperty: callers await the response through this `then`
  then(onResponse: (response: Response) => unknown, _onError: (error: unknown) => unknown): void {
    if (this.#response === null) this.#onResponse = onResponse;
    else onResponse(this.#response);
  }

  get settled(): boolean {
    return this.#response !== null;
  }

  /** Delivers the response to the caller. A request is settled once; later responses are dropped. */
  settle(response: Response): void {
    if (this.#response !== null) return;
    this.#response = response;
    this.request.record.trace?.leaveStage();
    if (this.#outcomes !== null && !this.request.gone) this.#outcomes.note(response.status, this.request.record);
    this.body?.release();
    this.#onResponse?.(response);
  }

  /** Answers for `reason` with a response of this server; see `RequestRecord`. */
  refuse(response: Response, reason: string): void {
    if (this.#response !== null) return;
    this.request.record.reason = reason;
    this.settle(response);
  }

  /** Notes for the logs how long the request waited that leaves the queue without a worker. */
  noteWait(nowMs: number): void {
    if (this.queuedAtMs > 0 && nowMs > this.queuedAtMs)
      this.request.record.queueUs = Math.round((nowMs - this.queuedAtMs) * 1000);
  }

  /** The response has started, and breaks off for `reason`. */
  breakOff(reason: string): void {
    this.request.record.reason = reason;
    this.stream?.abort();
  }

  /** Notes for the logs that a frame arrived now, `ns` after the worker's thread had started the request. */
  note(ns: number, nowMs: number): void {
    const { record } = this.request;
    record.trace?.noteReturn(ns, nowMs);
    const pythonUs = Math.round(ns / 1000);
    record.pythonUs = pythonUs;
    if (record.queueUs < 0) record.queueUs = Math.max(0, Math.round((nowMs - this.queuedAtMs) * 1000) - pythonUs);
  }

  /**
   * Passes an interim response on to the client. The request stays open: a retried request may produce the interim response
   * again.
   */
  hint({ status, lines }: Response): void {
    if (this.#response === null) this.request.sendInterim(status, lines);
  }

  /**
   * Writes the request as an item of a batch: request id, listener, slot of the section, section, environ, body, and
   * for a traced request what to record (`writeEnd`). A repeated section is sent to a worker thread once and is None afterwards. Any other section is part of the environ,
   * and its slot is 0. For a body in memory only the head is written; the caller must write the blocks after it, and
   * then call `writeEnd`.
   */
  write(writer: MarshalWriter, headerCache: WorkerHeaderCache): void {
    const { body, request } = this;
    const { headerCacheId } = request;
    writer.byte(TUPLE);
    writer.byte(request.record.trace === null ? 6 : 7);
    writer.int(this.id);
    writer.int(request.peer.listener);
    const known = headerCacheId === 0 ? 0 : headerCache.find(headerCacheId);
    const slot = known > 0 || headerCacheId === 0 ? known : headerCache.learn(headerCacheId);
    writer.int(slot);
    if (slot === known) writer.byte(NONE);
    else {
      writer.byte(DICT);
      writeSection(writer, request);
      writer.byte(DICT_END);
    }
    const contentLength = body === null ? -1 : body.length;
    writer.byte(DICT);
    if (this.waitedMs >= 0) {
      writer.name(QUEUE_MS);
      writer.number(this.waitedMs);
    }
    const { id } = request.record;
    if (id !== '') {
      writer.name(REQUEST_ID);
      writer.text(id);
    }
    if (this.#variables !== null) writeVariables(writer, this.#variables, contentLength);
    else {
      writeTarget(writer, request, contentLength);
      if (slot === 0) writeSection(writer, request);
      const { trace } = request.record;
      const parent = trace === null ? '' : addedTraceParent(trace);
      if (parent !== '') {
        writer.name(TRACE_PARENT);
        writer.text(parent);
      }
    }
    if (this.waitedMs >= 0) {
      // The last item of a name wins, so no client can claim another time.
      const start = requestStart(this.waitedMs);
      writer.name(REQUEST_START);
      writer.text(start);
      writer.name(QUEUE_START);
      writer.text(start);
    }
    writer.byte(DICT_END);
    if (body === null) writer.byte(NONE);
    else if (body.path !== null) writer.text(body.path);
    else writer.bytesHead(body.length);
  }

  /** Writes what follows the body: for a traced request what to record, else nothing. */
  writeEnd(writer: MarshalWriter): void {
    const { trace } = this.request.record;
    if (trace !== null) writer.text(traceOptions(trace));
  }
}

const TRACE_PARENT = new Name('HTTP_TRACEPARENT');
const QUEUE_MS = new Name('viaduct.queue_ms');
const REQUEST_ID = new Name('viaduct.request_id');
const REQUEST_START = new Name('HTTP_X_REQUEST_START');
const QUEUE_START = new Name('HTTP_X_QUEUE_START');

/** When a request was complete that has waited for `waitedMs`: `t=` and seconds, as nginx writes `t=${msec}`. */
function requestStart(waitedMs: number): string {
  return `t=${((Date.now() - waitedMs) / 1000).toFixed(3)}`;
}
