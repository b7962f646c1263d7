import { isIP } from 'node:net';
import type { Variables } from '../../cgi/params.ts';
import type { Peer, Protocol } from '../../http/message.ts';
import { unmapped } from '../../http/peer.ts';
import { Refusal } from '../../http/refusal.ts';
import { percentDecode, percentEncode } from '../../wsgi/variables.ts';

/** What a front told of a request. */
export interface ToldRequest {
  /** The request as a client of HTTP/1.0 would send it, as latin-1, up to its content. */
  readonly head: string;
  readonly peer: Peer;
}

const BAD_VARIABLE = new Refusal(400, 'a variable holds a control character');
const BAD_NAME = new Refusal(400, 'a variable has the name of no field');
const BAD_METHOD = new Refusal(400, 'REQUEST_METHOD is no method');
const BAD_LENGTH = new Refusal(400, 'CONTENT_LENGTH is not a decimal number');
const NO_LENGTH = new Refusal(411, 'content comes without CONTENT_LENGTH');
const NO_PATH = new Refusal(400, 'no variable tells the path');
const BAD_SCRIPT_NAME = new Refusal(400, 'SCRIPT_NAME does not begin with a slash');

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Fields of a connection, which is the front's; `Proxy` would become a setting (CVE-2016-5385), the last two have variables of their own. */
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

/** The address of a client that the front does not tell: one that nobody has (RFC 1122 section 3.2.1.3). */
const UNSPECIFIED = '0.0.0.0';

/**
 * Makes a request of CGI's variables (RFC 3875 section 4.1). Its path is SCRIPT_NAME and PATH_INFO where there is a PATH_INFO; without one, as in the variables
 * that nginx has for FastCGI and SCGI, it is that of REQUEST_URI or DOCUMENT_URI, and there is no SCRIPT_NAME. As it was received, percent-encoded, it stands in REQUEST_URI,
 * unless the front has rewritten it.
 */
export function toldRequest(variables: Variables, listener: number): ToldRequest | Refusal {
  for (const [name, value] of variables) {
    if (name.startsWith('HTTP_') && !TOKEN.test(name)) return BAD_NAME;
    if (/^(?:HTTP_|CONTENT_|REQUEST_|QUERY_)/.test(name) && hasControl(value)) return BAD_VARIABLE;
  }
  const method = variables.get('REQUEST_METHOD') ?? '';
  if (!TOKEN.test(method)) return BAD_METHOD;
  const length = variables.get('CONTENT_LENGTH') ?? '';
  if (!/^\d{0,15}$/.test(length)) return BAD_LENGTH;
  // A front that streams chunks, such as Apache over FastCGI. Taken for a request without content it would lose all of it.
  if (length === '' && (variables.get('HTTP_TRANSFER_ENCODING') ?? '') !== '') return NO_LENGTH;
  const place = placeOf(variables);
  if (place instanceof Refusal) return place;
  let lines = '';
  for (const [name, value] of variables) {
    if (name.startsWith('HTTP_') && !NOT_FIELDS.has(name.slice(5)))
      lines += `${fieldName(name.slice(5))}: ${value}\r\n`;
  }
  const type = variables.get('CONTENT_TYPE') ?? '';
  if (type !== '') lines += `Content-Type: ${type}\r\n`;
  if (Number(length) > 0) lines += `Content-Length: ${Number(length)}\r\n`;
  const { target, scriptName } = place;
  return { head: `${method} ${target} HTTP/1.0\r\n${lines}\r\n`, peer: peerOf(variables, listener, scriptName) };
}

interface Place {
  /** Path and query. */
  readonly target: string;
  /** Percent-encoded. */
  readonly scriptName: string;
}

function placeOf(variables: Variables): Place | Refusal {
  const uri = (variables.get('REQUEST_URI') ?? '').replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/, '');
  const mark = uri.indexOf('?');
  const received = mark < 0 ? uri : uri.slice(0, mark);
  const query = variables.get('QUERY_STRING') ?? (mark < 0 ? '' : uri.slice(mark + 1));
  const search = query === '' ? '' : `?${query}`;
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

/** The beginning of `encoded` that decodes to so many characters. */
function prefixOf(encoded: string, length: number): string {
  let at = 0;
  for (let i = 0; i < length; i += 1) at += /^%[0-9A-Fa-f]{2}/.test(encoded.slice(at, at + 3)) ? 3 : 1;
  return encoded.slice(0, at);
}

function peerOf(variables: Variables, listener: number, scriptName: string): Peer {
  const address = variables.get('REMOTE_ADDR') ?? '';
  const numeric = unmapped(address);
  const port = variables.get('SERVER_PORT') ?? '';
  const protocol = variables.get('SERVER_PROTOCOL') ?? '';
  return {
    remoteAddress: isIP(numeric) > 0 ? numeric : address === 'unix:' ? '' : UNSPECIFIED,
    remotePort: numberOf(variables.get('REMOTE_PORT')),
    listener,
    secure: isSecure(variables),
    serverPort: numberOf(port) > 0 ? port : '',
    told: { scriptName, protocol: PROTOCOLS.has(protocol) ? (protocol as Protocol) : 'HTTP/1.1' },
  };
}

function isSecure(variables: Variables): boolean {
  const https = (variables.get('HTTPS') ?? '').toLowerCase();
  const scheme = variables.get('REQUEST_SCHEME') ?? variables.get('UWSGI_SCHEME');
  return https === 'on' || https === '1' || scheme === 'https';
}

function numberOf(text = ''): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number <= 65535 ? number : 0;
}

/** `X_FORWARDED_FOR` as it is usually written. */
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
