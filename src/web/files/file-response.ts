import { randomBytes } from 'node:crypto';
import { checkConditions, rangeApplies, readConditions } from '../../http/conditional.ts';
import type { Request } from '../../http/message.ts';
import { type ByteRange, readRanges } from '../../http/range.ts';
import { Response } from '../../http/response.ts';
import { type Part, PartsBody } from './parts-body.ts';
import type { StaticFile } from './static-file.ts';

/** The answer to a GET or HEAD for `file`: 200, 206, 304, 412 or 416 (RFC 9110 sections 13 and 14). */
export function respondWithFile(file: StaticFile, request: Pick<Request, 'method' | 'headers'>): Response {
  const conditions = readConditions(request.headers);
  if (conditions === null) return file.whole();
  const status = checkConditions(conditions, file);
  if (status === 304) return Response.fromHeaders(304, notModifiedHeaders(file), null);
  if (status === 412) return Response.text(412, 'Precondition Failed\n');
  // Range is defined for GET alone (RFC 9110 section 14.2).
  if (conditions.range === '' || request.method !== 'GET' || !rangeApplies(conditions.ifRange, file))
    return file.whole();
  const ranges = readRanges(conditions.range, file.size);
  if (ranges === 'all') return file.whole();
  if (ranges === 'none')
    return Response.text(416, 'Range Not Satisfiable\n', ['Content-Range', `bytes */${file.size}`]);
  const [first] = ranges;
  return ranges.length === 1 && first !== undefined ? singleRange(file, first) : severalRanges(file, ranges);
}

/** RFC 9110 section 15.4.5: what a 200 would have said that a cache may need; its Content-Type is known there. */
function notModifiedHeaders(file: StaticFile): string[] {
  return file.headers.slice(2, 6);
}

function singleRange(file: StaticFile, range: ByteRange): Response {
  const headers = [
    ...file.headers,
    'Content-Range',
    contentRange(file, range),
    'Content-Length',
    `${range.end - range.start}`,
  ];
  return Response.fromHeaders(206, headers, file.slice(range.start, range.end));
}

/** multipart/byteranges (RFC 9110 section 14.6). */
function severalRanges(file: StaticFile, ranges: readonly ByteRange[]): Response {
  const boundary = randomBytes(16).toString('hex'); // nobody who wrote the file could know it
  const parts: Part[] = [];
  let length = 0;
  for (const range of ranges) {
    const head = Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${file.headers[1]}\r\nContent-Range: ${contentRange(file, range)}\r\n\r\n`,
      'latin1',
    );
    parts.push(head, file.slice(range.start, range.end));
    length += head.length + range.end - range.start;
  }
  const end = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  parts.push(end);
  length += end.length;
  const type = `multipart/byteranges; boundary=${boundary}`;
  const headers = ['Content-Type', type, ...file.headers.slice(2), 'Content-Length', `${length}`];
  return Response.fromHeaders(206, headers, new PartsBody(parts));
}

function contentRange(file: StaticFile, { start, end }: ByteRange): string {
  return `bytes ${start}-${end - 1}/${file.size}`;
}
