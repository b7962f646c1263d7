import { escapeControls, jsonLine } from './escape.ts';
import { isoTime } from './log-time.ts';
import type { LostLines } from './lost-lines.ts';

/** The fields after a message: numbers, strings and other values. */
export type Fields = Readonly<Record<string, unknown>>;

/** Receives log entries. Messages may contain text that clients sent, also control characters. */
export interface Log {
  /** An event of normal operation. */
  info(message: string, fields?: Fields): void;
  /** A condition that may need attention. */
  warn(message: string, fields?: Fields): void;
  /** A failure. */
  error(message: string, fields?: Fields): void;
}

/** A writable stream for the entries. `writableLength` counts the bytes that its reader has not taken yet. */
export interface LogStream {
  readonly writableLength: number;
  write(text: string): unknown;
  /** Counts the entries that it did not get. */
  readonly lost?: LostLines | undefined;
  /** Instead of `write`, for a stream that needs the level or the parts of each entry. `text` is the entry in the format of the log. */
  writeEntry?(text: string, level: Level, message: string, fields: Fields): unknown;
}

export type Level = 'info' | 'warn' | 'error';

/** Called for each entry, also for those that the stream does not get. `time` is the one that the entry has in the stream. */
export type OnEntry = (level: Level, message: string, fields: Fields, time: string) => void;

const WAITING_BYTES_MAX = 1024 * 1024;

/**
 * Makes a log on a stream. The format `text` is for people: further lines of a message are indented, so that they cannot look like
 * entries. The format `json` has one object in each line, with `time`, `level` and `message`. Messages may contain text of clients:
 * it can neither forge a line nor control a terminal. While the reader of the stream is far behind, entries are dropped and counted.
 */
export function createLog(format: 'text' | 'json', stream: LogStream, onEntry: OnEntry = () => {}): Log {
  const entry = format === 'json' ? jsonEntry : textEntry;
  const write = (level: Level, message: string, fields: Fields, time: string): unknown => {
    const text = entry(level, message, fields, time);
    return stream.writeEntry === undefined ? stream.write(text) : stream.writeEntry(text, level, message, fields);
  };
  let dropped = 0;
  function put(level: Level, message: string, fields: Fields = {}): void {
    const time = isoTime();
    onEntry(level, message, fields, time);
    if (stream.writableLength > WAITING_BYTES_MAX) {
      dropped += 1;
      if (stream.lost !== undefined) stream.lost.lines += 1;
      return;
    }
    if (dropped > 0) write('warn', 'Log entries were dropped: their reader is too slow', { entries: dropped }, time);
    dropped = 0;
    write(level, message, fields, time);
  }
  const at = (level: Level) => (message: string, fields?: Fields) => put(level, message, fields);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonEntry(level: Level, message: string, fields: Fields, time: string): string {
  return jsonLine({ time, level, message, ...fields });
}

function textEntry(level: Level, message: string, fields: Fields, time: string): string {
  const [first, ...more] = escapeControls(message.replaceAll('\r\n', '\n')).split('\n');
  const suffix = Object.entries(fields).map(([key, value]) => ` ${key}=${escapeControls(fieldText(value))}`);
  const tail = more.map((line) => `${INDENT}${line}\n`).join('');
  return `${time.slice(11, 19)} ${level === 'info' ? '' : `${level}: `}${first}${suffix.join('')}\n${tail}`;
}

/** As wide as the time and the space after it. */
const INDENT = '         ';

/** The text of a field's value, in quotes if it could be confused with other parts of the entry. */
function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@-]+$/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}
