import type { TraceDocument } from '../../trace/document.ts';
import type { ErrorGroup, TraceFilter, TraceSummary, TraceUsage } from '../../trace/store.ts';
import type { TraceDetails } from '../../trace/trace.ts';
import { type ReplayedServer, replayRequest } from './replay.ts';
import type { KeptTraces, ReplayOutcome, TraceCursor, Traces } from './traces.ts';
import type { Tracing } from './tracing.ts';

/** The traces of this process. */
export class LocalTraces implements Traces {
  readonly #tracing: Tracing;
  readonly #server: ReplayedServer;
  readonly #process: string;

  /** `server` gets the requests that are sent again. `pid` distinguishes the traces of this process from those of others. */
  constructor(tracing: Tracing, server: ReplayedServer, pid: number = process.pid) {
    this.#tracing = tracing;
    this.#server = server;
    this.#process = String(pid);
  }

  async list(filter: TraceFilter): Promise<readonly TraceSummary[]> {
    return this.#tracing.store.list(filter);
  }

  async find(id: string): Promise<TraceDocument | null> {
    return this.#tracing.store.find(id);
  }

  async lastGood(id: string): Promise<TraceDocument | null> {
    return this.#tracing.store.lastGood(id);
  }

  async errors(): Promise<readonly ErrorGroup[]> {
    return this.#tracing.store.errors();
  }

  async usage(): Promise<TraceUsage> {
    return this.#tracing.store.usage;
  }

  async replay(id: string, confirmed: boolean): Promise<ReplayOutcome> {
    return replayRequest(this.#tracing, id, confirmed, this.#server);
  }

  async acceptToken(token: string, details: TraceDetails): Promise<null> {
    this.#tracing.acceptToken(token, details);
    return null;
  }

  async since(cursor: TraceCursor | null, limit: number): Promise<KeptTraces> {
    const key = this.#process;
    const { store } = this.#tracing;
    const seen = cursor?.[key];
    const traces = store.list(seen === undefined ? { limit: 1 } : { after: seen, limit });
    const last = traces[0]?.number ?? seen ?? 0;
    return { traces: seen === undefined ? [] : traces, cursor: { [key]: last } };
  }
}
