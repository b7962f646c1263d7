import { fromMonotonicNs } from './clock.ts';
import type { Span, SpanKind } from './document.ts';
import type { PythonSpan } from './python-log.ts';
import type { PythonPart } from './python-part.ts';
import { PARAMETERS_HASH } from './query-summary.ts';
import { redactNamed, redactText } from './redact.ts';
import { stageSpans } from './stage-spans.ts';
import { BEHIND_US } from './trace.ts';
import type { RecordedSpan, TraceRecord } from './trace-record.ts';

/** The spans as people see them, secrets redacted. */
export function shownSpans(spans: readonly Span[]): Span[] {
  return spans.map((span) => ({
    ...span,
    name: redactText(span.name),
    attributes: redactedAttributes(span.attributes),
  }));
}

/** The spans of a trace in order of their start, and where the recorded ones are among them. */
export interface PlacedSpans {
  readonly spans: readonly Span[];
  /** The index in `spans`, by the index among those of the server. */
  readonly ofServer: readonly number[];
  /** The index in `spans`, by the index among those of Python. */
  readonly ofPython: readonly number[];
}

/** A span whose parent is an index in the list that is being made. */
type Draft = Omit<Span, 'endUs' | 'attributes'> & { endUs: number | null; attributes: Span['attributes'] };

/** Joins what the server and the worker recorded of one request, on the clock of the server. Secrets are still there: see `shownSpans`. */
export function placedSpans(trace: TraceRecord, python: PythonPart | null): PlacedSpans {
  if (trace.detail === 'stages') return { spans: stageSpans(trace), ofServer: [], ofPython: [] };
  const us = (ms: number): number => Math.round((ms - trace.startMs) * 1000);
  const drafts: Draft[] = trace.spans.map((span) => serverSpan(span, us));
  const lane = trace.spans.findLastIndex(({ kind }) => kind === 'lane');
  const ofPython = python === null ? [] : addPython(drafts, python, lane, us);
  endLane(drafts, trace, lane, python, us);
  return inOrder(drafts, trace.spans.length, ofPython);
}

function serverSpan(
  { kind, name, parent, startMs, endMs, attributes }: RecordedSpan,
  us: (ms: number) => number,
): Draft {
  return {
    parent,
    kind,
    name,
    startUs: us(startMs),
    endUs: endMs < 0 ? null : us(endMs),
    attributes: attributes ?? {},
    file: '',
    line: 0,
  };
}

/** Adds the spans of Python below the one that the lane belongs to. Returns where they are. */
function addPython(drafts: Draft[], python: PythonPart, lane: number, us: (ms: number) => number): number[] {
  const outer = drafts[lane]?.parent ?? -1;
  const at = (ns: number): number => us(fromMonotonicNs(ns));
  const hasRoot = python.spans.some(({ kind, parent }) => kind === 'python' && parent === -1);
  const root = hasRoot ? outer : drafts.push(rootOf(python, outer, at)) - 1;
  const first = drafts.length;
  for (const span of python.spans) drafts.push(pythonSpan(span, span.parent < 0 ? root : first + span.parent, at));
  return python.spans.map((_, index) => first + index);
}

function rootOf({ startNs, endNs, thread }: PythonPart, parent: number, at: (ns: number) => number): Draft {
  return {
    parent,
    kind: 'python',
    name: thread,
    startUs: at(startNs),
    endUs: endNs === 0 ? null : Math.max(at(startNs), at(endNs)),
    attributes: {},
    file: '',
    line: 0,
  };
}

function pythonSpan(span: PythonSpan, parent: number, at: (ns: number) => number): Draft {
  return {
    parent,
    kind: span.kind,
    name: span.name,
    startUs: at(span.startNs),
    endUs: span.endNs === 0 ? null : Math.max(at(span.startNs), at(span.endNs)),
    attributes: span.attributes,
    file: span.file,
    line: span.line,
  };
}

/**
 * The lane ends where Python starts, and the way back lies between the thread's first frame and its arrival. Without Python's record both are known
 * from the frame alone. Without a frame, as when the worker died, the thread had the request since nothing came before it any more.
 */
function endLane(
  drafts: Draft[],
  trace: TraceRecord,
  lane: number,
  python: PythonPart | null,
  us: (ms: number) => number,
): void {
  const span = drafts[lane];
  if (span === undefined) return;
  if (trace.returnedMs < 0) {
    if (python === null) divideLane(drafts, trace, span);
    return;
  }
  const startMs = python === null ? trace.returnedMs - trace.returnedAfterMs : fromMonotonicNs(python.startNs);
  span.endUs = Math.max(span.startUs, us(startMs));
  const add = (kind: SpanKind, name: string, fromMs: number, toMs: number): void => {
    const startUs = us(fromMs);
    const endUs = Math.max(startUs, us(toMs));
    drafts.push({ parent: span.parent, kind, name, startUs, endUs, attributes: {}, file: '', line: 0 });
  };
  const sentMs = Math.min(trace.returnedMs, startMs + trace.returnedAfterMs);
  if (python === null) add('python', 'python', startMs, sentMs);
  else add('return', 'return', sentMs, trace.returnedMs);
}

/** The time in which the thread ran a request of which it sent nothing. A request that went back to the queue was not started. */
function divideLane(drafts: Draft[], trace: TraceRecord, lane: Draft): void {
  const { parent, attributes, endUs } = lane;
  const startUs = lane.startUs + Number(attributes[BEHIND_US] ?? 0);
  const isLast = trace.spans.findLast(({ kind }) => kind === 'lane' || kind === 'queue')?.kind === 'lane';
  if (!isLast || (endUs !== null && startUs >= endUs)) return;
  const { error, ...others } = attributes;
  lane.endUs = startUs;
  lane.attributes = others;
  const failed = error === undefined ? {} : { error };
  drafts.push({ parent, kind: 'python', name: 'python', startUs, endUs, attributes: failed, file: '', line: 0 });
}

function redactedAttributes(
  attributes: Readonly<Record<string, string | number | boolean>>,
): Record<string, string | number | boolean> {
  const shown: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (name !== PARAMETERS_HASH) shown[name] = typeof value === 'string' ? redactNamed(name, value) : value;
  }
  return shown;
}

/** Sorts by start; a parent stays before its children, because it comes first among those that start together. */
function inOrder(drafts: readonly Draft[], servers: number, ofPython: readonly number[]): PlacedSpans {
  const order = drafts.map((_, index) => index).sort((a, b) => startOf(drafts, a) - startOf(drafts, b) || a - b);
  const places = new Array<number>(drafts.length);
  for (const [place, index] of order.entries()) places[index] = place;
  const place = (index: number): number => places[index] ?? -1;
  const spans = order.map((index): Span => {
    const draft = drafts[index] as Draft;
    return { ...draft, parent: draft.parent < 0 ? -1 : place(draft.parent) };
  });
  return {
    spans,
    ofServer: Array.from({ length: servers }, (_, index) => place(index)),
    ofPython: ofPython.map(place),
  };
}

function startOf(drafts: readonly Draft[], index: number): number {
  return drafts[index]?.startUs ?? 0;
}
