import { requestIdOf } from '../http/request-id.ts';
import { LINES } from './access-line.ts';
import type { LoggedRequest } from './answered-request.ts';
import { asciiJson, jsonText } from './escape.ts';
import type { Fields, Level } from './log.ts';

/** Which lines of the logs somebody wants. All of it must hold. */
export interface LogFilter {
  /** Only warnings and errors of the server's log, and requests with a status from 400 or a reason. */
  readonly errors: boolean;
  /** Only what belongs to the request with this id; '' for any. */
  readonly request: string;
  /** Only what belongs to a request of the route with this name; '' for any. */
  readonly route: string;
  /** Only lines of the access log with this status: `404`, or a class, `5xx`; '' for any, and for lines of the server's log. */
  readonly status: string;
  /** Only lines of the access log whose path has this part; '' for any, and for lines of the server's log. */
  readonly path: string;
  /** Only lines of the access log with a duration of at least so many milliseconds; 0 for any, and for lines of the server's log. */
  readonly minMs: number;
}

/** What a filter needs to know of a line. */
export interface LineFacts {
  readonly isError: boolean;
  /** The id of its request, and the name of the route; '' without them. */
  readonly request: string;
  readonly route: string;
  /** What the access log has of an answered request; null for a line of the server's log. */
  readonly answered: { readonly status: number; readonly path: string; readonly ms: number } | null;
}

/** So many entries of the server's log are kept, without the end of a long message. */
const RECENT_MAX = 100;
const RECENT_CHARS_MAX = 4096;

/** An entry of the server's log. */
interface Entry extends LineFacts {
  readonly line: string;
}

/**
 * Shows both logs of a process to those who follow them, as lines of JSON with the field `log`: `access` or `server`. The last entries of the
 * server's log are kept. Of the access log nothing is kept, and nothing is made while nobody follows.
 */
export class LogTap {
  /** Whether `access` must be called. */
  isFollowed = false;
  readonly #followers = new Set<{ readonly filter: LogFilter; readonly onLine: (line: string) => void }>();
  readonly #recent: Entry[] = [];

  /** Calls `onLine` for each line that comes from now on, without its line break. Returns a function that ends this. */
  follow(filter: LogFilter, onLine: (line: string) => void): () => void {
    const follower = { filter, onLine };
    this.#followers.add(follower);
    this.isFollowed = true;
    return () => {
      this.#followers.delete(follower);
      this.isFollowed = this.#followers.size > 0;
    };
  }

  /** The last entries of the server's log, at most `count`, the oldest first. */
  recent(filter: LogFilter, count: number): string[] {
    const wanted = this.#recent.filter((entry) => isWanted(filter, entry));
    return count === 0 ? [] : wanted.slice(-count).map(({ line }) => line);
  }

  /** The server's log has an entry. */
  server(level: Level, message: string, fields: Fields, time: string): void {
    const { request_id: id, route: name } = fields;
    const request = typeof id === 'string' ? id : '';
    const route = typeof name === 'string' ? name : '';
    const facts = { isError: level !== 'info', request, route, answered: null };
    const shown = recentMessage(message);
    this.#recent.push({ ...facts, line: serverLine(level, shown, fields, time) });
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    if (this.isFollowed) this.#tell(facts, () => serverLine(level, message, fields, time));
  }

  /** The access log has a line. */
  access(request: LoggedRequest, status: number, bodyBytes: number, ms: number, time: string): void {
    const { record } = request;
    const isError = status >= 400 || record.reason !== '';
    const id = request.protocol === '' ? '' : requestIdOf(record);
    const answered = { status, path: request.path, ms };
    this.#tell({ isError, request: id, route: record.route, answered }, () => {
      return `{"log":"access",${LINES.json(request, status, bodyBytes, ms, time).slice(1, -1)}`;
    });
  }

  #tell(facts: LineFacts, makeLine: () => string): void {
    let line: string | null = null;
    for (const { filter, onLine } of this.#followers) {
      if (!isWanted(filter, facts)) continue;
      line ??= makeLine();
      onLine(line);
    }
  }
}

/** A message as the last entries have it. */
export function recentMessage(message: string): string {
  return message.length > RECENT_CHARS_MAX ? `${message.slice(0, RECENT_CHARS_MAX)} …` : message;
}

/** Whether `filter` lets a line pass. */
export function isWanted(filter: LogFilter, { isError, request, route, answered }: LineFacts): boolean {
  if (filter.errors && !isError) return false;
  if (filter.request !== '' && filter.request !== request) return false;
  if (filter.route !== '' && filter.route !== route) return false;
  if (filter.status === '' && filter.path === '' && filter.minMs === 0) return true;
  return answered !== null && isAnsweredSo(filter, answered);
}

function isAnsweredSo(filter: LogFilter, { status, path, ms }: NonNullable<LineFacts['answered']>): boolean {
  const text = `${status}`;
  const hasStatus = filter.status === '' || filter.status === text || filter.status === `${text.charAt(0)}xx`;
  return hasStatus && path.includes(filter.path) && ms >= filter.minMs;
}

function serverLine(level: Level, message: string, fields: Fields, time: string): string {
  const others = asciiJson(fields).slice(1, -1);
  const head = `{"log":"server","time":"${time}","level":"${level}","message":${jsonText(message)}`;
  return others === '' ? `${head}}` : `${head},${others}}`;
}
