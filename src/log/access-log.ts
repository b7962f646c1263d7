import type { Peer, Request } from '../http/message.ts';
import type { Refusal } from '../http/refusal.ts';
import { escapeField, jsonLine } from './escape.ts';

export type AccessLogFormat = 'off' | 'text' | 'json' | 'combined';

/** Called for each answered request; `startedAtMs` is `performance.now()` at the end of the request's head. */
export type OnAnswered = (request: Request, status: number, bodyBytes: number, startedAtMs: number) => void;

/** A writable stream for the lines. `write` returns false when the stream wants no more before `drain`. */
export interface LineSink {
  write(text: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

export interface AccessLogOptions {
  readonly format: AccessLogFormat;
  readonly sink: LineSink;
  /** Called with the number of lost lines, once the sink takes lines again. */
  readonly onDropped: (lines: number) => void;
}

export interface AccessLog {
  readonly onAnswered: OnAnswered;
  /** Called for each answer to a client that sent no request that could be read. The line has only time, address and status. */
  readonly onRefused: (refusal: Refusal, peer: Peer) => void;
  /** Writes all waiting lines. */
  flush(): void;
}

const FLUSH_MS = 100;
const WAITING_CHARS_MAX = 65_536;

/**
 * Makes an access log; null when it is off, which costs nothing. Lines are collected and written ten times a second. When the sink is
 * slower than the requests, lines are dropped and counted, because a log must never stop a server.
 */
export function createAccessLog({ format, sink, onDropped }: AccessLogOptions): AccessLog | null {
  if (format === 'off') return null;
  const lineOf = FORMATS[format];
  let waiting = '';
  let dropped = 0;
  let blocked = false;
  let timer: NodeJS.Timeout | null = null;
  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (dropped > 0) onDropped(dropped);
    dropped = 0;
    const text = waiting;
    waiting = '';
    if (text === '' || sink.write(text) || blocked) return;
    blocked = true;
    sink.once('drain', () => {
      blocked = false;
      flush();
    });
  }
  function onAnswered(request: LoggedRequest, status: number, bodyBytes: number, startedAtMs: number): void {
    const full = waiting.length > WAITING_CHARS_MAX;
    if (full && blocked) {
      dropped += 1;
      return;
    }
    waiting += lineOf(request, status, bodyBytes, performance.now() - startedAtMs);
    if (blocked) return;
    if (full) flush();
    else timer ??= setTimeout(flush, FLUSH_MS);
  }
  return {
    flush,
    onAnswered,
    onRefused: ({ status }, peer) => onAnswered({ ...UNREADABLE, peer }, status, 0, performance.now()),
  };
}

/** What the lines have of a request. */
type LoggedRequest = Pick<Request, 'method' | 'path' | 'query' | 'host' | 'headers' | 'peer'> & {
  readonly protocol: string;
};

const UNREADABLE = { method: '', path: '', query: '', protocol: '', host: '', headers: [] } as const;

type Line = (request: LoggedRequest, status: number, bodyBytes: number, ms: number) => string;

const FORMATS: Readonly<Record<Exclude<AccessLogFormat, 'off'>, Line>> = {
  text: textFormat,
  json: jsonFormat,
  combined: combinedFormat,
};

function textFormat(request: LoggedRequest, status: number, bodyBytes: number, ms: number): string {
  const time = new Date().toISOString().slice(11, 19);
  const line = request.method === '' ? '-' : escapeField(`${request.method} ${targetOf(request)}`);
  return `${time} ${status} ${line} ${bodyBytes} B ${ms.toFixed(ms < 10 ? 1 : 0)} ms\n`;
}

function jsonFormat(request: LoggedRequest, status: number, bodyBytes: number, ms: number): string {
  return jsonLine({
    time: new Date().toISOString(),
    remote_address: request.peer.remoteAddress,
    method: request.method,
    host: request.host,
    path: request.path,
    query: request.query,
    status,
    body_bytes: bodyBytes,
    duration_ms: Math.round(ms * 1000) / 1000,
    user_agent: fieldOf(request, 'user-agent'),
    referer: fieldOf(request, 'referer'),
  });
}

/** Apache's and nginx's "combined" format. */
function combinedFormat(request: LoggedRequest, status: number, bodyBytes: number): string {
  const address = request.peer.remoteAddress || '-';
  const line = request.method === '' ? '-' : escapeField(`${request.method} ${targetOf(request)} ${request.protocol}`);
  const referer = escapeField(fieldOf(request, 'referer') || '-');
  const agent = escapeField(fieldOf(request, 'user-agent') || '-');
  return `${address} - - [${commonDate(new Date())}] "${line}" ${status} ${bodyBytes} "${referer}" "${agent}"\n`;
}

function targetOf({ path, query }: LoggedRequest): string {
  return query === '' ? path : `${path}?${query}`;
}

/** The value of the first field `name` (in lower case), or ''. */
function fieldOf({ headers }: LoggedRequest, name: string): string {
  for (let i = 0; i < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return headers[i + 1] as string;
  }
  return '';
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `10/Oct/2000:13:55:36 +0000`, in UTC. */
function commonDate(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[date.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
