import { ViaductError } from '../errors.ts';
import type { HeaderList, ResponseBody } from './message.ts';

/**
 * A response before it is framed. Its fields are kept as encoded lines (`Name: value\r\n…`), because that is how workers send
 * them and how cached files keep them: the connection then writes one string. Only `fromHeaders` and `worker` frames make one,
 * and both refuse what could split the message (RFC 9112 section 11.1).
 */
export class Response {
  readonly status: number;
  /** Reason phrase; '' for the standard one. */
  readonly reason: string;
  /** Checked field lines, each ended by CRLF, without Connection, Transfer-Encoding and other hop-by-hop fields. */
  readonly lines: string;
  /** Value of the Content-Length line, -1 when there is none. */
  readonly contentLength: number;
  /** Bits: which of the fields that the connection would add are already in `lines`. */
  readonly has: number;
  readonly body: ResponseBody;

  constructor(status: number, reason: string, lines: string, contentLength: number, has: number, body: ResponseBody) {
    this.status = status;
    this.reason = reason;
    this.lines = lines;
    this.contentLength = contentLength;
    this.has = has;
    this.body = body;
  }

  /**
   * Encodes `headers`. A Uint8Array body gets its Content-Length from the connection when the list has none.
   *
   * @throws ViaductError `HEADER_INVALID` for CR, LF, NUL or another control in a name or value, a name that is no token
   * (RFC 9110 section 5.1), a hop-by-hop field, or a Content-Length that is no number.
   */
  static fromHeaders(status: number, headers: HeaderList, body: ResponseBody, reason = ''): Response {
    const { lines, contentLength, has } = encodeHeaders(headers);
    return new Response(status, reason, lines, contentLength, has, body);
  }

  /** A plain-text answer, for errors and refusals. */
  static text(status: number, text: string, headers: HeaderList = []): Response {
    const body = Buffer.from(text, 'utf8');
    return Response.fromHeaders(status, ['Content-Type', 'text/plain; charset=utf-8', ...headers], body);
  }
}

/** Bits of `Response.has`. */
export const HAS_DATE = 1;
export const HAS_SERVER = 2;

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a field belongs to a connection, and not to the message (RFC 9110 section 7.6.1). */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Field lines, and what the connection wants to know of them. */
export interface EncodedHeaders {
  readonly lines: string;
  /** -1 without one. */
  readonly contentLength: number;
  readonly has: number;
}

/** Checks `headers` and joins them to field lines. See `Response.fromHeaders`. */
export function encodeHeaders(headers: HeaderList): EncodedHeaders {
  const encoder = new HeaderEncoder();
  for (let i = 0; i < headers.length; i += 2) encoder.add(headers[i] as string, headers[i + 1] as string);
  return encoder;
}

/** Checks fields one by one, and joins them to lines. */
export class HeaderEncoder implements EncodedHeaders {
  lines = '';
  contentLength = -1;
  has = 0;

  /** @throws ViaductError `HEADER_INVALID`, see `Response.fromHeaders`. */
  add(name: string, value: string): void {
    const kind = kinds.get(name) ?? learnKind(name);
    if (!VALUE.test(value))
      throw invalid(`Cannot send header "${name}": its value holds a control or non-latin-1 character`);
    if (kind === 'content-length') {
      if (!/^\d{1,15}$/.test(value) || this.contentLength >= 0) {
        throw invalid(`Cannot send Content-Length "${value}": it must be one decimal number`);
      }
      this.contentLength = Number(value);
    } else if (kind === 'date') this.has |= HAS_DATE;
    else if (kind === 'server') this.has |= HAS_SERVER;
    this.lines += `${name}: ${value}\r\n`;
  }
}

/** What the connection wants to know of a field. */
type Kind = 'content-length' | 'date' | 'server' | 'other';

/** Of names as they were spelt, which were checked once. Bounded. */
const kinds = new Map<string, Kind>();
const KINDS_MAX = 1024;

function learnKind(name: string): Kind {
  if (!TOKEN.test(name)) throw invalid(`Cannot send header name ${JSON.stringify(name)}: it is not a token`);
  const lower = name.toLowerCase();
  if (HOP_BY_HOP.has(lower))
    throw invalid(`Cannot send header "${name}": it belongs to the connection, not the response`);
  const kind = lower === 'content-length' || lower === 'date' || lower === 'server' ? lower : 'other';
  if (kinds.size >= KINDS_MAX) kinds.clear();
  kinds.set(name, kind);
  return kind;
}

function invalid(message: string): ViaductError {
  return new ViaductError('HEADER_INVALID', message);
}
