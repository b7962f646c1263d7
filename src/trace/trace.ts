import type { SpanKind, TraceDocument } from './document.ts';
import { randomHex } from './random-hex.ts';
import type { RecordedException } from './recorded-exception.ts';
import type { RecordedRequest } from './store.ts';
import type {
  HopFields,
  PythonState,
  RecordedHop,
  RecordedRoute,
  RecordedSpan,
  TracedRequest,
  TraceRecord,
} from './trace-record.ts';

/** What to record in addition to the usual, for one request. */
export interface TraceDetails {
  /** The parameters of queries. */
  readonly sqlParameters: boolean;
  /** The local variables of the frames of an exception. */
  readonly locals: boolean;
  /** The stacks of the request's thread. */
  readonly profile: boolean;
}

export const USUAL_DETAILS: TraceDetails = { sqlParameters: false, locals: false, profile: false };

/** The attribute of a lane: how long the request waited there behind others, in microseconds. */
export const BEHIND_US = 'behind_us';

/** The spans of this process, for one request. Python has a limit of its own. */
const SPANS_MAX = 500;
const HOPS_MAX = 100;

/** Records what happens to one request, as cheaply as it can: everything is text and numbers as the server has them. Times are `performance.now()`. */
export class Trace implements TraceRecord {
  readonly id: string;
  kept: TraceDocument['kept'];
  readonly detail: TraceDocument['detail'];
  readonly details: TraceDetails;
  readonly request: TracedRequest;
  /** The time of the day at the first byte, in milliseconds since 1970. */
  readonly startedAt: number;
  /** The first byte of the request, or the opening of its connection if it is the first request there. */
  readonly startMs: number;
  /** When the socket had the last byte of the response; negative until then. */
  endMs = -1;
  /** The number between 0 and 1 that decides whether the request is recorded: below the share of its route, it is. */
  draw = 0;
  readonly spans: RecordedSpan[] = [];
  readonly hops: RecordedHop[] = [];
  /** How many spans there was no room for. */
  dropped = 0;
  route: RecordedRoute | null = null;
  routeName = '';
  /** Name of the application that got the request; '' if none did. */
  application = '';
  worker = 0;
  /** As in `RequestRecord`; -1 while they are not known. */
  queueUs = -1;
  pythonUs = -1;
  /** 0 without a response. */
  status = 0;
  bodyBytes = 0;
  reason = '';
  /** The field lines of the response. */
  lines = '';
  python: PythonState = 'none';
  /** Why Python's record is missing, as a sentence; '' if it is not. */
  pythonMissing = '';
  /** Python's record, marshalled; null without one. See `readPythonPart`. */
  payload: Uint8Array | null = null;
  /** What an application in TypeScript threw; null if it did not. */
  thrown: RecordedException | null = null;
  /** When the worker's first frame for the request arrived, and how long its thread had run it then; negative without one. */
  returnedMs = -1;
  returnedAfterMs = -1;
  /** The request as its client sent it; null if only its stages were kept. */
  recorded: RecordedRequest | null = null;
  /** Set before the hop is noted whose receiver adds the field `traceparent` of this trace. */
  parentHop = -1;
  /** Its number in the store; 0 until it is kept there. */
  number = 0;
  /** Where `WaitingTraces` has it; negative if it does not. */
  place = -1;
  /** Called when nothing is awaited any more, and once more if Python's record comes later. */
  onOver: ((trace: Trace) => void) | null = null;
  readonly #parent: string;
  #traceId: string;
  #spanId = '';
  /** The span that the next one belongs to. */
  #current = -1;
  /** The span of the queue or lane in which the request is; -1 in neither. */
  #stage = -1;
  /** Whether others keep the thread of the lane busy. */
  #isBehind = false;
  #response = -1;
  #flush = -1;

  /** `parent` is the trace id and the span id of the caller; null without one. */
  constructor(
    id: string,
    kept: TraceDocument['kept'],
    detail: TraceDocument['detail'],
    details: TraceDetails,
    request: TracedRequest,
    startMs: number,
    parent: readonly [traceId: string, spanId: string] | null,
  ) {
    this.id = id;
    this.kept = kept;
    this.detail = detail;
    this.details = details;
    this.request = request;
    this.startMs = startMs;
    this.startedAt = Date.now() - (performance.now() - startMs);
    this.#traceId = parent === null ? '' : parent[0];
    this.#parent = parent === null ? '' : parent[1];
  }

