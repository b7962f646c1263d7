import type { Peer, Request } from '../http/message.ts';
import type { Refusal } from '../http/refusal.ts';
import type { Placeholders } from '../placeholders/placeholders.ts';
import { LINES } from './access-line.ts';
import { type LoggedRequest, unreadable } from './answered-request.ts';
import { compileLogFormat } from './log-format.ts';
import type { LogTap } from './log-tap.ts';
import { isoTime } from './log-time.ts';
import type { LostLines } from './lost-lines.ts';

export type AccessLogFormat = 'off' | 'text' | 'json' | 'combined';

/** Called for each answered request; `startedAtMs` is `performance.now()` at the end of the request's head. */
export type OnAnswered = (request: Request, status: number, bodyBytes: number, startedAtMs: number) => void;

/** A writable stream for the lines. `write` returns false when the stream wants no more before `drain`. */
export interface LineSink {
  write(text: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
  /** Counts the lines that it did not get. */
  readonly lost?: LostLines | undefined;
  /** Instead of `write`, for a sink that has more of each request than its line. The line has no line break. */
  writeRequest?(line: string, request: LoggedRequest, status: number, bodyBytes: number, ms: number): void;
}

export interface AccessLogOptions {
  readonly format: AccessLogFormat;
  /** A template of lines, instead of the format, unless that is `off`. See `compileLogFormat`. */
  readonly template?: string | null;
  /** What the template may have; the standard placeholders by default. */
  readonly placeholders?: Placeholders | undefined;
  readonly sink: LineSink;
  /** Gets each line, too, while somebody follows it. */
  readonly tap?: LogTap | null;
  /** Called with the number of lost lines, once the sink takes lines again. */
  readonly onDropped: (lines: number) => void;
}

export interface AccessLog {
  readonly onAnswered: OnAnswered;
  /** Called for each answer to a client that sent no request that could be read. The line has only time, address, status and reason. */
  readonly onRefused: (refusal: Refusal, peer: Peer) => void;
  /** Writes all waiting lines. */
  flush(): void;
}

const FLUSH_MS = 100;
const WAITING_CHARS_MAX = 65_536;

/**
 * Makes an access log; null when it is off, which costs nothing. Lines are collected and written ten times a second. When the sink is
 * slower than the requests, lines are dropped and counted, because a log must never stop a server.
 *
 * @throws ViaductError `SETTINGS` for a template with an unknown directive or placeholder
 */
export function createAccessLog({
  format,
  template = null,
  placeholders,
  sink,
  tap = null,
  onDropped,
}: AccessLogOptions): AccessLog | null {
  if (format === 'off') return null;
  const lineOf = template === null ? LINES[format] : compileLogFormat(template, placeholders);
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
    const ms = performance.now() - startedAtMs;
    let time: string | undefined;
    if (tap?.isFollowed === true) {
      time = isoTime(); // both lines have the same
      tap.access(request, status, bodyBytes, ms, time);
    }
    if (sink.writeRequest !== undefined) {
      sink.writeRequest(lineOf(request, status, bodyBytes, ms).slice(0, -1), request, status, bodyBytes, ms);
      return;
    }
    const full = waiting.length > WAITING_CHARS_MAX;
    if (full && blocked) {
      dropped += 1;
      if (sink.lost !== undefined) sink.lost.lines += 1;
      return;
    }
    waiting += lineOf(request, status, bodyBytes, ms, time);
    if (blocked) return;
    if (full) flush();
    else timer ??= setTimeout(flush, FLUSH_MS);
  }
  return {
    flush,
    onAnswered,
    onRefused: ({ status, reason }, peer) => onAnswered({ ...unreadable(reason), peer }, status, 0, performance.now()),
  };
}
