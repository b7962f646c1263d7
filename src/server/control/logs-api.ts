import { Response } from '../../http/response.ts';
import type { LogFilter } from '../../log/log-tap.ts';
import type { LogEntry } from '../../log/read-log.ts';
import { LogFeed } from './log-feed.ts';
import { failed, json } from './responses.ts';

/** The logs of a server, with all its processes. */
export interface ControlledLogs {
  /** The last lines, at most `count`, the oldest first. */
  recentLogs(filter: LogFilter, count: number): Promise<readonly LogEntry[]>;
  /** Calls `onLine` with each line that comes from now on. Returns a function that ends this. */
  followLogs(filter: LogFilter, onLine: (line: string) => void): () => void;
}

const LINES_MAX = 10_000;
const LINES_DEFAULT = 20;

/** `GET /logs`: the last lines. */
export async function recentLogs(logs: ControlledLogs, query: URLSearchParams): Promise<Response> {
  const text = query.get('lines') ?? `${LINES_DEFAULT}`;
  const lines = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  const filter = filterOf(query);
  if (lines < 0 || lines > LINES_MAX) return failed(400, `The number of lines must be from 0 to ${LINES_MAX}`);
  return typeof filter === 'string' ? failed(400, filter) : json(200, await logs.recentLogs(filter, lines));
}

/** `GET /logs/follow`: lines from now on, for as long as the client reads them. */
export async function followLogs(logs: ControlledLogs, query: URLSearchParams): Promise<Response> {
  const filter = filterOf(query);
  if (typeof filter === 'string') return failed(400, filter);
  const headers = ['Content-Type', 'application/x-ndjson', 'Cache-Control', 'no-store'];
  return Response.fromHeaders(200, headers, new LogFeed((onLine) => logs.followLogs(filter, onLine)));
}

/** The conditions in `query`, or a sentence about what is wrong with them. */
function filterOf(query: URLSearchParams): LogFilter | string {
  const errors = query.get('errors') ?? 'false';
  const status = (query.get('status') ?? '').toLowerCase();
  const minMs = query.get('min_ms') ?? '';
  if (errors !== 'true' && errors !== 'false') return 'The value of errors must be true or false';
  if (status !== '' && !/^[1-5](?:\d\d|xx)$/.test(status))
    return 'The status must be a number such as 404, or a class such as 5xx';
  if (!/^(?:\d{1,9}(?:\.\d{1,6})?)?$/.test(minMs)) return 'The value of min_ms must be a number of milliseconds';
  return {
    errors: errors === 'true',
    request: query.get('request') ?? '',
    route: query.get('route') ?? '',
    status,
    path: query.get('path') ?? '',
    minMs: Number(minMs),
  };
}
