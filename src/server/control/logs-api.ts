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
  return filter === null ? badErrors() : json(200, await logs.recentLogs(filter, lines));
}

/** `GET /logs/follow`: lines from now on, for as long as the client reads them. */
export async function followLogs(logs: ControlledLogs, query: URLSearchParams): Promise<Response> {
  const filter = filterOf(query);
  if (filter === null) return badErrors();
  const headers = ['Content-Type', 'application/x-ndjson', 'Cache-Control', 'no-store'];
  return Response.fromHeaders(200, headers, new LogFeed((onLine) => logs.followLogs(filter, onLine)));
}

/** Null if `errors` is neither `true` nor `false`. */
function filterOf(query: URLSearchParams): LogFilter | null {
  const errors = query.get('errors') ?? 'false';
  if (errors !== 'true' && errors !== 'false') return null;
  return { errors: errors === 'true', request: query.get('request') ?? '', route: query.get('route') ?? '' };
}

function badErrors(): Response {
  return failed(400, 'The value of errors must be true or false');
}
