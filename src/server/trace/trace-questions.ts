import type { TraceFilter } from '../../trace/store.ts';
import type { TraceCursor, Traces } from './traces.ts';
import type { TraceDetails } from './tracing.ts';

/** What the primary asks a server process about its traces: a method of `Traces` with its arguments. */
export type TraceQuestion =
  | { readonly method: 'list'; readonly filter: TraceFilter }
  | { readonly method: 'find' | 'lastGood'; readonly id: string }
  | { readonly method: 'errors' | 'usage' }
  | { readonly method: 'replay'; readonly id: string; readonly confirmed: boolean }
  | { readonly method: 'oneTimeToken'; readonly details: TraceDetails }
  | { readonly method: 'admitToken'; readonly token: string; readonly details: TraceDetails }
  | { readonly method: 'since'; readonly cursor: TraceCursor | null; readonly limit: number };

/** What the answer to a question is. It travels as the text of JSON. */
export type TraceAnswer<Q extends TraceQuestion> = Awaited<ReturnType<Traces[Q['method']]>>;

/** Answers a question of the primary with JSON. */
export async function answerTraceQuestion(traces: Traces, question: TraceQuestion): Promise<string> {
  return JSON.stringify((await resultOf(traces, question)) ?? null);
}

function resultOf(traces: Traces, question: TraceQuestion): Promise<unknown> {
  switch (question.method) {
    case 'list':
      return traces.list(question.filter);
    case 'find':
      return traces.find(question.id);
    case 'lastGood':
      return traces.lastGood(question.id);
    case 'errors':
      return traces.errors();
    case 'usage':
      return traces.usage();
    case 'replay':
      return traces.replay(question.id, question.confirmed);
    case 'oneTimeToken':
      return traces.oneTimeToken(question.details);
    case 'admitToken':
      return traces.admitToken(question.token, question.details);
    case 'since':
      return traces.since(question.cursor, question.limit);
  }
}
