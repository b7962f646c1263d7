import { Response } from '../http/response.ts';
import { FRAME_HEAD_BYTES, HAS_REASON, readInt64 } from './frames.ts';

/**
 * Makes a response with `body` of the frame at `position`, whose head ends at `start`. A frame that holds all of the content tells its
 * `length`, which becomes the Content-Length where the application gave none.
 */
export function readResponse(
  data: Buffer,
  position: number,
  start: number,
  body: Response['body'],
  length = -1,
): Response {
  const has = data[position + 5] as number;
  const status = data.readUInt16LE(position + 6);
  const declared = readInt64(data, position + 16);
  let lines = data.toString('latin1', position + FRAME_HEAD_BYTES, start);
  let reason = '';
  if ((has & HAS_REASON) !== 0) {
    const end = lines.indexOf('\r\n');
    reason = lines.slice(0, end);
    lines = lines.slice(end + 2);
  }
  if (declared < 0 && length >= 0) {
    lines += `Content-Length: ${length}\r\n`;
    return new Response(status, reason, lines, length, has & 3, body);
  }
  return new Response(status, reason, lines, declared, has & 3, body);
}
