import type { Span, SpanKind, TraceDocument } from '../../src/trace/document.ts';
import { ownerOf } from './kinds.ts';
import { childrenOf, endOf } from './tree.ts';

/** The time of each span that is in none of those within it, in microseconds. */
export function selfTimes(document: TraceDocument): readonly number[] {
  const { spans } = document;
  const end = endOf(document);
  const children = childrenOf(spans);
  return spans.map((span, index) => {
    const within = (children.get(index) ?? []).map((child) => spans[child] as Span);
    const until = span.endUs ?? end;
    return Math.max(0, until - span.startUs - covered(within, span.startUs, until, end));
  });
}

/** The time between `from` and `until` in which at least one of the spans runs. */
function covered(spans: readonly Span[], from: number, until: number, end: number): number {
  let sum = 0;
  let reached = from;
  for (const { startUs, endUs } of [...spans].sort((a, b) => a.startUs - b.startUs)) {
    const to = Math.min(endUs ?? end, until);
    if (to > reached) sum += to - Math.max(startUs, reached);
    reached = Math.max(reached, to);
  }
  return sum;
}

export interface PythonPart {
  readonly tone: 'query' | 'template' | 'outside' | 'view' | 'framework';
  readonly label: string;
  readonly us: number;
}

const TONES: Partial<Record<SpanKind, PythonPart['tone']>> = {
  query: 'query',
  template: 'template',
  cache: 'outside',
  'http-client': 'outside',
  view: 'view',
  hook: 'view',
  signal: 'view',
  body: 'view',
};

const LABELS: Readonly<Record<PythonPart['tone'], string>> = {
  query: 'Queries',
  template: 'Templates',
  outside: 'Cache and other services',
  view: 'Views and hooks',
  framework: 'Framework and middleware',
};

/** What Python's time was spent on, by the spans' own times; empty without spans in Python. */
export function pythonParts(document: TraceDocument): readonly PythonPart[] {
  const times = selfTimes(document);
  const sums = new Map<PythonPart['tone'], number>();
  for (const [index, { kind }] of document.spans.entries()) {
    if (ownerOf(kind) !== 'python') continue;
    const tone = TONES[kind] ?? 'framework';
    sums.set(tone, (sums.get(tone) ?? 0) + (times[index] as number));
  }
  return (Object.keys(LABELS) as PythonPart['tone'][])
    .map((tone) => ({ tone, label: LABELS[tone], us: sums.get(tone) ?? 0 }))
    .filter(({ us }) => us > 0);
}
