import { randomBytes } from 'node:crypto';
import type { HeaderList } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { checkConditions, rangeApplies, readConditions } from '../http/semantics/conditional.ts';
import { type ByteRange, readRanges } from '../http/semantics/range.ts';
import { type Part, PartsBody } from './parts-body.ts';
import type { StaticFile } from './static-file.ts';

/** The response to a GET or HEAD for `file`: 200, 206, 304, 412 or 416 (RFC 9110 sections 13 and 14). */
export function respondWithFile(file: StaticFile, method: 'GET' | 'HEAD', requestHeaders: HeaderList): Response {
  const conditions = readConditions(requestHeaders);
  if (conditions === null) return file.whole();
  const status = checkConditions(conditions, file);
  if (status === 304) return file.notModified();
  if (status === 412) return Response.text(412, 'Precondition Failed\n');
  const { range, ifRange } = conditions;
  // RFC 9110 section 14.2 defines ranges for GET only.
  if (range === undefined || method !== 'GET' || !rangeApplies(ifRange, file)) return file.whole();
  const ranges = readRanges(range, file.size);
  if (ranges === 'all') return file.whole();
  if (ranges === 'none') return notSatisfiable(file);
  const [first] = ranges;
  return ranges.length === 1 && first !== undefined ? singleRange(file, first) : severalRanges(file, ranges);
}

function notSatisfiable({ size }: StaticFile): Response {
  return Response.text(416, 'Range Not Satisfiable\n', ['Content-Range', `bytes */${size}`]);
}

function singleRange(file: StaticFile, range: ByteRange): Response {
  const length = range.end - range.start;
  const content = ['Content-Type', file.contentType, 'Content-Range', contentRange(file, range)];
  const headers = [...content, 'Content-Length', `${length}`, ...file.headers];
  return Response.fromHeaders(206, headers, file.slice(range.start, range.end));
}

/** multipart/byteranges (RFC 9110 section 14.6). */
function severalRanges(file: StaticFile, ranges: readonly ByteRange[]): Response {
  const boundary = randomBytes(12).toString('hex');
  const parts: Part[] = [];
  let length = 0;
  for (const range of ranges) {
    const fields = `Content-Type: ${file.contentType}\r\nContent-Range: ${contentRange(file, range)}\r\n`;
    const head = Buffer.from(`\r\n--${boundary}\r\n${fields}\r\n`, 'latin1');
    parts.push(head, file.slice(range.start, range.end));
    length += head.length + range.end - range.start;
  }
  const end = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  parts.push(end);
  length += end.length;
  const content = ['Content-Type', `multipart/byteranges; boundary=${boundary}`, 'Content-Length', `${length}`];
  return Response.fromHeaders(206, [...content, ...file.headers], new PartsBody(parts));
}

function contentRange(file: StaticFile, { start, end }: ByteRange): string {
  return `bytes ${start}-${end - 1}/${file.size}`;
}
