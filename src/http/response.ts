import { ViaductError } from '../errors.ts';
import type { HeaderList, ResponseBody } from './message.ts';

/**
 * A response before it is framed. Its fields are encoded lines (`Name: value\r\n…`), because workers send and cached files keep
 * them in this form: the connection then writes one string. Responses are made only by `fromHeaders` and from the frames of workers.
 * Both refuse fields that could split the message (RFC 9112 section 11.1).
 */
export class Response {
  /** Status code: 200. */
  readonly status: number;
  /** Reason phrase; '' for the standard phrase. */
  readonly reason: string;
  /** Checked field lines, each ended by CRLF, without Connection, Transfer-Encoding and other hop-by-hop fields. */
  readonly lines: string;
  /** Value of the Content-Length line, -1 without that line. */
  readonly contentLength: number;
  /** Bits (`HAS_DATE` and others): which of the fields that the connection adds, removes or writes in its own way are in `lines`. */
  readonly has: number;
  /** The content; null for none. */
  readonly body: ResponseBody;

  /** For responses whose lines were checked before. Use `fromHeaders` or `text` for all others. */
  constructor(status: number, reason: string, lines: string, contentLength: number, has: number, body: ResponseBody) {
    this.status = status;
    this.reason = reason;
    this.lines = lines;
    this.contentLength = contentLength;
    this.has = has;
    this.body = body;
  }

  /**
   * Encodes `headers`. If the list has no Content-Length, the connection adds it for a Uint8Array body.
   *
   * @throws ViaductError `HEADER_INVALID` for CR, LF, NUL or another control character in a name or value, a name that is not a
   * token (RFC 9110 section 5.1), a hop-by-hop field, or a Content-Length that is not a number.
   */
  static fromHeaders(status: number, headers: HeaderList, body: ResponseBody, reason = ''): Response {
    const { lines, contentLength, has } = encodeHeaders(headers);
    return new Response(status, reason, lines, contentLength, has, body);
  }

  /** A plain-text response in UTF-8, for errors and refusals. */
  static text(status: number, text: string, headers: HeaderList = []): Response {
    const body = Buffer.from(text, 'utf8');
    return Response.fromHeaders(status, ['Content-Type', 'text/plain; charset=utf-8', ...headers], body);
  }
}

/** Bits of `Response.has`. */
export const HAS_DATE = 1;
export const HAS_SERVER = 2;
/** A field with which an application directs the server in front of it; see `isControl`. */
export const HAS_CONTROL = 8;
/** A field that must not go into a compression table (RFC 7541 section 6.2.3). Then none of this response does. */
export const HAS_NEVER_INDEXED = 16;

/** Whether an application directs the server in front of it with the field `name` (lower case): to a file, or to another path. */
export function isControl(name: string): boolean {
  return name.startsWith('x-accel-') || name === 'x-sendfile';
}

/** Encoded field lines without those for which `isControl` is true: no interim response and no 101 directs a server. */
export function withoutControlLines(lines: string): string {
  return lines.replace(/^(?:x-accel-[^:]*|x-sendfile):.*\r\n/gim, '');
}

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a connection has to know about a field. */
type FieldKind = 'content-length' | 'date' | 'server' | 'control' | 'hop-by-hop' | 'other';

/** The names (lower case) whose kind is not `other`. One that ends in a hyphen is the start of names. */
export const SPECIAL_NAMES: readonly string[] = [
  ...HOP_BY_HOP,
  'content-length',
  'date',
  'server',
  'x-accel-',
  'x-sendfile',
];

export function fieldKind(name: string): FieldKind {
  const lower = name.toLowerCase();
  if (HOP_BY_HOP.has(lower)) return 'hop-by-hop';
  if (lower === 'content-length' || lower === 'date' || lower === 'server') return lower;
  return isControl(lower) ? 'control' : 'other';
}

/** Whether a field belongs to the connection, and not to the message (RFC 9110 section 7.6.1). */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Field lines, and what the connection has to know about them. */
export interface EncodedHeaders {
  readonly lines: string;
  /** -1 without a Content-Length line. */
  readonly contentLength: number;
  readonly has: number;
}

/** Checks `headers` and joins them to field lines. See `Response.fromHeaders`. */
export function encodeHeaders(headers: HeaderList): EncodedHeaders {
  const encoder = new HeaderEncoder();
  for (let i = 0; i < headers.length; i += 2) encoder.add(headers[i] as string, headers[i + 1] as string);
  return encoder;
}

/** Checks fields one after the other, and joins them to lines. */
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
    else if (kind === 'control') this.has |= HAS_CONTROL;
    else if (kind === 'server') this.has |= HAS_SERVER;
    this.lines += `${name}: ${value}\r\n`;
  }
}

/** Kinds of the names that were checked before, by their exact spelling. The map has a limit: `KINDS_MAX`. */
const kinds = new Map<string, FieldKind>();
const KINDS_MAX = 1024;

function learnKind(name: string): FieldKind {
  if (!TOKEN.test(name)) throw invalid(`Cannot send header name ${JSON.stringify(name)}: it is not a token`);
  const kind = fieldKind(name);
  if (kind === 'hop-by-hop')
    throw invalid(`Cannot send header "${name}": it belongs to the connection, not the response`);
  if (kinds.size >= KINDS_MAX) kinds.clear();
  kinds.set(name, kind);
  return kind;
}

function invalid(message: string): ViaductError {
  return new ViaductError('HEADER_INVALID', message);
}
