import type { SpanKind } from './document.ts';
import { Malformed, type MarshalValue, readMarshal } from './marshal-reader.ts';
import type { ExceptionRelation, RecordedException, RecordedFrame, RecordedRaise } from './recorded-exception.ts';

/** What a worker's thread recorded of one request. Times are nanoseconds of CLOCK_MONOTONIC. */
export interface PythonPart {
  readonly startNs: number;
  readonly endNs: number;
  readonly thread: string;
  readonly spans: readonly PythonSpan[];
  /** Null if it was not recorded. */
  readonly environ: readonly PythonVariable[] | null;
  readonly hops: readonly PythonHop[];
  readonly startResponse: readonly PythonStartResponse[];
  readonly exception: RecordedException | null;
  readonly profile: PythonProfile | null;
  /** How many spans the limit of the worker left out. */
  readonly dropped: number;
  /** What could not be recorded, because the recorder failed. */
  readonly notes: readonly string[];
}

export interface PythonSpan {
  readonly kind: SpanKind;
  readonly name: string;
  readonly startNs: number;
  /** 0 if it has not ended. */
  readonly endNs: number;
  /** Index in `PythonPart.spans`, of an earlier one; -1 without one. */
  readonly parent: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly file: string;
  readonly line: number;
}

/** A variable of the environ: its name, its text or the `repr` of another object, and whether it is text. */
export type PythonVariable = readonly [name: string, value: string, isText: boolean];

export type PythonFields = readonly (readonly [name: string, value: string])[];

export interface PythonHop {
  readonly span: number;
  readonly direction: 'request' | 'response';
  readonly name: string;
  readonly status: string;
  readonly fields: PythonFields;
}

export interface PythonStartResponse {
  readonly caller: string;
  readonly status: string;
  readonly fields: PythonFields;
  readonly hasExcInfo: boolean;
}

export interface PythonProfile {
  readonly intervalUs: number;
  readonly stacks: readonly { readonly frames: readonly string[]; readonly samples: number }[];
}

/** The kinds of spans that a worker may report. */
const KINDS: ReadonlySet<string> = new Set<SpanKind>([
  ...(['python', 'wsgi-middleware', 'application', 'middleware', 'phase', 'url', 'view', 'template', 'query'] as const),
  ...(['cache', 'signal', 'hook', 'http-client', 'body', 'close'] as const),
]);

const VERSION = 2;
/** The limits of `recorder.py` and `exceptions.py`. References make long lists of few bytes. */
const SPANS_MAX = 2000;
const HOPS_MAX = 200;
const FRAMES_MAX = 100;
const CHAIN_MAX = 16;

/** Reads the record that a worker sent. Everything is checked, and what does not fit is malformed. */
export function readPythonPart(payload: Uint8Array): PythonPart | Malformed {
  const value = readMarshal(payload);
  if (value instanceof Malformed) return value;
  try {
    return partOf(value);
  } catch (error) {
    if (error instanceof Malformed) return error;
    throw error;
  }
}

