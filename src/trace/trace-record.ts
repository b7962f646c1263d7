import type { SpanKind, TraceDocument } from './document.ts';
import type { RecordedException } from './recorded-exception.ts';
import type { RecordedRequest } from './store.ts';

/** The request as it arrived. */
export interface TracedRequest {
  readonly method: string;
  /** As received, without the query. */
  readonly path: string;
  readonly query: string;
  readonly protocol: string;
  readonly secure: boolean;
  readonly host: string;
  readonly client: string;
  readonly listener: string;
  /** `[name, value, name, value, …]` */
  readonly headers: readonly string[];
  /** -1 if it is not known. */
  readonly bodyBytes: number;
}

/** Fields as the server has them: a list of names and values, or encoded lines. They are read when somebody looks. */
export type HopFields = readonly string[] | string;

export interface RecordedHop {
  readonly span: number;
  readonly direction: 'request' | 'response';
  readonly name: string;
  readonly status: string;
  readonly fields: HopFields;
}

export interface RecordedSpan {
  readonly kind: SpanKind;
  readonly name: string;
  readonly parent: number;
  readonly startMs: number;
  /** Negative while the end is not known. */
  endMs: number;
  attributes: Record<string, string | number | boolean> | null;
}

/** Which route the request took. `rejected` are pairs of a name and a sentence. */
export interface RecordedRoute {
  readonly name: string;
  readonly why: string;
  readonly rejected: readonly (readonly [name: string, why: string])[];
}

/**
 * `none`: Python has nothing to do with the request. `awaited`: a worker has the request. `arrived`: its record is there. `lost`: it will not
 * come, or not soon.
 */
export type PythonState = 'none' | 'awaited' | 'arrived' | 'lost';

/** What is recorded of one request. Times are `performance.now()`. */
export interface TraceRecord {
  readonly id: string;
  /** Trace id and span ids of W3C Trace Context, in hexadecimal: 32 and 16 digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** The span of the caller; null without one. */
  readonly parentSpanId: string | null;
  readonly kept: TraceDocument['kept'];
  readonly detail: TraceDocument['detail'];
  readonly request: TracedRequest;
  /** The time of the day at the first byte, in milliseconds since 1970. */
  readonly startedAt: number;
  /** The first byte of the request, or the opening of its connection if it is the first request there. */
  readonly startMs: number;
  /** When the socket had the last byte of the response; negative until then. */
  readonly endMs: number;
  readonly spans: readonly RecordedSpan[];
  readonly hops: readonly RecordedHop[];
  /** The hop whose receiver adds the field `traceparent` of this trace; -1 without one. */
  readonly parentHop: number;
  /** How many spans there was no room for. */
  readonly dropped: number;
  readonly route: RecordedRoute | null;
  readonly routeName: string;
  /** Name of the application that got the request; '' if none did. */
  readonly application: string;
  readonly worker: number;
  /** As in `RequestRecord`; -1 while they are not known. */
  readonly queueUs: number;
  readonly pythonUs: number;
  /** 0 without a response. */
  readonly status: number;
  readonly bodyBytes: number;
  readonly reason: string;
  /** The field lines of the response. */
  readonly lines: string;
  readonly python: PythonState;
  /** Why Python's record is missing, as a sentence; '' if it is not. */
  readonly pythonMissing: string;
  /** Python's record, marshalled; null without one. See `readPythonPart`. */
  readonly payload: Uint8Array | null;
  /** When the worker's first frame for the request arrived, and how long its thread had run it then; negative without one. */
  readonly returnedMs: number;
  readonly returnedAfterMs: number;
  /** The request as its client sent it; null if only its stages were kept. */
  readonly recorded: RecordedRequest | null;
  /** What JavaScript threw; null if it did not. */
  readonly thrown: RecordedException | null;
}