  get traceId(): string {
    if (this.#traceId === '') this.#traceId = randomHex(32);
    return this.#traceId;
  }

  get spanId(): string {
    if (this.#spanId === '') this.#spanId = randomHex(16);
    return this.#spanId;
  }

  get parentSpanId(): string | null {
    return this.#parent === '' ? null : this.#parent;
  }

  /** Starts a span within the present one. Returns its number for `end`; -1 if there is no room. */
  begin(kind: SpanKind, name: string): number {
    const index = this.add(kind, name, performance.now(), -1);
    if (index >= 0) this.#current = index;
    return index;
  }

  /** Ends a span. What starts next belongs to the span around it. */
  end(index: number): void {
    const span = this.spans[index];
    if (span === undefined || span.endMs >= 0) return;
    span.endMs = performance.now();
    this.#current = span.parent;
  }

  /** Adds a span within the present one, whose times are known. The present one stays. */
  add(kind: SpanKind, name: string, startMs: number, endMs: number, parent = this.#current): number {
    if (this.spans.length >= SPANS_MAX) {
      this.dropped += 1;
      return -1;
    }
    return this.spans.push({ kind, name, parent, startMs, endMs, attributes: null }) - 1;
  }

  /** Ends a span of `add`. */
  finish(index: number): void {
    const span = this.spans[index];
    if (span !== undefined) span.endMs = performance.now();
  }

  /** Whether a span has ended, or there was no room for it. */
  isOver(index: number): boolean {
    return (this.spans[index]?.endMs ?? 0) >= 0;
  }

  /** Sets an attribute of a span. */
  set(index: number, name: string, value: string | number | boolean): void {
    const span = this.spans[index];
    if (span === undefined) return;
    span.attributes ??= {};
    span.attributes[name] = value;
  }

  /** The queue or lane in which the request is has failed, or the hop that has the request otherwise. */
  fail(error: string): void {
    this.set(this.#stage < 0 ? this.#current : this.#stage, 'error', error);
  }

  /** Notes the fields of the request as something passed it on. */
  passedRequest(span: number, name: string, fields: HopFields): void {
    this.#hop({ span, direction: 'request', name, status: '', fields });
  }

  /** Notes the fields of the response as something passed it on. */
  passedResponse(span: number, name: string, status: number, fields: HopFields): void {
    this.#hop({ span, direction: 'response', name, status: String(status), fields });
  }

  #hop(hop: RecordedHop): void {
    if (this.hops.length < HOPS_MAX) this.hops.push(hop);
    else this.dropped += 1;
  }

  /** The route is chosen: ends the span of the choice. */
  chose(name: string, why: string, rejected: RecordedRoute['rejected']): void {
    this.route = { name, why, rejected };
    if (this.spans[this.#current]?.kind === 'route') this.end(this.#current);
  }

  /** The request waits in the queue, or for the thread of its lane, from now on: `isBehind` others that keep the thread busy. */
  enterStage(kind: 'queue' | 'lane', name: string, isBehind = false): void {
    this.leaveStage();
    this.#stage = this.add(kind, name, performance.now(), -1);
    this.#isBehind = isBehind;
  }

  /** The request is the first of its lane now: nothing that came before keeps its thread busy any more. */
  becomeFirst(now: number): void {
    const span = this.spans[this.#stage];
    this.#isBehind = false;
    if (span !== undefined) this.set(this.#stage, BEHIND_US, Math.round((now - span.startMs) * 1000));
  }

  /** The request has left the queue or the lane. */
  leaveStage(): void {
    const span = this.spans[this.#stage];
    if (span !== undefined) {
      const now = performance.now();
      if (this.#isBehind) this.becomeFirst(now);
      span.endMs = now;
    }
    this.#stage = -1;
  }

  /** A worker has the request; what its thread records will come. */
  awaitPython(worker: number): void {
    this.worker = worker;
    this.python = 'awaited';
    this.pythonMissing = '';
  }

  /** The worker's first frame for the request has arrived `now`, `ns` after its thread had started the request. */
  noteReturn(ns: number, now: number): void {
    if (this.returnedMs >= 0) return;
    this.returnedMs = now;
    this.returnedAfterMs = ns / 1e6;
  }

  /** Python's record arrived. It is copied unless the client has the response, as usual: then it is valid only as long as `onOver` runs. */
  receivePython(payload: Uint8Array): void {
    this.payload = this.#isTaken ? payload : Uint8Array.from(payload);
    this.python = 'arrived';
    this.pythonMissing = '';
    if (!this.#isTaken) return;
    this.onOver?.(this);
    this.payload = null;
  }

  /** Python's record will not come, because of what the sentence says. */
  losePython(sentence: string): void {
    if (this.python !== 'awaited') return;
    this.python = 'lost';
    this.pythonMissing = sentence;
    if (this.#isTaken) this.onOver?.(this);
  }

  /** The response is about to be sent. */
  respond(status: number, lines: string): void {
    this.status = status;
    this.#endOpen();
    this.#response = this.begin('response', 'response');
    this.passedResponse(this.#response, 'the server', status, lines);
  }

  /** Ends what has not answered itself, such as the choice of a route if the request was refused. */
  #endOpen(): void {
    const now = performance.now();
    for (let span = this.spans[this.#current]; span !== undefined; span = this.spans[span.parent])
      if (span.endMs < 0) span.endMs = now;
    this.#current = -1;
  }

  /** The client has to take bytes before more are sent. */
  beginFlush(): void {
    if (this.#flush < 0) this.#flush = this.add('flush', 'client', performance.now(), -1, this.#response);
  }

  endFlush(): void {
    const span = this.spans[this.#flush];
    this.#flush = -1;
    if (span === undefined) return;
    span.endMs = performance.now();
    if (!this.isAnswered) return;
    this.endMs = span.endMs;
    const response = this.spans[this.#response];
    if (response !== undefined) response.endMs = span.endMs;
    if (this.python !== 'awaited') this.onOver?.(this);
  }

  get isAnswered(): boolean {
    return this.endMs >= 0;
  }

  /** Whether the request is answered, and the kernel has taken the whole response or given it up. */
  get #isTaken(): boolean {
    return this.isAnswered && this.#flush < 0;
  }

  /** The socket has the last byte of the response, or the request was given up. */
  answered(status: number, bodyBytes: number): void {
    this.endMs = performance.now();
    this.status = status;
    this.bodyBytes = bodyBytes;
    const response = this.spans[this.#response];
    if (response !== undefined && response.endMs < 0) response.endMs = this.endMs;
    if (this.python !== 'awaited' && this.#isTaken) this.onOver?.(this);
  }
}
