import { escapeControls } from '../../log/escape.ts';
import type { LogEntry } from '../../log/read-log.ts';
import type { Palette } from '../output.ts';

/** The fields of a line of the server's log that are in its text anyway. */
const SERVER_FIELDS = new Set(['log', 'time', 'level', 'message']);
/** A wait of so many milliseconds is worth a word. */
const WAIT_MS_MIN = 50;

/** A line of one of the logs for a person, with its line break. A line that is not JSON stays as it is. */
export function logText(entry: LogEntry, colours: Palette): string {
  const { text } = entry;
  if (typeof text === 'string') return `${escapeControls(text)}\n`;
  return entry.log === 'access' ? accessText(entry, colours) : serverText(entry, colours);
}

function accessText(entry: LogEntry, colours: Palette): string {
  const { status, method, path, query, body_bytes: bytes, duration_ms: ms, queue_ms: queueMs, reason } = entry;
  const target = query === '' ? path : `${path}?${query}`;
  const remarks = [Number(queueMs) >= WAIT_MS_MIN ? `queued ${queueMs} ms` : '', reason ?? ''].filter(
    (one) => one !== '',
  );
  const shown = Number(status) >= 500 ? colours.red(`${status}`) : `${status}`;
  const what = method === '' ? '-' : escapeControls(`${method} ${target}`);
  const rest = remarks.length === 0 ? '' : ` (${escapeControls(remarks.join(', '))})`;
  return `${colours.dim(timeOf(entry))} ${shown} ${what} ${bytes} B ${ms} ms${rest}\n`;
}

function serverText(entry: LogEntry, colours: Palette): string {
  const { level, message } = entry;
  const [first = '', ...more] = escapeControls(`${message}`).trimEnd().split('\n');
  const fields = Object.entries(entry).filter(([name]) => !SERVER_FIELDS.has(name));
  const shown = fields.map(([name, value]) => ` ${name}=${escapeControls(`${value}`)}`).join('');
  const mark = level === 'error' ? colours.red('error: ') : level === 'warn' ? colours.yellow('warn: ') : '';
  const tail = more.map((line) => `         ${line}\n`).join('');
  return `${colours.dim(timeOf(entry))} ${mark}${first}${colours.dim(shown)}\n${tail}`;
}

function timeOf({ time }: LogEntry): string {
  return typeof time === 'string' ? escapeControls(time.slice(11, 19)) : '--:--:--';
}
