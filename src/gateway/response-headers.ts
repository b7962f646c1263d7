import { ViaductError } from '../errors.ts';
import { encodeHeaders, type Response } from '../http/response.ts';
import type { Header } from './contract.ts';

/** A response's fields, checked and encoded: what `Response` is made of. */
export interface EncodedHeaders {
  readonly lines: string;
  readonly contentLength: number;
  readonly has: number;
}

/**
 * The headers of a response that comes from below, such as a Python application's. While nobody changes the list, its lines are still
 * those that it was read from, and need not be checked and written again.
 */
class ReadHeaders extends Array<Header> implements EncodedHeaders {
  declare lines: string;
  declare contentLength: number;
  declare has: number;
  /** Names and values as they were read. */
  declare original: readonly string[];

  /** What `map`, `filter` and the like return is an ordinary list. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** The fields of `response` as a list for `start_response`. */
export function readHeaders({ lines, contentLength, has }: Response): readonly Header[] {
  const headers = new ReadHeaders();
  const original: string[] = [];
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    const name = lines.substring(start, colon);
    const value = lines.substring(colon + 1, end).trim();
    headers.push([name, value]);
    original.push(name, value);
    start = end + 2;
  }
  headers.lines = lines;
  headers.contentLength = contentLength;
  headers.has = has;
  headers.original = original;
  return headers;
}

/**
 * Checks what an application passes to `start_response`.
 *
 * @throws ViaductError `HEADER_INVALID`, see `Response.fromHeaders`.
 */
export function encodeResponseHeaders(headers: readonly Header[]): EncodedHeaders {
  if (headers instanceof ReadHeaders && isUnchanged(headers)) return headers;
  if (!Array.isArray(headers)) throw invalid(`Cannot send headers: they must be an array, not ${typeof headers}`);
  const flat: string[] = [];
  for (const header of headers) {
    if (!Array.isArray(header) || header.length !== 2)
      throw invalid('Cannot send headers: each must be a pair of name and value');
    const [name, value] = header;
    if (typeof name !== 'string' || typeof value !== 'string')
      throw invalid(`Cannot send header ${JSON.stringify(header)}: name and value must be strings`);
    flat.push(name, value);
  }
  return encodeHeaders(flat);
}

function isUnchanged(headers: ReadHeaders): boolean {
  const { original } = headers;
  if (2 * headers.length !== original.length) return false;
  return headers.every(([name, value], i) => name === original[2 * i] && value === original[2 * i + 1]);
}

function invalid(message: string): ViaductError {
  return new ViaductError('HEADER_INVALID', message);
}