/** Reads an exception that Python sent alone. Null if it does not fit. */
export function readPythonException(payload: Uint8Array): RecordedException | null {
  const value = readMarshal(payload);
  if (value instanceof Malformed) return null;
  try {
    return exceptionOf(value);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function partOf(value: MarshalValue): PythonPart {
  const part = dict(value);
  if (part.get('v') !== VERSION) throw new Malformed('it is of an unknown version');
  const spans = list(part.get('spans'), SPANS_MAX).map(spanOf);
  return {
    startNs: number(part.get('start')),
    endNs: number(part.get('end')),
    thread: text(part.get('thread')),
    spans,
    environ: optional(part.get('environ'), (items) => environOf(part.get('shared'), items)),
    hops: list(part.get('hops'), HOPS_MAX).map((hop) => hopOf(hop, spans.length)),
    startResponse: list(part.get('start_response')).map(startResponseOf),
    exception: optional(part.get('exception'), exceptionOf),
    profile: optional(part.get('profile'), profileOf),
    dropped: number(part.get('dropped')),
    notes: optional(part.get('notes'), (notes) => list(notes).map(text)) ?? [],
  };
}

function spanOf(value: MarshalValue, index: number): PythonSpan {
  const [kind, name, start, end, parent, attributes, file, line] = list(value);
  const parentIndex = number(parent);
  if (!KINDS.has(text(kind))) throw new Malformed('it has a span of an unknown kind');
  if (!Number.isInteger(parentIndex) || parentIndex < -1 || parentIndex >= index)
    throw new Malformed('it has a span within one that is not there');
  return {
    kind: kind as SpanKind,
    name: text(name),
    startNs: number(start),
    endNs: number(end),
    parent: parentIndex,
    attributes: optional(attributes, attributesOf) ?? {},
    file: text(file),
    line: number(line),
  };
}

function attributesOf(value: MarshalValue): Record<string, string | number | boolean> {
  const attributes: Record<string, string | number | boolean> = Object.create(null);
  for (const [name, one] of dict(value)) {
    if (one === null) continue;
    if (typeof one === 'object') throw new Malformed('it has an attribute that is not a plain value');
    attributes[name] = one;
  }
  return attributes;
}

/** The variables that other requests have, too, are marshalled by themselves. A variable of the request comes in the place of one of those. */
function environOf(shared: MarshalValue | undefined, own: MarshalValue): PythonVariable[] {
  if (!(shared instanceof Uint8Array)) throw new Malformed('it has no bytes where they belong');
  const others = shared.length === 0 ? [] : readMarshal(shared);
  if (others instanceof Malformed) throw others;
  const rows = [...list(others), ...list(own)].map(variableOf);
  return [...new Map(rows.map((row) => [row[0], row])).values()];
}

function variableOf(value: MarshalValue): PythonVariable {
  const [name, shown, isText] = list(value);
  return [text(name), text(shown), isText === true];
}

function hopOf(value: MarshalValue, spans: number): PythonHop {
  const [span, direction, name, status, fields] = list(value);
  const index = number(span);
  if (!Number.isInteger(index) || index < -1 || index >= spans) throw new Malformed('it has a hop without a span');
  if (direction !== 'request' && direction !== 'response') throw new Malformed('it has a hop without a direction');
  return { span: index, direction, name: text(name), status: text(status), fields: fieldsOf(fields) };
}

function startResponseOf(value: MarshalValue): PythonStartResponse {
  const [caller, status, fields, hasExcInfo] = list(value);
  return { caller: text(caller), status: text(status), fields: fieldsOf(fields), hasExcInfo: hasExcInfo === true };
}

function exceptionOf(value: MarshalValue): RecordedException {
  const exception = dict(value);
  return {
    ...raiseOf(exception),
    traceback: text(exception.get('traceback')),
    chain: list(exception.get('chain'), CHAIN_MAX).map((each, index) => {
      const raise = dict(each);
      const of = number(raise.get('of'));
      if (!Number.isInteger(of) || of < -1 || of >= index)
        throw new Malformed('it has an exception that led to one that is not there');
      return { relation: relationOf(raise.get('relation')), of, ...raiseOf(raise) };
    }),
  };
}

function relationOf(value: MarshalValue | undefined): ExceptionRelation {
  return value === 'cause' || value === 'member' ? value : 'context';
}

function raiseOf(raise: ReadonlyMap<string, MarshalValue>): RecordedRaise {
  return {
    type: text(raise.get('type')),
    message: text(raise.get('message')),
    frames: list(raise.get('frames'), FRAMES_MAX).map(frameOf),
    members: number(raise.get('members')),
  };
}

function frameOf(value: MarshalValue): RecordedFrame {
  const [file, line, name, source, sourceLine, locals, isProject, columns] = list(value);
  return {
    file: text(file),
    line: number(line),
    function: text(name),
    source: list(source).map(text),
    sourceLine: number(sourceLine),
    locals: fieldsOf(locals),
    isProject: isProject === true,
    columns: optional(columns, columnsOf),
  };
}

function columnsOf(value: MarshalValue): readonly [number, number] {
  const [from, to] = list(value);
  return [number(from), number(to)];
}

function profileOf(value: MarshalValue): PythonProfile {
  const profile = dict(value);
  const stacks = list(profile.get('stacks')).map((stack) => {
    const [frames, samples] = list(stack);
    return { frames: list(frames).map(text), samples: number(samples) };
  });
  return { intervalUs: number(profile.get('interval_us')), stacks };
}

function fieldsOf(value: MarshalValue | undefined): PythonFields {
  return list(value).map((field) => {
    const [name, content] = list(field);
    return [text(name), text(content)] as const;
  });
}

function optional<T>(value: MarshalValue | undefined, read: (value: MarshalValue) => T): T | null {
  return value === undefined || value === null ? null : read(value);
}

function dict(value: MarshalValue | undefined): ReadonlyMap<string, MarshalValue> {
  if (value instanceof Map) return value;
  throw new Malformed('it has no dict where one belongs');
}

function list(value: MarshalValue | undefined, max = Number.POSITIVE_INFINITY): readonly MarshalValue[] {
  if (Array.isArray(value)) {
    if (value.length > max) throw new Malformed('it has a list that is too long');
    return value;
  }
  throw new Malformed('it has no list where one belongs');
}

function text(value: MarshalValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new Malformed('it has no text where one belongs');
}

function number(value: MarshalValue | undefined): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Malformed('it has no number where one belongs');
}
