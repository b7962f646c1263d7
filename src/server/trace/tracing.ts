import type { TraceStore } from '../../trace/store.ts';

/** The recording of traces in a server process, as far as the pages, the commands and the exports need it. */
export interface Tracing {
  readonly store: TraceStore;
  /**
   * A token that lets one request be recorded in full: the value of the field `Viaduct-Trace`. It is valid for a short time, in all server
   * processes. With `profile`, the stacks of the request's thread are sampled, too.
   */
  oneTimeToken(options: TokenOptions): string;
}

export interface TokenOptions {
  readonly profile: boolean;
}

/** The field with which a client asks for a trace. */
export const TRACE_FIELD = 'Viaduct-Trace';
