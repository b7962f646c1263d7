import type { Request } from '../http/message.ts';

export type AccessLogFormat = 'off' | 'text' | 'json' | 'combined';

/** Called for each answered request; `startedAtMs` is `performance.now()` at its head. */
export type OnAnswered = (request: Request, status: number, bodyBytes: number, startedAtMs: number) => void;

/** Where lines go: `write` returns false when it cannot take more for now. */
export interface LineSink {
  write(text: string): boolean;
}

export interface AccessLog {
  readonly onAnswered: OnAnswered;
  /** Writes what waits. */
  flush(): void;
}

const FLUSH_MS = 100;
const WAITING_BYTES_MAX = 65_536;

/**
 * Makes an access log, or null when it is off, which costs nothing. Lines are collected and written ten times a second. When the
 * sink is slower than the requests, lines are dropped and counted rather than kept: a log never stops a server.
 */
export function createAccessLog(format: AccessLogFormat, sink: LineSink): AccessLog | null {
  if (format === 'off') return null;
  const line = FORMATS[format];
  let waiting = '';
  let dropped = 0;
  let blocked = false;
  let timer: NodeJS.Timeout | null = null;
  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (dropped > 0) waiting += `${dropped} lines dropped: the log is slower than the requests\n`;
    dropped = 0;
    blocked = waiting !== '' && !sink.write(waiting);
    waiting = '';
  }
  return {
    flush,
    onAnswered(request, status, bodyBytes, startedAtMs) {
      if (blocked && waiting.length > WAITING_BYTES_MAX) {
        dropped += 1;
        return;
      }
      waiting += line(request, status, bodyBytes, performance.now() - startedAtMs);
      if (waiting.length > WAITING_BYTES_MAX && !blocked) flush();
      timer ??= setTimeout(flush, FLUSH_MS);
    },
  };
}

type Line = (request: Request, status: number, bodyBytes: number, ms: number) => string;

const FORMATS: Readonly<Record<Exclude<AccessLogFormat, 'off'>, Line>> = {
  text: textLine,
  json: jsonLine,
  combined: combinedLine,
};

function textLine(request: Request, status: number, bodyBytes: number, ms: number): string {
  const time = new Date().toISOString().slice(11, 19);
  return `${time} ${status} ${escapeText(`${request.method} ${target(request)}`)} ${bodyBytes} B ${ms.toFixed(ms < 10 ? 1 : 0)} ms\n`;
}

function jsonLine(request: Request, status: number, bodyBytes: number, ms: number): string {
  return `${JSON.stringify({
    time: new Date().toISOString(),
    remote_address: request.peer.remoteAddress,
    method: request.method,
    host: request.host,
    path: request.path,
    query: request.query,
    status,
    body_bytes: bodyBytes,
    duration_ms: Math.round(ms * 1000) / 1000,
    user_agent: header(request, 'user-agent'),
    referer: header(request, 'referer'),
  })}\n`;
}

/** Apache's and nginx's "combined" format. */
function combinedLine(request: Request, status: number, bodyBytes: number): string {
  const line = escapeText(`${request.method} ${target(request)} HTTP/1.${request.minorVersion}`);
  const referer = escapeText(header(request, 'referer') || '-');
  const agent = escapeText(header(request, 'user-agent') || '-');
  return `${request.peer.remoteAddress || '-'} - - [${commonDate(new Date())}] "${line}" ${status} ${bodyBytes} "${referer}" "${agent}"\n`;
}

function target(request: Request): string {
  return request.query === '' ? request.path : `${request.path}?${request.query}`;
}

function header(request: Request, name: string): string {
  const { headers } = request;
  for (let i = 0; i < headers.length; i += 2)
    if ((headers[i] as string).toLowerCase() === name) return headers[i + 1] as string;
  return '';
}

/** Quotes, backslashes and everything that is not visible ASCII as `\xHH`: no client can forge a line or steer a terminal. */
function escapeText(text: string): string {
  return text.replace(
    /[^\x20\x21\x23-\x5b\x5d-\x7e]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `10/Oct/2000:13:55:36 +0000`, in UTC. */
function commonDate(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[date.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
