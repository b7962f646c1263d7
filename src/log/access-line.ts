import { requestIdOf } from '../http/request-id.ts';
import { fieldOf, type Line, type LoggedRequest, targetOf } from './answered-request.ts';
import { escapeField, jsonText } from './escape.ts';
import { commonDate, isoTime } from './log-time.ts';

/** The formats of the access log that have a name. */
export const LINES: Readonly<Record<'text' | 'json' | 'combined', Line>> = {
  text: textLine,
  json: jsonLine,
  combined: combinedLine,
};

/** A wait of so many milliseconds is worth a word. */
const WAIT_MS_MIN = 50;
/** What the server or the client needed beside Python is worth a word if it is so long. */
const REST_MS_MIN = 100;

function textLine(request: LoggedRequest, status: number, bodyBytes: number, ms: number): string {
  const time = isoTime().slice(11, 19);
  const line = request.method === '' ? '-' : escapeField(`${request.method} ${targetOf(request)}`);
  return `${time} ${status} ${line} ${bodyBytes} B ${shortMs(ms)} ms${remarks(request, ms)}\n`;
}

/** What explains the duration and the status: ` (queued 2508 ms, client left)`. */
function remarks({ record: { queueUs, pythonUs, reason } }: LoggedRequest, ms: number): string {
  const queueMs = queueUs / 1000;
  const pythonMs = pythonUs / 1000;
  const parts: string[] = [];
  if (queueMs >= WAIT_MS_MIN) parts.push(`queued ${shortMs(queueMs)} ms`);
  if (pythonUs >= 0 && ms - queueMs - pythonMs >= REST_MS_MIN) parts.push(`Python ${shortMs(pythonMs)} ms`);
  if (reason !== '') parts.push(reason);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function shortMs(ms: number): string {
  return ms.toFixed(ms < 10 ? 1 : 0);
}

/** Written by hand, because it takes half the time of `JSON.stringify`. Fields that are not known are left out. */
function jsonLine(request: LoggedRequest, status: number, bodyBytes: number, ms: number, time = isoTime()): string {
  const { record } = request;
  const { worker, queueUs, pythonUs, reason, route } = record;
  let line =
    `{"time":"${time}","remote_address":${jsonText(request.peer.remoteAddress)}` +
    `,"method":${jsonText(request.method)},"host":${jsonText(request.host)}` +
    `,"path":${jsonText(request.path)},"query":${jsonText(request.query)}` +
    `,"status":${status},"body_bytes":${bodyBytes},"duration_ms":${Math.round(ms * 1000) / 1000}` +
    `,"user_agent":${jsonText(fieldOf(request, 'user-agent'))},"referer":${jsonText(fieldOf(request, 'referer'))}`;
  const { protocol } = request;
  if (protocol !== '') line += `,"protocol":"${protocol}","request_id":${jsonText(requestIdOf(record))}`;
  if (route !== '') line += `,"route":${jsonText(route)}`;
  if (worker !== 0) line += `,"worker":${worker}`;
  if (queueUs >= 0) line += `,"queue_ms":${queueUs / 1000}`;
  if (pythonUs >= 0) line += `,"python_ms":${pythonUs / 1000}`;
  if (reason !== '') line += `,"reason":${jsonText(reason)}`;
  return `${line}}\n`;
}

/** Apache's and nginx's "combined" format. */
function combinedLine(request: LoggedRequest, status: number, bodyBytes: number): string {
  const address = request.peer.remoteAddress || '-';
  const line = request.method === '' ? '-' : escapeField(`${request.method} ${targetOf(request)} ${request.protocol}`);
  const referer = escapeField(fieldOf(request, 'referer') || '-');
  const agent = escapeField(fieldOf(request, 'user-agent') || '-');
  return `${address} - - [${commonDate(new Date())}] "${line}" ${status} ${bodyBytes} "${referer}" "${agent}"\n`;
}
