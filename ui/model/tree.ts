import type { Span, TraceDocument } from '../../src/trace/document.ts';
import { kindName } from './kinds.ts';

/** One line of the waterfall. */
export interface Row {
  /** Index in the spans of the document. */
  readonly index: number;
  readonly span: Span;
  /** 1 for those that belong to the request itself. */
  readonly level: number;
  readonly children: number;
  readonly open: boolean;
  /** Whether the filter asks for it, or only for something within it. */
  readonly matches: boolean;
}

export interface TreeFilter {
  /** A part of the name, the kind, or the text of an attribute. */
  readonly text: string;
  /** Only spans that took at least so long, in microseconds. */
  readonly minUs: number;
}

/** The end of all that is known: of the request, or of its last span. */
export function endOf({ spans, durationUs }: TraceDocument): number {
  return spans.reduce((end, span) => Math.max(end, span.endUs ?? span.startUs), Math.max(1, durationUs ?? 0));
}

/** The lines to show, each below what it is within. With a filter: what matches, and all that it is within, open. */
export function rowsOf(document: TraceDocument, closed: ReadonlySet<number>, filter: TreeFilter): readonly Row[] {
  const { spans } = document;
  const end = endOf(document);
  const children = childrenOf(spans);
  const isFiltered = filter.text !== '' || filter.minUs > 0;
  const matching = new Set<number>();
  const shown = new Set<number>();
  for (const [index, span] of spans.entries()) {
    if (!matchesFilter(span, filter, end)) continue;
    matching.add(index);
    for (let up = index; up >= 0 && !shown.has(up); up = parentOf(spans, up)) shown.add(up);
  }
  const rows: Row[] = [];
  const add = (index: number, level: number): void => {
    if (!shown.has(index)) return;
    const below = (children.get(index) ?? []).filter((child) => shown.has(child));
    const open = isFiltered || !closed.has(index);
    const span = spans[index] as Span;
    rows.push({ index, span, level, children: below.length, open, matches: matching.has(index) });
    if (open) for (const child of below) add(child, level + 1);
  };
  for (const top of children.get(-1) ?? []) add(top, 1);
  return rows;
}

/** A parent that does not come before its child is none: so a broken list has no circles. */
function parentOf(spans: readonly Span[], index: number): number {
  const parent = spans[index]?.parent ?? -1;
  return parent < index && parent >= 0 ? parent : -1;
}

export function childrenOf(spans: readonly Span[]): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const index of spans.keys()) {
    const parent = parentOf(spans, index);
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [index]);
    else list.push(index);
  }
  return children;
}

function matchesFilter(span: Span, { text, minUs }: TreeFilter, end: number): boolean {
  if (minUs > 0 && (span.endUs ?? end) - span.startUs < minUs) return false;
  if (text === '') return true;
  const wanted = text.toLowerCase();
  const texts = [span.name, span.kind, kindName(span.kind), span.file, ...Object.values(span.attributes).map(String)];
  return texts.some((each) => each.toLowerCase().includes(wanted));
}

/** The time in a span that is in none of those within it. */
export function selfTime(document: TraceDocument, index: number): number {
  const { spans } = document;
  const end = endOf(document);
  const span = spans[index] as Span;
  const within = (childrenOf(spans).get(index) ?? [])
    .map((child) => spans[child] as Span)
    .sort((a, b) => a.startUs - b.startUs);
  let covered = 0;
  let until = span.startUs;
  for (const { startUs, endUs } of within) {
    const to = Math.min(endUs ?? end, span.endUs ?? end);
    if (to > until) covered += to - Math.max(startUs, until);
    until = Math.max(until, to);
  }
  return Math.max(0, (span.endUs ?? end) - span.startUs - covered);
}

/** Round steps for a time axis: about `wanted` of them between `from` and `to`. */
export function ticks(from: number, to: number, wanted: number): readonly number[] {
  const rough = (to - from) / wanted;
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, index) => first + index * step);
}
