import type { Protocol, Request } from '../http/message.ts';
import { decodedScriptName, pathInfo, requestUri } from '../wsgi/request-path.ts';
import { certificateVariables, environKey, joinRepeated, userVariable } from '../wsgi/variables.ts';
import { type MarshalWriter, Name } from './marshal.ts';

/**
 * Writes the first part of a request's variables, which differs from request to request: REQUEST_METHOD, PATH_INFO and,
 * if present, SCRIPT_NAME (both percent-decoded), QUERY_STRING, REQUEST_URI and RAW_URI (as received), CONTENT_LENGTH when
 * `contentLength` is not negative, and REMOTE_USER and AUTH_TYPE of a user whose password was verified. They win over the second part.
 *
 * The variables follow CGI (RFC 3875 section 4.1) and PEP 3333, whose strings hold bytes as latin-1. They are written
 * in two parts, as items of a dict. Variables that all requests of a listener share are already in the worker.
 */
export function writeTarget(writer: MarshalWriter, request: Request, contentLength: number): void {
  const { method, query } = request;
  writer.name(REQUEST_METHOD);
  if (method === 'GET') writer.name(GET);
  else writer.text(method);
  writer.name(PATH_INFO);
  writer.text(pathInfo(request));
  if (request.scriptName !== '') {
    writer.name(SCRIPT_NAME);
    writer.text(decodedScriptName(request));
  }
  writer.name(QUERY_STRING);
  writer.text(query);
  writer.name(REQUEST_URI);
  const received = writer.first(requestUri(request));
  writer.name(RAW_URI);
  writer.again(received);
  if (contentLength >= 0) {
    writer.name(CONTENT_LENGTH);
    writer.text(`${contentLength}`);
  }
  if (request.user !== undefined) {
    writer.name(REMOTE_USER);
    writer.text(userVariable(request.user));
    writer.name(AUTH_TYPE);
    writer.name(BASIC);
  }
}

/**
 * Writes the second part, which recurs with the connection's field section: SERVER_PROTOCOL, REMOTE_ADDR, REMOTE_PORT,
 * wsgi.url_scheme for https, SERVER_PORT where it differs from the listener's, SSL_CLIENT_* for a client with a certificate,
 * what a front-end proxy adds over a CGI protocol,
 * CONTENT_TYPE, CONTENT_LENGTH when the client sent 0, and HTTP_*.
 */
export function writeSection(writer: MarshalWriter, request: Request): void {
  const { peer } = request;
  writer.name(SERVER_PROTOCOL);
  writer.name(PROTOCOLS[request.protocol]);
  writer.name(REMOTE_ADDR);
  writer.text(peer.remoteAddress);
  writer.name(REMOTE_PORT);
  writer.text(`${peer.remotePort}`);
  if (peer.secure) {
    writer.name(URL_SCHEME);
    writer.name(HTTPS);
  }
  if (peer.serverPort !== '') {
    writer.name(SERVER_PORT);
    writer.text(peer.serverPort);
  }
  if (peer.clientCertificate !== undefined) {
    for (const [name, value] of Object.entries(certificateVariables(peer.clientCertificate))) {
      writer.text(name);
      writer.text(value);
    }
  }
  if (peer.cgi !== undefined) {
    for (const text of peer.cgi.variables) writer.text(text);
    for (const text of peer.cgi.user) writer.text(text);
  }
  const headers = request.headersRepeat ? joinRepeated(request.headers) : request.headers;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    let key = keys.get(name);
    if (key === undefined) key = cacheKey(name);
    if (key === null) continue;
    if (key === CONTENT_LENGTH) {
      if (request.body !== null) continue;
      writer.name(key); // the client announced empty content
      writer.text('0');
      continue;
    }
    writer.name(key);
    writer.text(key === HTTP_HOST ? request.host : (headers[i + 1] as string));
  }
}

const REQUEST_METHOD = new Name('REQUEST_METHOD');
const GET = new Name('GET');
const PATH_INFO = new Name('PATH_INFO');
const SCRIPT_NAME = new Name('SCRIPT_NAME');
const QUERY_STRING = new Name('QUERY_STRING');
const REQUEST_URI = new Name('REQUEST_URI');
const RAW_URI = new Name('RAW_URI');
const REMOTE_USER = new Name('REMOTE_USER');
const AUTH_TYPE = new Name('AUTH_TYPE');
const BASIC = new Name('Basic');
const SERVER_PROTOCOL = new Name('SERVER_PROTOCOL');
const PROTOCOLS: Readonly<Record<Protocol, Name>> = {
  'HTTP/1.0': new Name('HTTP/1.0'),
  'HTTP/1.1': new Name('HTTP/1.1'),
  'HTTP/2.0': new Name('HTTP/2.0'),
};
const URL_SCHEME = new Name('wsgi.url_scheme');
const HTTPS = new Name('https');
const SERVER_PORT = new Name('SERVER_PORT');
const REMOTE_ADDR = new Name('REMOTE_ADDR');
const REMOTE_PORT = new Name('REMOTE_PORT');
const CONTENT_LENGTH = new Name('CONTENT_LENGTH');
const HTTP_HOST = new Name('HTTP_HOST');

/** Keys with special values; `writeSection` compares them by identity. */
const SPECIAL_KEYS = new Map([
  ['CONTENT_LENGTH', CONTENT_LENGTH],
  ['HTTP_HOST', HTTP_HOST],
]);

/** Keys of received header names; null for a header that is hidden from Python. The size is limited. */
const keys = new Map<string, Name | null>();
const KEYS_MAX = 2048;
function cacheKey(name: string): Name | null {
  const text = environKey(name);
  const key = text === null ? null : (SPECIAL_KEYS.get(text) ?? new Name(text));
  if (keys.size >= KEYS_MAX) keys.clear();
  keys.set(name, key);
  return key;
}
