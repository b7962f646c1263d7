import type { TraceStore } from '../../trace/store.ts';
import type { TraceDetails } from '../../trace/trace.ts';

/** The recording of traces in a server process, as far as the pages, the commands and the exports need it. */
export interface Tracing {
  readonly store: TraceStore;
  /** Records one request in full whose field `Viaduct-Trace` is this token, if it comes soon. */
  acceptToken(token: string, details: TraceDetails): void;
}
