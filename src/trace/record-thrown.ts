import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asError } from '../errors.ts';
import type { RecordedEarlier, RecordedException, RecordedFrame, RecordedRaise } from './recorded-exception.ts';

const FRAMES_MAX = 100;
const CHAIN_MAX = 16;
const MEMBERS_MAX = 8;
const AROUND_LINES = 5;
const LINE_CHARS_MAX = 300;
const TRACEBACK_CHARS_MAX = 10_000;
/** A longer file is not a source that a person wrote. */
const FILE_BYTES_MAX = 1024 * 1024;

/** `at function (place)` and `at place`, where a place is `file:line:column`. */
const FRAME =
  /^\s+at (?:(?<name>.{1,300}) \((?<named>.{1,2000}):(?<line>\d{1,9}):\d{1,9}\)|(?:async )?(?<bare>.{1,2000}):(?<bareLine>\d{1,9}):\d{1,9})$/;

/** `file:line:column` alone, as the parser of TypeScript writes it: its columns start at 0. */
const UNCOMPILED = /^\s*(?<file>\/[^:]{1,2000}):(?<line>\d{1,9}):(?<column>\d{1,9})$/;

/**
 * What JavaScript threw, with the source around each line of its stack, and what caused it. The outermost call comes first, as in Python.
 * `own` is the directory of this program: its frames, those of Node and those of packages do not belong to the project.
 */
export function recordThrown(thrown: unknown, own: string): RecordedException {
  const last = asError(thrown);
  const traceback = (last.stack || `${last.name}: ${last.message}`).slice(0, TRACEBACK_CHARS_MAX);
  return { ...raiseOf(last, own), traceback, chain: chainOf(last, own) };
}

/** What led to `last`, depth first: the errors of an AggregateError, then the cause. */
function chainOf(last: Error, own: string): RecordedEarlier[] {
  const chain: RecordedEarlier[] = [];
  const seen = new Set<unknown>([last]);
  const waiting = earlierThan(last, -1);
  for (let next = waiting.pop(); next !== undefined && chain.length < CHAIN_MAX; next = waiting.pop()) {
    const { relation, of, error } = next;
    if (seen.has(error)) continue;
    seen.add(error);
    waiting.push(...earlierThan(error, chain.length));
    chain.push({ relation, of, ...raiseOf(error, own) });
  }
  return chain;
}

interface Earlier {
  readonly relation: 'cause' | 'member';
  readonly of: number;
  readonly error: Error;
}

/** What led to an error directly. The first one is the last of the list, as on a stack. */
function earlierThan(error: Error, of: number): Earlier[] {
  const cause = propertyOf(() => error.cause);
  const members = membersOf(error).slice(0, MEMBERS_MAX).reverse();
  return [
    ...(cause instanceof Error ? [{ relation: 'cause' as const, of, error: asError(cause) }] : []),
    ...members.map((member) => ({ relation: 'member' as const, of, error: asError(member) })),
  ];
}

function membersOf(error: Error): readonly unknown[] {
  const errors = error instanceof AggregateError ? propertyOf(() => error.errors) : null;
  return Array.isArray(errors) ? errors : [];
}

/** Null for a property that throws. */
function propertyOf(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return null;
  }
}

function raiseOf(error: Error, own: string): RecordedRaise {
  const lines = (error.stack ?? '').split('\n');
  const called = lines.flatMap((line) => frameOf(line, own));
  const frames = (called.length > 0 ? called : lines.flatMap(uncompiledFrame)).slice(0, FRAMES_MAX);
  return { type: error.name, message: error.message, frames: frames.reverse(), members: membersOf(error).length };
}

/** The place that a parser names, in a line of its own: there is no call yet. */
function uncompiledFrame(text: string): readonly RecordedFrame[] {
  const { file, line, column } = UNCOMPILED.exec(text)?.groups ?? {};
  if (file === undefined) return [];
  const from = Number(column);
  return [{ ...placed(file, Number(line)), function: '', isProject: true, columns: [from, from + 1] }];
}

function frameOf(text: string, own: string): readonly RecordedFrame[] {
  const { name, named, line, bare, bareLine } = FRAME.exec(text)?.groups ?? {};
  const place = named ?? bare;
  if (place === undefined) return [];
  const file = pathOf(place);
  const at = Number(line ?? bareLine);
  const isProject = file.startsWith('/') && !file.includes('/node_modules/') && !file.startsWith(own);
  return [{ ...placed(file, at), function: name ?? '<anonymous>', isProject, columns: null }];
}

/** A place with the source around it. */
function placed(file: string, line: number): Pick<RecordedFrame, 'file' | 'line' | 'source' | 'sourceLine' | 'locals'> {
  const sourceLine = Math.max(1, line - AROUND_LINES);
  const source = file.startsWith('/') ? linesOf(file, sourceLine, line + AROUND_LINES) : [];
  return { file, line, source, sourceLine, locals: [] };
}

function pathOf(place: string): string {
  try {
    return place.startsWith('file:') ? fileURLToPath(place) : place;
  } catch {
    return place;
  }
}

/** Empty if the file cannot be read. */
function linesOf(file: string, first: number, last: number): readonly string[] {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) return [];
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    return lines.slice(first - 1, last).map((line) => line.slice(0, LINE_CHARS_MAX));
  } catch {
    return [];
  }
}
