import type { TraceDocument } from '../../trace/document.ts';
import type { ErrorGroup, TraceFilter, TraceSummary, TraceUsage } from '../../trace/store.ts';
import type { TraceDetails } from '../../trace/trace.ts';
import type { TraceAnswer, TraceQuestion } from './trace-questions.ts';
import type { KeptTraces, ReplayOutcome, TraceCursor, Traces } from './traces.ts';

/** The traces of another process, which answers each question by `answerTraceQuestion`. */
export class AskedTraces implements Traces {
  readonly #askText: (question: TraceQuestion) => Promise<string>;

  constructor(ask: (question: TraceQuestion) => Promise<string>) {
    this.#askText = ask;
  }

  list(filter: TraceFilter): Promise<readonly TraceSummary[]> {
    return this.#ask({ method: 'list', filter });
  }

  find(id: string): Promise<TraceDocument | null> {
    return this.#ask({ method: 'find', id });
  }

  lastGood(id: string): Promise<TraceDocument | null> {
    return this.#ask({ method: 'lastGood', id });
  }

  errors(): Promise<readonly ErrorGroup[]> {
    return this.#ask({ method: 'errors' });
  }

  usage(): Promise<TraceUsage> {
    return this.#ask({ method: 'usage' });
  }

  replay(id: string, confirmed: boolean): Promise<ReplayOutcome> {
    return this.#ask({ method: 'replay', id, confirmed });
  }

  acceptToken(token: string, details: TraceDetails): Promise<null> {
    return this.#ask({ method: 'acceptToken', token, details });
  }

  since(cursor: TraceCursor | null, limit: number): Promise<KeptTraces> {
    return this.#ask({ method: 'since', cursor, limit });
  }

  async #ask<Q extends TraceQuestion>(question: Q): Promise<TraceAnswer<Q>> {
    return JSON.parse(await this.#askText(question)) as TraceAnswer<Q>;
  }
}
