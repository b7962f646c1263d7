import type { Span, TraceDocument } from '../../src/trace/document.ts';
import { kindName } from './kinds.ts';

/** One line of the waterfall: a span, or several of the same kind and name that followed each other. */
export interface Row {
  /** Index of the span in the document; for a group see `groupId`. */
  readonly id: number;
  /** The span, or the first of the group. */
  readonly span: Span;
  /** The spans of a group; empty for one span. */
  readonly group: readonly Span[];
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

/** So many spans in a row that have the same kind and name become one line. */
const GROUP_MIN = 4;

/** The id of the group that starts with the span `first`. */
export const groupId = (first: number): number => -2 - first;

/** The end of all that is known: of the request, or of its last span. */
export function endOf({ spans, durationUs }: TraceDocument): number {
  return spans.reduce((end, span) => Math.max(end, span.endUs ?? span.startUs), Math.max(1, durationUs ?? 0));
}

/**
 * The lines to show, each below what it is within. `toggled` has the spans that were closed and the groups that were opened. With a filter: what
 * matches, and all that it is within, open.
 */
export function rowsOf(document: TraceDocument, toggled: ReadonlySet<number>, filter: TreeFilter): readonly Row[] {
  const { spans } = document;
  const children = childrenOf(spans);
  const isFiltered = filter.text !== '' || filter.minUs > 0;
  const { matching, shown } = filtered(document, filter);
  const rows: Row[] = [];
  const addAll = (parent: number, level: number): void => {
    const below = (children.get(parent) ?? []).filter((child) => shown.has(child));
    for (let at = 0; at < below.length; ) {
      const run = isFiltered ? [] : runFrom(spans, children, below, at);
      if (run.length >= GROUP_MIN) addGroup(run, level);
      else addSpan(below[at] as number, level);
      at += run.length >= GROUP_MIN ? run.length : 1;
    }
  };
  const addSpan = (index: number, level: number): void => {
    const within = (children.get(index) ?? []).filter((child) => shown.has(child)).length;
    const open = isFiltered || !toggled.has(index);
    const span = spans[index] as Span;
    rows.push({ id: index, span, group: [], level, children: within, open, matches: matching.has(index) });
    if (open) addAll(index, level + 1);
  };
  const addGroup = (run: readonly number[], level: number): void => {
    const id = groupId(run[0] as number);
    const group = run.map((index) => spans[index] as Span);
    const open = toggled.has(id);
    rows.push({ id, span: group[0] as Span, group, level, children: run.length, open, matches: true });
    if (open) for (const index of run) addSpan(index, level + 1);
  };
  addAll(-1, 1);
  return rows;
}

/** The spans from `at` on that are alike and have nothing within them. */
function runFrom(
  spans: readonly Span[],
  children: ReadonlyMap<number, readonly number[]>,
  siblings: readonly number[],
  at: number,
): readonly number[] {
  const first = spans[siblings[at] as number] as Span;
  const run: number[] = [];
  for (let next = at; next < siblings.length; next += 1) {
    const index = siblings[next] as number;
    const { kind, name } = spans[index] as Span;
    if (kind !== first.kind || name !== first.name || children.has(index)) break;
    run.push(index);
  }
  return run;
}

function filtered(document: TraceDocument, filter: TreeFilter): { matching: Set<number>; shown: Set<number> } {
  const { spans } = document;
  const end = endOf(document);
  const matching = new Set<number>();
  const shown = new Set<number>();
  for (const [index, span] of spans.entries()) {
    if (!matchesFilter(span, filter, end)) continue;
    matching.add(index);
    for (let up = index; up >= 0 && !shown.has(up); up = parentOf(spans, up)) shown.add(up);
  }
  return { matching, shown };
}

/** A parent that does not come before its child is ignored: so a broken list has no circles. */
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
