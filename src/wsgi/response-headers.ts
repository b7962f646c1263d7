import { ViaductError } from '../errors.ts';
import { type EncodedHeaders, HeaderEncoder, isHopByHop, type Response } from '../http/response.ts';
import { SP } from '../http/semantics/bytes.ts';
import type { Header } from './contract.ts';

/** The property of a list that holds the lines it was read from. A copy of the list, as `filter` makes it, does not have the property. */
const READ = Symbol('viaduct.read');

interface ReadHeaders extends Array<Header> {
  [READ]?: { readonly encoded: EncodedHeaders; readonly parts: readonly string[] };
}

/**
 * The fields of `response` as a list for `start_response`. If the list is not changed, its lines are those that it was read from, and need not be checked and
 * written again.
 */
export function readHeaders(response: Response): readonly Header[] {
  const headers: ReadHeaders = readLines(response.lines);
  const parts: string[] = [];
  for (const [name, value] of headers) parts.push(name, value);
  headers[READ] = { encoded: response, parts };
  return headers;
}

/** Field lines as a list. */
export function readLines(lines: string): Header[] {
  const headers: Header[] = [];
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    const name = lines.substring(start, colon);
    const value =
      lines.charCodeAt(colon + 1) === SP ? lines.substring(colon + 2, end) : lines.substring(colon + 1, end);
    headers.push([name, value]);
    start = end + 2;
  }
  return headers;
}

/** Hears of a violation of the contract that the server corrects. */
export interface NoticeTaker {
  notice(text: string): void;
}

/**
 * Checks the headers that an application passes to `start_response`. Hop-by-hop fields, which belong to the server, are left out with a notice.
 *
 * @throws ViaductError `HEADER_INVALID`, see `Response.fromHeaders`.
 */
export function encodeResponseHeaders(headers: readonly Header[], taker: NoticeTaker): EncodedHeaders {
  if (!Array.isArray(headers)) throw invalid(`Cannot send headers: they must be an array, not ${typeof headers}`);
  const read = (headers as ReadHeaders)[READ];
  if (read !== undefined && consistsOf(headers, read.parts)) return read.encoded;
  const encoder = new HeaderEncoder();
  for (const header of headers) {
    if (!Array.isArray(header) || header.length !== 2)
      throw invalid('Cannot send headers: each must be a pair of name and value');
    const [name, value] = header;
    if (typeof name !== 'string' || typeof value !== 'string')
      throw invalid(`Cannot send header ${JSON.stringify(header)}: name and value must be strings`);
    try {
      encoder.add(name, value);
    } catch (error) {
      if (!isHopByHop(name)) throw error;
      taker.notice(`the application sent the field ${name}, which belongs to the server: it is left out`);
    }
  }
  return encoder;
}

/**
 * Checks the headers that an application passes to `wsgi.early_hints`; returns their field lines.
 *
 * @throws ViaductError `HEADER_INVALID`, see `Response.fromHeaders`, and for a Content-Length: an interim response has no content (RFC 9110 section 8.6).
 */
export function encodeEarlyHints(headers: readonly Header[], taker: NoticeTaker): string {
  const { lines, contentLength } = encodeResponseHeaders(headers, taker);
  if (contentLength >= 0) throw invalid('Cannot send Content-Length as an early hint: there is no content');
  return lines;
}

function consistsOf(headers: readonly Header[], parts: readonly string[]): boolean {
  if (2 * headers.length !== parts.length) return false;
  for (let i = 0; i < headers.length; i += 1) {
    const header = headers[i] as Header;
    if (header[0] !== parts[2 * i] || header[1] !== parts[2 * i + 1]) return false;
  }
  return true;
}

function invalid(message: string): ViaductError {
  return new ViaductError('HEADER_INVALID', message);
}
