import type { TraceDetails, Tracing } from '../../src/server/trace/tracing.ts';
import type { TraceDocument } from '../../src/trace/document.ts';
import type {
  ErrorGroup,
  RecordedRequest,
  TraceFilter,
  TraceStore,
  TraceSummary,
  TraceUsage,
} from '../../src/trace/store.ts';
import { summaryOf } from './trace-document.ts';

/** Traces that a test keeps by itself, without a limit. */
export class MemoryTraces implements TraceStore, Tracing {
  readonly store: TraceStore = this;
  readonly tokens: string[] = [];
  readonly tokenDetails: TraceDetails[] = [];
  groups: ErrorGroup[] = [];
  readonly #kept: {
    readonly summary: TraceSummary;
    readonly document: TraceDocument;
    readonly recorded: RecordedRequest | null;
  }[] = [];
  readonly #listeners = new Set<(summary: TraceSummary) => void>();

  /** Keeps a trace, as the end of its request does. */
  keep(document: TraceDocument, recorded: RecordedRequest | null = null): void {
    const summary = summaryOf(document, this.#kept.length + 1);
    this.#kept.push({ summary, document, recorded });
    for (const listener of this.#listeners) listener(summary);
  }

  list(filter: TraceFilter): readonly TraceSummary[] {
    const { method, path = '', status, route, minUs = 0, sql = '', error = '', after = 0, limit } = filter;
    return this.#kept
      .filter(({ summary, document }) => {
        const statusText = `${summary.status}`;
        return (
          (method === undefined || summary.method === method) &&
          summary.target.includes(path) &&
          (status === undefined || status === statusText || status === `${statusText.charAt(0)}xx`) &&
          (route === undefined || summary.route === route) &&
          (summary.durationUs ?? 0) >= minUs &&
          (sql === '' || document.spans.some(({ attributes }) => String(attributes.sql ?? '').includes(sql))) &&
          summary.error.includes(error) &&
          summary.number > after
        );
      })
      .map(({ summary }) => summary)
      .reverse()
      .slice(0, limit);
  }

  find(id: string): TraceDocument | null {
    return this.#kept.find(({ document }) => document.id === id)?.document ?? null;
  }

  lastGood(id: string): TraceDocument | null {
    const index = this.#kept.findIndex(({ document }) => document.id === id);
    const { summary } = this.#kept[index] ?? {};
    const before = this.#kept.slice(0, Math.max(0, index)).findLast((one) => {
      return one.summary.route === summary?.route && one.summary.method === summary.method && one.summary.status < 400;
    });
    return before?.document ?? null;
  }

  errors(): readonly ErrorGroup[] {
    return this.groups;
  }

  recorded(id: string): RecordedRequest | null {
    return this.#kept.find(({ document }) => document.id === id)?.recorded ?? null;
  }

  onKept(listener: (summary: TraceSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get usage(): TraceUsage {
    return { traces: this.#kept.length, bytes: 1000 * this.#kept.length, bytesMax: 1_000_000, evicted: 0 };
  }

  oneTimeToken(details: TraceDetails): string {
    this.tokenDetails.push(details);
    this.tokens.push(`token-${this.tokens.length + 1}`);
    return this.tokens.at(-1) as string;
  }

  admitToken(token: string, details: TraceDetails): void {
    this.tokenDetails.push(details);
    this.tokens.push(token);
  }
}

/** A request as a client of this machine sent it. */
export function recordedOf(changes: Partial<RecordedRequest> = {}): RecordedRequest {
  return {
    method: 'GET',
    path: '/shop/',
    query: 'page=2',
    host: '127.0.0.1:8000',
    headers: ['Host', '127.0.0.1:8000', 'Cookie', 'sessionid=secret', 'X-Request-ID', 'a1b2c3-1'],
    client: { address: '127.0.0.1', port: 50_000, listener: 0, secure: false, serverPort: '' },
    body: null,
    ...changes,
  };
}
