import type { TraceDocument } from '../../trace/document.ts';
import type { ErrorGroup, TraceFilter, TraceSummary, TraceUsage } from '../../trace/store.ts';
import { type ReplayedServer, replayRequest } from './replay.ts';
import { type KeptTraces, NO_USAGE, type ReplayOutcome, type TraceCursor, type Traces } from './traces.ts';
import type { TraceDetails, Tracing } from './tracing.ts';

/** The traces of this process. */
export class LocalTraces implements Traces {
  readonly #tracing: () => Tracing | null;
  readonly #server: ReplayedServer;
  readonly #process: string;

  /**
   * `tracing` returns null while nothing is recorded. `server` gets the requests that are sent again. `pid` distinguishes the traces of this
   * process from those of others.
   */
  constructor(tracing: () => Tracing | null, server: ReplayedServer, pid: number = process.pid) {
    this.#tracing = tracing;
    this.#server = server;
    this.#process = String(pid);
  }

  async list(filter: TraceFilter): Promise<readonly TraceSummary[]> {
    return this.#tracing()?.store.list(filter) ?? [];
  }

  async find(id: string): Promise<TraceDocument | null> {
    return this.#tracing()?.store.find(id) ?? null;
  }

  async lastGood(id: string): Promise<TraceDocument | null> {
    return this.#tracing()?.store.lastGood(id) ?? null;
  }

  async errors(): Promise<readonly ErrorGroup[]> {
    return this.#tracing()?.store.errors() ?? [];
  }

  async usage(): Promise<TraceUsage> {
    return this.#tracing()?.store.usage ?? NO_USAGE;
  }

  async replay(id: string, confirmed: boolean): Promise<ReplayOutcome> {
    const tracing = this.#tracing();
    return tracing === null ? { kind: 'unknown' } : replayRequest(tracing, id, confirmed, this.#server);
  }

  async oneTimeToken(details: TraceDetails): Promise<string | null> {
    return this.#tracing()?.oneTimeToken(details) ?? null;
  }

  async admitToken(token: string, details: TraceDetails): Promise<void> {
    this.#tracing()?.admitToken(token, details);
  }

  async since(cursor: TraceCursor | null, limit: number): Promise<KeptTraces> {
    const key = this.#process;
    const store = this.#tracing()?.store;
    if (store === undefined) return { traces: [], cursor: {} };
    const seen = cursor?.[key];
    const traces = store.list(seen === undefined ? { limit: 1 } : { after: seen, limit });
    const last = traces[0]?.number ?? seen ?? 0;
    return { traces: seen === undefined ? [] : traces, cursor: { [key]: last } };
  }
}
