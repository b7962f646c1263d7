import type { HeaderList, Peer, Request, RequestBody } from './message.ts';
import type { RequestHeadParser } from './request-head.ts';

/** A request whose framing is decided. The connection completes it with its body. */
export class IncomingRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly minorVersion: 0 | 1;
  readonly headers: HeaderList;
  readonly headersRepeat: boolean;
  readonly host: string;
  readonly peer: Peer;
  /** Bytes of content announced; -1 for a chunked body; 0 for none. */
  readonly contentLength: number;
  /** Whether the client lets the connection live on. */
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly wantsUpgrade: boolean;
  body: RequestBody | null = null;
  gone = false;
  onGone: (() => void) | null = null;

  constructor(head: RequestHeadParser, framing: Framing, target: Target, peer: Peer) {
    this.method = head.method;
    this.path = target.path;
    this.query = target.query;
    this.minorVersion = head.minorVersion;
    this.headers = head.headers;
    this.headersRepeat = head.repeats;
    this.host = target.authority === '' ? framing.host : target.authority;
    this.peer = peer;
    this.contentLength = framing.contentLength;
    this.keepAlive = framing.keepAlive && !framing.closes;
    this.expectsContinue = framing.expectsContinue;
    this.wantsUpgrade = framing.wantsUpgrade;
  }
}

/**
 * Makes a request of a parsed head, or returns the status that refuses it: 400 for a wrong Host, length, transfer coding or
 * target, 405 for CONNECT and TRACE, 413 for a body over `bodyBytesMax`, 417 for an unknown expectation, 501 for a transfer
 * coding other than chunked.
 */
export function acceptHead(head: RequestHeadParser, peer: Peer, bodyBytesMax: number): IncomingRequest | number {
  const status = readFraming(head);
  if (status !== 0) return status;
  const { method } = head;
  // CONNECT asks for a tunnel and TRACE for an echo of the request's credentials; a server of applications has neither.
  if (method === 'CONNECT' || method === 'TRACE') return 405;
  const target = readTarget(head.target, method);
  if (target === null) return 400;
  if (framing.contentLength > bodyBytesMax) return 413;
  return new IncomingRequest(head, framing, target, peer);
}

interface Framing {
  host: string;
  contentLength: number;
  keepAlive: boolean;
  closes: boolean;
  expectsContinue: boolean;
  wantsUpgrade: boolean;
}

interface Target {
  path: string;
  query: string;
  authority: string;
}

/** Read anew for each head and copied from at once: a request costs one object, not three. */
const framing: Framing = {
  host: '',
  contentLength: 0,
  keepAlive: true,
  closes: false,
  expectsContinue: false,
  wantsUpgrade: false,
};
const target: Target = { path: '', query: '', authority: '' };

/** Reads the fields that decide on framing into `framing`; returns 0 or the status of a refusal. */
function readFraming(head: RequestHeadParser): number {
  const { headers, names, minorVersion } = head;
  let hosts = 0;
  let lengths = 0;
  let codings: string | null = null;
  let types = 0;
  framing.host = '';
  framing.contentLength = 0;
  framing.keepAlive = minorVersion === 1;
  framing.closes = false;
  framing.expectsContinue = false;
  framing.wantsUpgrade = false;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] as (typeof names)[number];
    if (name.kind === 'other') continue;
    const value = headers[2 * i + 1] as string;
    switch (name.kind) {
      case 'host':
        hosts += 1;
        framing.host = value;
        break;
      case 'content-length':
        lengths += 1;
        // One number of digits (RFC 9112 section 6.3); lists and repetitions are refused even when they agree.
        if (!/^\d{1,15}$/.test(value)) return 400;
        framing.contentLength = Number(value);
        break;
      case 'transfer-encoding':
        codings = codings === null ? value : `${codings},${value}`;
        break;
      case 'content-type':
        types += 1;
        break;
      case 'connection':
        readConnection(value);
        break;
      case 'expect':
        if (minorVersion === 0) break; // RFC 9110 section 10.1.1: ignored
        if (value.toLowerCase() !== '100-continue') return 417;
        framing.expectsContinue = true;
        break;
    }
  }
  if (hosts > 1 || (hosts === 0 && minorVersion === 1) || (hosts === 1 && !validHost(framing.host))) return 400;
  // RFC 9110 section 5.3: a field that is no list stands once; programs differ in which of two types they believe.
  if (lengths > 1 || types > 1) return 400;
  if (codings === null) return 0;
  if (lengths > 0 || minorVersion === 0) return 400;
  framing.contentLength = -1;
  return transferCoding(codings);
}

/** RFC 9112 section 6.1: chunked comes last and once. Nothing else is implemented; what is no list of tokens is no coding at all. */
function transferCoding(value: string): number {
  const codings = value.toLowerCase().split(/[\t ]*,[\t ]*/);
  if (codings.length === 1 && codings[0] === 'chunked') return 0;
  const wellFormed = codings.every((coding) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(coding));
  return wellFormed && codings.indexOf('chunked') === codings.length - 1 ? 501 : 400;
}

/** RFC 9112 section 9.3: close wins; HTTP/1.0 needs keep-alive. */
function readConnection(value: string): void {
  if (value === 'keep-alive') {
    framing.keepAlive = true;
    return;
  }
  for (const option of value.toLowerCase().split(',')) {
    const token = option.trim();
    if (token === 'close') framing.closes = true;
    else if (token === 'keep-alive') framing.keepAlive = true;
    else if (token === 'upgrade') framing.wantsUpgrade = true;
  }
}

/** Reads the forms of RFC 9112 section 3.2 into `target`; null for anything else. */
function readTarget(text: string, method: string): Target | null {
  target.authority = '';
  let rest = text;
  if (text.charCodeAt(0) !== SLASH) {
    if (text === '*') {
      if (method !== 'OPTIONS') return null;
      target.path = '*';
      target.query = '';
      return target;
    }
    const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(text);
    if (absolute === null || absolute[1] === '' || !validHost(absolute[1] as string)) return null;
    target.authority = absolute[1] as string;
    rest = absolute[2] as string;
    if (rest.charCodeAt(0) !== SLASH) rest = `/${rest}`;
  }
  const query = rest.indexOf('?');
  target.path = query < 0 ? rest : rest.slice(0, query);
  if (target.path.includes('%') && BAD_ESCAPE.test(target.path)) return null;
  target.query = query < 0 ? '' : rest.slice(query + 1);
  return target;
}

const SLASH = 47;

/** A percent sign that escapes nothing (RFC 3986 section 2.1), or NUL, which cuts paths short in careless programs. */
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})|%00/;

/**
 * uri-host with an optional port (RFC 9110 section 7.2): a registered name or IPv4 address, or an IP literal in brackets. It is
 * never empty (RFC 9110 section 4.2.1), and an escaped name is no name that anybody has.
 */
const HOST =
  /^(?:[A-Za-z0-9._~!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\]|\[v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+\])(?::(\d{0,5}))?$/;

const hostsKnown = new Set<string>();
const HOSTS_MAX = 256;

function validHost(host: string): boolean {
  if (hostsKnown.has(host)) return true;
  const match = HOST.exec(host);
  if (match === null || Number(match[1] ?? 0) > 65535) return false;
  if (hostsKnown.size < HOSTS_MAX && host.length < 256) hostsKnown.add(host);
  return true;
}
