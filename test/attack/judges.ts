import type { FuzzedDoor } from './doors.ts';

/** A status line of HTTP/1.1 or 1.0, fields of visible octets, and an empty line (RFC 9112 section 2.1). */
const HEAD = /^HTTP\/1\.[01] ([1-5]\d\d)[^\r\n\0]*\r\n((?:[!#-'*+.^-z|~0-9A-Z-]+:[^\r\n\0]*\r\n)*)\r\n/;
const CHUNK = /^([0-9a-f]{1,8})\r\n/i;
const CGI_HEAD = /^Status: [1-5]\d\d[^\r\n]*\r\n(?:[^:\r\n\0]+:[^\r\n\0]*\r\n)*\r\n/;

/** Returns what is malformed in all that a server sent on a connection, null if nothing is. The end may be cut off. */
export function judgeAnswer(door: FuzzedDoor, received: string): string | null {
  switch (door) {
    case 'http1':
    case 'proxy-protocol':
      return received.startsWith('\0') ? judgeFrames(received) : judgeResponses(received);
    case 'http2':
      return received.startsWith('HTTP/') ? judgeResponses(received) : judgeFrames(received);
    case 'fastcgi':
      return judgeRecords(received);
    case 'uwsgi':
      return judgeResponses(received);
    case 'scgi':
      return received === '' || CGI_HEAD.test(received) ? null : malformed('a response', received);
  }
}

function judgeResponses(received: string): string | null {
  let remaining = received;
  while (remaining !== '') {
    const head = HEAD.exec(remaining);
    if (head === null) return malformed('a response', remaining);
    const [whole, status, fields = ''] = head;
    remaining = remaining.slice(whole.length);
    const length = /^content-length: (\d+)\r$/im.exec(fields)?.[1];
    if (/^transfer-encoding: chunked\r$/im.test(fields)) {
      const rest = skipChunks(remaining);
      if (rest === null) return malformed('a chunk', remaining);
      remaining = rest;
    } else if (status?.startsWith('1') || status === '204' || status === '304') continue;
    // A response to HEAD has a length and no content, so the next response may come at once.
    else if (length !== undefined && !/^HTTP\/1\.1 \d\d\d /.test(remaining))
      remaining = remaining.slice(Number(length));
    else if (length === undefined) return null;
  }
  return null;
}

/** Returns what follows chunked content, '' if it is cut off, null if it is malformed. */
function skipChunks(text: string): string | null {
  let remaining = text;
  for (;;) {
    const size = CHUNK.exec(remaining);
    if (size === null) return /^[0-9a-f]{0,8}\r?$/i.test(remaining) ? '' : null;
    const length = Number.parseInt(size[1] as string, 16);
    if (length === 0) {
      const end = remaining.indexOf('\r\n\r\n');
      return end < 0 ? '' : remaining.slice(end + 4);
    }
    remaining = remaining.slice(size[0].length + length);
    if (remaining.length >= 2 && !remaining.startsWith('\r\n')) return null;
    remaining = remaining.slice(2);
  }
}

/** Whole frames of known types up to 16,384 octets (RFC 9113 sections 4.1 and 4.2). */
function judgeFrames(received: string): string | null {
  const octets = Buffer.from(received, 'latin1');
  let at = 0;
  while (at + 9 <= octets.length) {
    const length = octets.readUIntBE(at, 3);
    const type = octets.readUInt8(at + 3);
    if (length > 16_384 || type > 9) return malformed('a frame', received.slice(at));
    at += 9 + length;
  }
  return null;
}

/** Records of FastCGI version 1 that a server may send: END_REQUEST, STDOUT, STDERR, GET_VALUES_RESULT, UNKNOWN_TYPE. */
function judgeRecords(received: string): string | null {
  const octets = Buffer.from(received, 'latin1');
  let at = 0;
  while (at + 8 <= octets.length) {
    const [version, type] = octets.subarray(at, at + 2);
    if (version !== 1 || ![3, 6, 7, 10, 11].includes(type ?? 0)) return malformed('a record', received.slice(at));
    at += 8 + octets.readUInt16BE(at + 4) + octets.readUInt8(at + 6);
  }
  return null;
}

function malformed(thing: string, octets: string): string {
  return `the server sent ${thing} that is malformed: ${JSON.stringify(octets.slice(0, 200))}`;
}
