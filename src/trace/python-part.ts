import { Malformed, type MarshalValue, readMarshal } from './marshal-reader.ts';
import { dict, fieldsOf, list, marshalled, number, text } from './marshal-values.ts';
import { nanoseconds, type PythonHop, type PythonSpan, type PythonStartResponse, readPythonLog } from './python-log.ts';
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

/** A variable of the environ: its name, its text or the `repr` of another object, and whether it is text. */
export type PythonVariable = readonly [name: string, value: string, isText: boolean];

export interface PythonProfile {
  readonly intervalUs: number;
  readonly stacks: readonly { readonly frames: readonly string[]; readonly samples: number }[];
}

const VERSION = 3;
/** The limits of `exceptions.py`. References make long lists of few bytes. */
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
  const [version, start, end, thread, shared, own, log, rare] = list(value);
  if (version !== VERSION) throw new Malformed('it is of an unknown version');
  const more = optional(rare, dict) ?? new Map<string, MarshalValue>();
  const { spans, hops, startResponse } = readPythonLog(log);
  return {
    startNs: nanoseconds(start),
    endNs: nanoseconds(end),
    thread: text(thread),
    spans,
    environ: optional(own, (variables) => environOf(shared, variables)),
    hops,
    startResponse,
    exception: optional(more.get('exception'), exceptionOf),
    profile: optional(more.get('profile'), profileOf),
    dropped: number(more.get('dropped') ?? 0),
    notes: optional(more.get('notes'), (notes) => list(notes).map(text)) ?? [],
  };
}

/** The variables that other requests have, too, are marshalled by themselves. A variable of the request comes in the place of one of those. */
function environOf(shared: MarshalValue | undefined, own: MarshalValue): PythonVariable[] {
  if (!(shared instanceof Uint8Array)) throw new Malformed('it has no bytes where they belong');
  const rows = shared.length === 0 ? [] : list(marshalled(shared)).map(variableOf);
  const variables = new Map(rows.map((row) => [row[0], row]));
  for (const [name, one] of dict(own)) variables.set(name, [name, shown(one), typeof one === 'string']);
  return [...variables.values()];
}

function variableOf(value: MarshalValue): PythonVariable {
  const [name, shown, isText] = list(value);
  return [text(name), text(shown), isText === true];
}

/** The text of a variable, as `request.py: shown` has it. */
function shown(value: MarshalValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) ? '<builtins.list>' : `<builtins.${value instanceof Map ? 'dict' : 'bytes'}>`;
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

function optional<T>(value: MarshalValue | undefined, read: (value: MarshalValue) => T): T | null {
  return value === undefined || value === null ? null : read(value);
}
