import type { HeaderList, Request } from '../http/message.ts';
import { MARSHAL_DICT, MARSHAL_DICT_END, marshalText } from './marshal.ts';

/**
 * The variables of one request as a marshalled dict: CGI's (RFC 3875 section 4.1) under PEP 3333, whose strings hold bytes as
 * latin-1. Keys: REQUEST_METHOD, PATH_INFO (percent-decoded), QUERY_STRING, REQUEST_URI (both as received), SERVER_PROTOCOL,
 * REMOTE_ADDR, REMOTE_PORT, CONTENT_TYPE, CONTENT_LENGTH when `contentLength` is not negative, and HTTP_*. What all requests
 * of a listener share is in the worker already.
 *
 * Header names with an underscore are left out, because `X_Real_IP` and `X-Real-IP` become the same key, and so is `Proxy`,
 * whose key programs take for the setting of an outgoing proxy (CVE-2016-5385).
 */
export function marshalEnviron(request: Request, contentLength: number): string {
  const { path, query, peer } = request;
  let text =
    REQUEST_METHOD +
    marshalText(request.method) +
    PATH_INFO +
    marshalText(path.includes('%') ? percentDecode(path) : path === '*' ? '' : path) +
    QUERY_STRING +
    marshalText(query) +
    REQUEST_URI +
    marshalText(query === '' ? path : `${path}?${query}`) +
    SERVER_PROTOCOL +
    (request.minorVersion === 1 ? HTTP_1_1 : HTTP_1_0) +
    REMOTE_ADDR +
    marshalText(peer.remoteAddress) +
    REMOTE_PORT +
    marshalText(`${peer.remotePort}`);
  if (contentLength >= 0) text += CONTENT_LENGTH + marshalText(`${contentLength}`);
  const headers = request.headersRepeat ? joinRepeated(request.headers) : request.headers;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const key = keys.get(name) ?? learnKey(name);
    if (key === HTTP_HOST) text += key + marshalText(request.host);
    else if (key !== '') text += key + marshalText(headers[i + 1] as string);
  }
  return text + MARSHAL_DICT_END;
}

const REQUEST_METHOD = MARSHAL_DICT + marshalText('REQUEST_METHOD');
const PATH_INFO = marshalText('PATH_INFO');
const QUERY_STRING = marshalText('QUERY_STRING');
const REQUEST_URI = marshalText('REQUEST_URI');
const SERVER_PROTOCOL = marshalText('SERVER_PROTOCOL');
const HTTP_1_1 = marshalText('HTTP/1.1');
const HTTP_1_0 = marshalText('HTTP/1.0');
const REMOTE_ADDR = marshalText('REMOTE_ADDR');
const REMOTE_PORT = marshalText('REMOTE_PORT');
const CONTENT_LENGTH = marshalText('CONTENT_LENGTH');
const HTTP_HOST = marshalText('HTTP_HOST');

/** Marshalled keys of header names as received; '' for a header that Python must not see. Bounded. */
const keys = new Map<string, string>();
const KEYS_MAX = 2048;

/** The body arrives decoded and complete, so its framing is the front's; CONTENT_LENGTH is set from what was received. */
const NOT_PASSED_ON = new Set(['content-length', 'transfer-encoding', 'proxy']);

function learnKey(name: string): string {
  const key = environKey(name);
  const marshalled = key === null ? '' : marshalText(key);
  if (keys.size < KEYS_MAX) keys.set(name, marshalled);
  return marshalled;
}

/** The environ key of a header name, or null for a header that Python must not see. */
export function environKey(name: string): string | null {
  if (name.includes('_') || NOT_PASSED_ON.has(name.toLowerCase())) return null;
  const key = name.toUpperCase().replaceAll('-', '_');
  return key === 'CONTENT_TYPE' ? key : `HTTP_${key}`;
}

/** One field per key: repeated values are joined by a comma (RFC 9110 section 5.3), cookies by a semicolon (RFC 6265). */
function joinRepeated(headers: HeaderList): HeaderList {
  const values = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    const before = values.get(name);
    const separator = name === 'cookie' ? '; ' : ',';
    values.set(name, before === undefined ? value : before + separator + value);
  }
  return [...values].flat();
}

/** Bytes behind `%XX` as latin-1 characters. A `%` that begins no such sequence stays as it is. */
function percentDecode(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
