import { open } from 'node:fs/promises';
import { isWanted, type LogFilter } from './log-tap.ts';

/** So much of the end of a file is read. */
const TAIL_BYTES_MAX = 1024 * 1024;

/** A line of a log, with its fields if it is JSON; otherwise `text` has the line. */
export type LogEntry = Readonly<Record<string, unknown>> & { readonly log: 'access' | 'server' };

/**
 * Reads the last lines of the file of a log, at most `count` of those that `filter` wants, the oldest first. Lines that are not JSON have no
 * fields, so a filter wants none of them. A file that cannot be read has no lines.
 */
export async function readLogTail(
  path: string,
  log: 'access' | 'server',
  filter: LogFilter,
  count: number,
): Promise<LogEntry[]> {
  const text = await readTail(path).catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return count === 0
    ? []
    : lines
        .map((line) => entryOf(line, log))
        .filter((entry) => isWantedEntry(entry, filter))
        .slice(-count);
}

/** The lines of JSON as entries. */
export function entriesOf(lines: readonly string[]): LogEntry[] {
  return lines.map((line) => JSON.parse(line) as LogEntry);
}

/** Merges the lines of several logs by their times. A line without a time stays behind the one before it. */
export function byTime(...logs: readonly (readonly LogEntry[])[]): LogEntry[] {
  const timed = logs.flatMap((entries) => {
    let last = '';
    return entries.map((entry) => {
      const { time } = entry;
      if (typeof time === 'string') last = time;
      return { time: last, entry };
    });
  });
  return timed.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map(({ entry }) => entry);
}

async function readTail(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return '';
    const start = Math.max(0, stat.size - TAIL_BYTES_MAX);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(stat.size - start), 0, stat.size - start, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await file.close();
  }
}

function entryOf(line: string, log: 'access' | 'server'): LogEntry {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { log, ...value };
  } catch {
    // a line in another format
  }
  return { log, text: line };
}

function isWantedEntry(entry: LogEntry, filter: LogFilter): boolean {
  const { log, level, status, reason, request_id: id, route, path, duration_ms: ms } = entry;
  const isError =
    log === 'server' ? level === 'warn' || level === 'error' : Number(status) >= 400 || reason !== undefined;
  return isWanted(filter, {
    isError,
    request: textOf(id),
    route: textOf(route),
    answered: log === 'access' ? { status: Number(status), path: textOf(path), ms: Number(ms) } : null,
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
