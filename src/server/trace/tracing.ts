import type { TraceStore } from '../../trace/store.ts';

/** What is recorded of a request that somebody asks to record, besides what is recorded of all. */
export interface TraceDetails {
  /** Local variables of the frames of an exception. */
  readonly locals: boolean;
  /** The stacks of the request's thread. */
  readonly profile: boolean;
  readonly sqlParameters: boolean;
}

/** The recording of traces in a server process, as far as the pages, the commands and the exports need it. */
export interface Tracing {
  readonly store: TraceStore;
  /** Makes a token that lets one request be recorded in full: the value of the field `Viaduct-Trace`. It is valid for a short time. */
  oneTimeToken(details: TraceDetails): string;
  /** Accepts a token that another server process made: the request may come to any of them. */
  admitToken(token: string, details: TraceDetails): void;
}

/** The field with which a client asks for a trace. */
export const TRACE_FIELD = 'Viaduct-Trace';
