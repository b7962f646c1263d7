import type { TraceDocument } from '../../trace/document.ts';
import type { ErrorGroup, TraceFilter, TraceSummary, TraceUsage } from '../../trace/store.ts';
import type { TraceDetails } from './tracing.ts';

/** The traces of a server, with all its processes. All methods resolve to null, or to an empty list, where nothing is recorded. */
export interface Traces {
  /** The newest first. */
  list(filter: TraceFilter): Promise<readonly TraceSummary[]>;
  find(id: string): Promise<TraceDocument | null>;
  /** See `TraceStore.lastGood`. */
  lastGood(id: string): Promise<TraceDocument | null>;
  errors(): Promise<readonly ErrorGroup[]>;
  usage(): Promise<TraceUsage>;
  /** Sends the request of a trace again. `confirmed`: a person agreed to repeat a method that is not safe. */
  replay(id: string, confirmed: boolean): Promise<ReplayOutcome>;
  /** A token for one request, see `Tracing.oneTimeToken`; null if nothing can be recorded. */
  oneTimeToken(details: TraceDetails): Promise<string | null>;
  /** See `Tracing.admitToken`. */
  admitToken(token: string, details: TraceDetails): Promise<void>;
  /** The traces that were kept after the call that returned `cursor`, at most `limit`. With null: none, and a cursor for what comes now. */
  since(cursor: TraceCursor | null, limit: number): Promise<KeptTraces>;
}

/** Up to which traces somebody has seen them: the last number by process id. */
export type TraceCursor = Readonly<Record<string, number>>;

export interface KeptTraces {
  /** The newest first. */
  readonly traces: readonly TraceSummary[];
  readonly cursor: TraceCursor;
}

/** What became of a replay. */
export type ReplayOutcome =
  /** `id` is that of the new trace. */
  | { readonly kind: 'answered'; readonly id: string; readonly status: number }
  /** There is no such trace. */
  | { readonly kind: 'unknown' }
  /** It cannot be sent, or needs a confirmation: a sentence. */
  | { readonly kind: 'refused'; readonly reason: string; readonly needsConfirmation: boolean };

export const NO_USAGE: TraceUsage = { traces: 0, bytes: 0, bytesMax: 0, evicted: 0 };
