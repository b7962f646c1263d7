import type { Progress } from '../../http/http1/field-section.ts';
import { Refusal } from '../../http/refusal.ts';
import { ResponseHead } from '../http1/response-head.ts';

const CR = 0x0d;
const LF = 0x0a;

const TOO_LONG = new Refusal(502, 'the fields are too long');
const NO_FIELDS = new Refusal(502, 'the response does not start with a field');
const BAD_STATUS = new Refusal(502, 'the Status field does not have the form "200 OK"');
const CODED = new Refusal(502, 'a CGI response has a Transfer-Encoding');

/**
 * Reads the head of a CGI response (RFC 3875 section 6). `Status` gives the status; without it the status is 200, or
 * 302 with `Location`. Lines may end with LF alone, because scripts write them so. Everything else is parsed as
 * strictly as in HTTP. A uwsgi server may send an HTTP status line instead.
 */
export class CgiResponseHead extends ResponseHead {
  readonly #bytesMax: number;

  constructor(bytesMax: number, countMax: number) {
    super(bytesMax, countMax);
    this.#bytesMax = bytesMax;
  }

  override scan(bytes: Buffer, origin: number, end: number): Progress {
    const headEnd = endOfHead(bytes, origin, end);
    if (headEnd < 0) return end - origin > this.#bytesMax ? TOO_LONG : 'incomplete';
    const head = translated(bytes.toString('latin1', origin, headEnd));
    if (head instanceof Refusal) return head;
    const progress = super.scan(head, 0, head.length);
    if (progress === 'incomplete') return NO_FIELDS;
    this.length = headEnd - origin;
    return progress;
  }
}

/** Offset of the content; -1 while the empty line has not arrived. */
function endOfHead(bytes: Buffer, origin: number, end: number): number {
  for (let at = bytes.indexOf(LF, origin); at >= 0 && at < end - 1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && at + 2 < end && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/** Translates the head to HTTP/1.1 syntax. */
function translated(text: string): Buffer | Refusal {
  if (text.startsWith('HTTP/')) return Buffer.from(text, 'latin1');
  const lines = text.replace(/\r?\n/g, '\r\n').split('\r\n').slice(0, -2);
  let status: string | null = null;
  let isRedirect = false;
  const kept: string[] = [];
  for (const line of lines) {
    const name = line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase();
    if (name === 'status') {
      if (status !== null) return BAD_STATUS;
      status = line.slice('status:'.length).trim();
      continue;
    }
    if (name === 'transfer-encoding') return CODED;
    if (name === 'location') isRedirect = true;
    kept.push(line);
  }
  status ??= isRedirect ? '302 Found' : '200 OK';
  if (!/^[1-5]\d\d(?: [^\r\n]*)?$/.test(status)) return BAD_STATUS;
  return Buffer.from(
    `HTTP/1.1 ${status.length === 3 ? `${status} ` : status}\r\n${[...kept, '', ''].join('\r\n')}`,
    'latin1',
  );
}
