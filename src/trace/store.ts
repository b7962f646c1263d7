import type { TraceDocument } from './document.ts';

/** One line of the list of requests. It is sent as JSON, as it is. */
export interface TraceSummary {
  readonly id: string;
  /** Counts up with each kept trace: for `after`. */
  readonly number: number;
  readonly startedAt: string;
  readonly method: string;
  readonly host: string;
  /** Path and query, secrets redacted. */
  readonly target: string;
  readonly route: string;
  /** 0 if the client got no response, or not yet. */
  readonly status: number;
  readonly durationUs: number | null;
  readonly queueUs: number;
  readonly pythonUs: number;
  readonly ownUs: number;
  readonly queries: number;
  readonly detail: TraceDocument['detail'];
  readonly kept: TraceDocument['kept'];
  readonly state: TraceDocument['state'];
  /** Type and message of the exception; '' without one. */
  readonly error: string;
  readonly worker: number;
}

/** Which traces to list. All conditions that are set must hold. */
export interface TraceFilter {
  readonly method?: string;
  /** A part of the path and query. */
  readonly path?: string;
  /** No part of the path and query. */
  readonly notPath?: string;
  /** `404`, or a class: `5xx`. */
  readonly status?: string;
  readonly route?: string;
  readonly minUs?: number;
  /** A part of the text of a query, without regard to case. */
  readonly sql?: string;
  readonly error?: string;
  /** Only traces with a greater `number`. */
  readonly after?: number;
  /** The maximum number, the newest first. */
  readonly limit: number;
}

/** Requests that failed for the same cause: the same exception at the same line of the project, or the same reason of this server. */
export interface ErrorGroup {
  readonly cause: string;
  /** Of the newest request: its exception with the message, or the reason of this server. */
  readonly error: string;
  /** Method and path of the newest request. */
  readonly request: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** Those with a name. */
  readonly routes: readonly string[];
  /** The newest traces of the group, by id. */
  readonly traces: readonly string[];
  /** Of the newest trace; '' without one. */
  readonly traceback: string;
}

/** A request as its client sent it, with its secrets: for a replay. It never leaves the server. */
export interface RecordedRequest {
  readonly method: string;
  /** As received, without the query. */
  readonly path: string;
  readonly query: string;
  readonly host: string;
  /** `[name, value, name, value, …]` in the order received. */
  readonly headers: readonly string[];
  /** Of the connection, before a trusted proxy's statements are applied. */
  readonly client: {
    readonly address: string;
    readonly port: number;
    /** Index of the listener. */
    readonly listener: number;
    readonly secure: boolean;
    readonly serverPort: string;
  };
  /** The content; null if the request had none, `lost` if it was not kept. */
  readonly body: Uint8Array | null | 'lost';
}

/** The traces that are kept: in memory, bounded. */
export interface TraceStore {
  /** The newest first. */
  list(filter: TraceFilter): readonly TraceSummary[];
  find(id: string): TraceDocument | null;
  /**
   * The last good request of the same method before `id`, for comparison: of the same path, otherwise of the same route if that has a name. Null without
   * one.
   */
  lastGood(id: string): TraceDocument | null;
  errors(): readonly ErrorGroup[];
  /** The request of the trace `id` as it came; null if it is not known. */
  recorded(id: string): RecordedRequest | null;
  /** `listener` gets each trace when it is complete. Returns a function that ends this. */
  onKept(listener: (summary: TraceSummary) => void): () => void;
  readonly usage: TraceUsage;
}

export interface TraceUsage {
  readonly traces: number;
  readonly bytes: number;
  readonly bytesMax: number;
  /** How many were kept and dropped again for newer ones. */
  readonly evicted: number;
}
