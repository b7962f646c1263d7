import { isIP } from 'node:net';
import type { CgiParams } from '../../cgi/params.ts';
import type { CgiOrigin, Peer, Protocol } from '../../http/message.ts';
import { unmapped } from '../../http/peer.ts';
import { Refusal } from '../../http/refusal.ts';
import { percentDecode, percentEncode } from '../../wsgi/variables.ts';
import type { CgiProtocol } from '../address.ts';
import { ownVariables } from './own-variables.ts';

/** A request of a front-end proxy. */
export interface CgiRequest {
  /** The head of the request as a client of HTTP/1.0 would send it, in latin-1. */
  readonly head: string;
  readonly peer: Peer;
}

const BAD_VARIABLE = new Refusal(400, 'a variable contains a control character');
const BAD_NAME = new Refusal(400, 'the name of a variable is not a valid field name');
const BAD_METHOD = new Refusal(400, 'REQUEST_METHOD is not a valid method');
const BAD_LENGTH = new Refusal(400, 'CONTENT_LENGTH is not a decimal number');
const NO_LENGTH = new Refusal(411, 'the request has content, but no CONTENT_LENGTH');
const NO_PATH = new Refusal(400, 'no variable contains the path');
const BAD_SCRIPT_NAME = new Refusal(400, 'SCRIPT_NAME does not start with a slash');

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Variables that do not become fields. Most belong to the connection of the front-end proxy. Programs would read `Proxy` as a setting
 * (CVE-2016-5385). The last two also exist as variables without `HTTP_`.
 */
const NOT_FIELDS = new Set(
  [
    'CONNECTION',
    'KEEP_ALIVE',
    'PROXY_CONNECTION',
    'TE',
    'TRAILER',
    'TRANSFER_ENCODING',
    'UPGRADE',
    'EXPECT',
    'PROXY',
  ].concat(['CONTENT_LENGTH', 'CONTENT_TYPE']),
);

const PROTOCOLS: ReadonlySet<string> = new Set<Protocol>(['HTTP/1.0', 'HTTP/1.1', 'HTTP/2.0']);

/** The address of a client that the front-end proxy does not report: no client has this address (RFC 1122 section 3.2.1.3). */
const UNSPECIFIED = '0.0.0.0';

/**
 * Makes a request from the variables of CGI (RFC 3875 section 4.1). With a PATH_INFO, its path is SCRIPT_NAME followed by PATH_INFO.
 * Without one, as in nginx's variables for FastCGI and SCGI, the path is that of REQUEST_URI or DOCUMENT_URI, and `scriptName` is ''.
 * REQUEST_URI has the path as received, percent-encoded; it counts unless the front-end proxy has rewritten the path.
 */
export function readCgiRequest(variables: CgiParams, listener: number, protocol: CgiProtocol): CgiRequest | Refusal {
  for (const [name, value] of variables) {
    if (name.startsWith('HTTP_') && !TOKEN.test(name)) return BAD_NAME;
    if (/^(?:HTTP_|CONTENT_|REQUEST_|QUERY_)/.test(name) && hasControl(value)) return BAD_VARIABLE;
  }
  const method = variables.get('REQUEST_METHOD') ?? '';
  if (!TOKEN.test(method)) return BAD_METHOD;
  const length = variables.get('CONTENT_LENGTH') ?? '';
  if (!/^\d{0,15}$/.test(length)) return BAD_LENGTH;
  // Some front-end proxies stream chunks, such as Apache over FastCGI. Treated as a request without content, it would lose its content.
  if (length === '' && (variables.get('HTTP_TRANSFER_ENCODING') ?? '') !== '') return NO_LENGTH;
  const location = locationOf(variables);
  if (location instanceof Refusal) return location;
  let lines = '';
  for (const [name, value] of variables) {
    if (name.startsWith('HTTP_') && !NOT_FIELDS.has(name.slice(5)))
      lines += `${fieldName(name.slice(5))}: ${value}\r\n`;
  }
  const type = variables.get('CONTENT_TYPE') ?? '';
  if (type !== '') lines += `Content-Type: ${type}\r\n`;
  if (Number(length) > 0) lines += `Content-Length: ${Number(length)}\r\n`;
  const { target, scriptName } = location;
  return {
    head: `${method} ${target} HTTP/1.0\r\n${lines}\r\n`,
    peer: { ...peerOf(variables, listener), cgi: originOf(variables, protocol, scriptName) },
  };
}

