import { ViaductError } from '../errors.ts';
import { COLON, LF } from '../http/bytes.ts';
import { type EncodedHeaders, HeaderEncoder, type Response } from '../http/response.ts';
import type { Header } from './contract.ts';

/** Where a list that was read keeps what it was read from. A copy of the list, such as `filter` makes, has nothing there. */
const READ = Symbol('viaduct.read');

interface ReadHeaders extends Array<Header> {
  [READ]?: EncodedHeaders;
}

/**
 * The fields of `response` as a list for `start_response`. While nobody changes the list, its lines are still those that it was read from, and need not be
 * checked and written again.
 */
export function readHeaders(response: Response): readonly Header[] {
  const { lines } = response;
  const headers: ReadHeaders = [];
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    headers.push([lines.substring(start, colon), lines.substring(colon + 1, end).trim()]);
    start = end + 2;
  }
  headers[READ] = response;
  return headers;
}

/**
 * Checks what an application passes to `start_response`.
 *
 * @throws ViaductError `HEADER_INVALID`, see `Response.fromHeaders`.
 */
export function encodeResponseHeaders(headers: readonly Header[]): EncodedHeaders {
  const read = (headers as ReadHeaders)[READ];
  if (read !== undefined && says(headers, read.lines)) return read;
  if (!Array.isArray(headers)) throw invalid(`Cannot send headers: they must be an array, not ${typeof headers}`);
  const encoder = new HeaderEncoder();
  for (const header of headers) {
    if (!Array.isArray(header) || header.length !== 2)
      throw invalid('Cannot send headers: each must be a pair of name and value');
    const [name, value] = header;
    if (typeof name !== 'string' || typeof value !== 'string')
      throw invalid(`Cannot send header ${JSON.stringify(header)}: name and value must be strings`);
    encoder.add(name, value);
  }
  return encoder;
}

/** Whether `headers` are what stands in `lines`, written as we write it. */
function says(headers: readonly Header[], lines: string): boolean {
  let at = 0;
  for (const [name, value] of headers) {
    const valueAt = at + name.length + 2;
    if (!lines.startsWith(name, at) || !lines.startsWith(value, valueAt)) return false;
    at = valueAt + value.length + 2;
    if (lines.charCodeAt(valueAt - 2) !== COLON || lines.charCodeAt(at - 1) !== LF) return false;
  }
  return at === lines.length;
}

function invalid(message: string): ViaductError {
  return new ViaductError('HEADER_INVALID', message);
}
