import { checkLines } from '../http/field-lines.ts';
import { Response } from '../http/response.ts';
import { COMPLETE, EARLY_HINTS, FRAME_HEAD_BYTES, HAS_REASON, readInt64 } from './frames.ts';

/** `call.py` refuses statuses beyond, which are invalid (RFC 9110 section 15). */
const STATUS_MAX = 599;
/** The characters of a reason phrase (RFC 9112 section 4). */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Creates a response with `body` from the frame at `position`, whose head ends at `start`. `length` is the size of the
 * content if the frame contains all of it. It becomes the Content-Length when the application set none. Returns null for
 * a head that no worker sends: its status or its length is impossible, or its lines could split the response.
 */
export function readResponse(
  data: Buffer,
  position: number,
  start: number,
  body: Response['body'],
  length = -1,
): Response | null {
  const isInterim = data[position + 4] === EARLY_HINTS;
  const status = data.readUInt16LE(position + 6);
  const contentLength = readInt64(data, position + 16);
  let lines = data.toString('latin1', position + FRAME_HEAD_BYTES, start);
  if (isInterim ? status !== 103 || contentLength >= 0 : status < 200 || status > STATUS_MAX) return null;
  let reason = '';
  if (((data[position + 5] as number) & HAS_REASON) !== 0) {
    const end = lines.indexOf('\r\n');
    if (end < 0) return null;
    reason = lines.slice(0, end);
    lines = lines.slice(end + 2);
    if (!REASON.test(reason)) return null;
  }
  const has = checkLines(lines, contentLength);
  if (has < 0) return null;
  if (contentLength >= 0 || length < 0) return new Response(status, reason, lines, contentLength, has, body);
  return new Response(status, reason, `${lines}Content-Length: ${length}\r\n`, length, has, body);
}

/** Bytes `start` to `end` of a file that the worker has open as `descriptor`. */
export interface FileRange {
  readonly descriptor: number;
  readonly start: number;
  readonly end: number;
}

const FILE_RANGE_BYTES = 20;

/** The body of a FILE frame: `length` bytes at `position`. Null if it is impossible. */
export function readFileRange(data: Buffer, position: number, length: number): FileRange | null {
  if (length !== FILE_RANGE_BYTES) return null;
  const descriptor = data.readUInt32LE(position);
  const start = readInt64(data, position + 4);
  const end = readInt64(data, position + 12);
  return start < 0 || end < start || end > Number.MAX_SAFE_INTEGER ? null : { descriptor, start, end };
}

/** The whole responses in `data` with the ids of their requests, up to the first frame that is something else. */
export function* readResponses(data: Buffer): Generator<readonly [request: number, response: Response]> {
  for (let position = 0; data.length - position >= FRAME_HEAD_BYTES; ) {
    const start = position + FRAME_HEAD_BYTES + data.readUInt32LE(position + 8);
    const end = start + data.readUInt32LE(position + 12);
    if (end > data.length || data[position + 4] !== COMPLETE) return;
    const response = readResponse(data, position, start, data.subarray(start, end));
    if (response === null) return;
    yield [data.readUInt32LE(position), response];
    position = end;
  }
}