interface RequestLocation {
  /** Path and query. */
  readonly target: string;
  /** Percent-encoded. */
  readonly scriptName: string;
}

function locationOf(variables: CgiParams): RequestLocation | Refusal {
  const uri = (variables.get('REQUEST_URI') ?? '').replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/, '');
  const mark = uri.indexOf('?');
  const received = mark < 0 ? uri : uri.slice(0, mark);
  const query = variables.get('QUERY_STRING') ?? (mark < 0 ? '' : uri.slice(mark + 1));
  const search = query === '' && mark !== uri.length - 1 ? '' : `?${query}`;
  const info = variables.get('PATH_INFO');
  if (info === undefined) {
    const path = received || percentEncode(variables.get('DOCUMENT_URI') ?? '');
    return path === '' ? NO_PATH : { target: path + search, scriptName: '' };
  }
  const script = (variables.get('SCRIPT_NAME') ?? '').replace(/\/+$/, '');
  if (script !== '' && !script.startsWith('/')) return BAD_SCRIPT_NAME;
  const path = script + info;
  if (percentDecode(received) !== path)
    return { target: (percentEncode(path) || '/') + search, scriptName: percentEncode(script) };
  return { target: (received || '/') + search, scriptName: prefixOf(received, script.length) };
}

/** The start of `encoded` that decodes to `length` characters. */
function prefixOf(encoded: string, length: number): string {
  let at = 0;
  for (let i = 0; i < length; i += 1) at += /^%[0-9A-Fa-f]{2}/.test(encoded.slice(at, at + 3)) ? 3 : 1;
  return encoded.slice(0, at);
}

function peerOf(variables: CgiParams, listener: number): Peer {
  const address = variables.get('REMOTE_ADDR') ?? '';
  const numeric = unmapped(address);
  const port = variables.get('SERVER_PORT') ?? '';
  return {
    remoteAddress: isIP(numeric) > 0 ? numeric : address === 'unix:' ? '' : UNSPECIFIED,
    remotePort: numberOf(variables.get('REMOTE_PORT')),
    listener,
    secure: isSecure(variables),
    serverPort: numberOf(port) > 0 ? port : '',
  };
}

function originOf(variables: CgiParams, spoken: CgiProtocol, scriptName: string): CgiOrigin {
  const version = variables.get('SERVER_PROTOCOL') ?? '';
  const protocol = PROTOCOLS.has(version) ? (version as Protocol) : 'HTTP/1.1';
  return { scriptName, protocol, ...ownVariables(variables, spoken) };
}

function isSecure(variables: CgiParams): boolean {
  const https = (variables.get('HTTPS') ?? '').toLowerCase();
  const scheme = variables.get('REQUEST_SCHEME') ?? variables.get('UWSGI_SCHEME');
  return https === 'on' || https === '1' || scheme === 'https';
}

function numberOf(text = ''): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number <= 65535 ? number : 0;
}

/** The field name for a variable: `X-Forwarded-For` for `X_FORWARDED_FOR`. */
function fieldName(name: string): string {
  return name.toLowerCase().replace(/(^|_)([a-z0-9])/g, (_, mark: string, letter: string) => {
    return `${mark === '' ? '' : '-'}${letter.toUpperCase()}`;
  });
}

function hasControl(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) {
    const code = value.charCodeAt(i);
    if (code < 0x20 ? code !== 0x09 : code === 0x7f) return true;
  }
  return false;
}
