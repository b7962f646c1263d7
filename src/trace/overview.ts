import type { TraceUsage } from './store.ts';

/** The state of a running server at one moment, for its dashboard. It is sent as JSON, as it is. Times are ISO 8601. */
export interface Overview {
  readonly at: string;
  readonly server: OverviewServer;
  /** Whether requests are counted. Without, `rates`, `latency`, `eventLoop` and the waits in `queue` are 0. */
  readonly counted: boolean;
  /** A second, since the time before that somebody looked; 0 at the first time. */
  readonly rates: { readonly requests: number; readonly errors: number };
  readonly latency: LatencyHistogram;
  /** How many requests wait for a worker, and how long those of the last minute waited, in milliseconds. */
  readonly queue: { readonly waiting: number; readonly p50Ms: number; readonly p99Ms: number };
  /** How late the event loops of the server processes came to their work, over the same time, in milliseconds. */
  readonly eventLoop: { readonly meanMs: number; readonly maxMs: number };
  readonly workers: readonly OverviewWorker[];
  readonly backends: readonly OverviewBackend[];
  /** Static files in memory; null if nobody counts. */
  readonly cache: { readonly bytes: number } | null;
  readonly certificates: readonly { readonly names: readonly string[]; readonly validTo: string | null }[];
  readonly trace: TraceUsage;
  /** The part of the time of all traced requests that is the server's own: 0 to 1; null without a request. */
  readonly ownShare: number | null;
}

export interface OverviewServer {
  readonly version: string;
  readonly startedAt: string;
  readonly urls: readonly string[];
  readonly processes: number;
  readonly connections: number;
  readonly rssBytes: number | null;
}

/** `counts[i]` requests of the last minute (at the first time: since the start) took up to `boundsMs[i]`, and more than the bound before. */
export interface LatencyHistogram {
  readonly boundsMs: readonly number[];
  /** One more than bounds: the last counts what took longer than all of them. */
  readonly counts: readonly number[];
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface OverviewWorker {
  readonly number: number;
  readonly pid: number;
  readonly application: string;
  readonly state: 'starting' | 'ready' | 'retiring' | 'gone';
  /** Method and path of the request that it runs; null if it runs none. */
  readonly request: string | null;
  readonly ageMs: number | null;
  readonly done: number;
  readonly rssBytes: number | null;
  /** How long a thread that needs only the interpreter lock (GIL) waited last, in milliseconds; null if it is not known. */
  readonly gilWaitMs: number | null;
}

export interface OverviewBackend {
  readonly name: string;
  readonly state: string;
  readonly active: number;
  readonly requests: number;
  readonly failures: number;
}
