import type { Request } from '../http/message.ts';
import { escapeField, jsonLine } from './escape.ts';

export type AccessLogFormat = 'off' | 'text' | 'json' | 'combined';

/** Called for each answered request; `startedAtMs` is `performance.now()` at its head. */
export type OnAnswered = (request: Request, status: number, bodyBytes: number, startedAtMs: number) => void;

/** Where lines go: a writable stream. `write` returns false when it wants no more before `drain`. */
export interface LineSink {
  write(text: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

export interface AccessLogOptions {
  readonly format: AccessLogFormat;
  readonly sink: LineSink;
  /** Told how many lines were lost, once the sink takes lines again. */
  readonly onDropped: (lines: number) => void;
}

export interface AccessLog {
  readonly onAnswered: OnAnswered;
  /** Writes what waits. */
  flush(): void;
}

const FLUSH_MS = 100;
const WAITING_CHARS_MAX = 65_536;

/**
 * Makes an access log, or null when it is off, which costs nothing. Lines are collected and written ten times a second. When the
 * sink is slower than the requests, lines are dropped and counted rather than kept: a log never stops a server.
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
  return {
    flush,
    onAnswered(request, status, bodyBytes, startedAtMs) {
      const full = waiting.length > WAITING_CHARS_MAX;
      if (full && blocked) {
        dropped += 1;
        return;
      }
      waiting += lineOf(request, status, bodyBytes, performance.now() - startedAtMs);
      if (blocked) return;
      if (full) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
    },
  };
}

type Line = (request: Request, status: number, bodyBytes: number, ms: number) => string;

const FORMATS: Readonly<Record<Exclude<AccessLogFormat, 'off'>, Line>> = {
  text: textFormat,
  json: jsonFormat,
  combined: combinedFormat,
};

function textFormat(request: Request, status: number, bodyBytes: number, ms: number): string {
  const time = new Date().toISOString().slice(11, 19);
  const line = escapeField(`${request.method} ${targetOf(request)}`);
  return `${time} ${status} ${line} ${bodyBytes} B ${ms.toFixed(ms < 10 ? 1 : 0)} ms\n`;
}

function jsonFormat(request: Request, status: number, bodyBytes: number, ms: number): string {
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
function combinedFormat(request: Request, status: number, bodyBytes: number): string {
  const address = request.peer.remoteAddress || '-';
  const line = escapeField(`${request.method} ${targetOf(request)} ${request.protocol}`);
  const referer = escapeField(fieldOf(request, 'referer') || '-');
  const agent = escapeField(fieldOf(request, 'user-agent') || '-');
  return `${address} - - [${commonDate(new Date())}] "${line}" ${status} ${bodyBytes} "${referer}" "${agent}"\n`;
}

function targetOf({ path, query }: Request): string {
  return query === '' ? path : `${path}?${query}`;
}

/** The value of the first field of that name (in small letters), or ''. */
function fieldOf({ headers }: Request, name: string): string {
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
