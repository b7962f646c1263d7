import { escapeControls, jsonLine } from './escape.ts';

/** What can stand behind a message: numbers, texts, and the like. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** Where entries go: a writable stream. `writableLength` is what its reader has yet to take. */
export interface LogStream {
  readonly writableLength: number;
  write(text: string): unknown;
}

type Level = 'info' | 'warn' | 'error';

const WAITING_BYTES_MAX = 1024 * 1024;

/**
 * A log on a stream: for people (`text`; further lines of a message are indented, so that they cannot pass for entries), or one JSON
 * object a line, with `time`, `level`, `message`. Messages may hold what clients sent: neither a line can be forged nor a terminal
 * be driven with them. While the stream's reader is far behind, entries are dropped and counted.
 */
export function createLog(format: 'text' | 'json', stream: LogStream): Log {
  const entry = format === 'json' ? jsonEntry : textEntry;
  let dropped = 0;
  function put(level: Level, message: string, fields: Fields = {}): void {
    if (stream.writableLength > WAITING_BYTES_MAX) {
      dropped += 1;
      return;
    }
    if (dropped > 0)
      stream.write(entry('warn', 'Log entries were dropped: their reader is too slow', { entries: dropped }));
    dropped = 0;
    stream.write(entry(level, message, fields));
  }
  const at = (level: Level) => (message: string, fields?: Fields) => put(level, message, fields);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonEntry(level: Level, message: string, fields: Fields): string {
  return jsonLine({ time: new Date().toISOString(), level, message, ...fields });
}

function textEntry(level: Level, message: string, fields: Fields): string {
  const time = new Date().toISOString().slice(11, 19);
  const [first, ...more] = escapeControls(message.replaceAll('\r\n', '\n')).split('\n');
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${escapeControls(fieldText(value))}`);
  const tail = more.map((line) => `${INDENT}${line}\n`).join('');
  return `${time} ${level === 'info' ? '' : `${level}: `}${first}${rest.join('')}\n${tail}`;
}

/** As wide as the time. */
const INDENT = '         ';

/** In quotes when it could be taken for something else. */
function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@-]+$/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}
