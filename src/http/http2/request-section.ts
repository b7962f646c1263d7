import { randomBytes } from 'node:crypto';
import type { HeaderList } from '../message.ts';
import { Refusal } from '../refusal.ts';
import { BACKSLASH, COLON, GREATER, LESS, PERCENT, QUESTION, TARGET } from '../semantics/bytes.ts';
import { knownFieldName, learnFieldName } from '../semantics/field-name.ts';
import { Framing } from '../semantics/framing.ts';
import { METHODS_ALLOWED } from '../semantics/methods.ts';
import { RequestTarget } from '../semantics/request-target.ts';
import type { HttpLimits } from '../transport/limits.ts';
import type { HeaderField } from './hpack/header-field.ts';
import { recurrenceOf } from './hpack/outgoing-field.ts';
import { NO_PRIORITY, type Priority, parsePriority } from './priority.ts';

const NO_TUNNEL = new Refusal(405, 'this server does not open tunnels', METHODS_ALLOWED);
const NO_ECHO = new Refusal(405, 'this server does not echo requests', METHODS_ALLOWED);
const BAD_METHOD = new Refusal(400, 'the method is not a token');
const BAD_SCHEME = new Refusal(400, 'the scheme is neither http nor https');
const BAD_TARGET = new Refusal(400, 'the target contains an invalid character');
const BAD_FORM = new Refusal(400, 'the target is not a path');
const TWO_HOSTS = new Refusal(400, 'Host and :authority differ');
const UNKNOWN_PROTOCOL = new Refusal(501, 'this server does not speak the protocol of an extended CONNECT');
const TOO_LONG = new Refusal(414, 'the target is too long');
const METHOD_TOO_LONG = new Refusal(501, 'the method is too long');
const TOO_MANY = new Refusal(431, 'there are too many header lines');
const TOO_LARGE = new Refusal(431, 'the header lines are too long');

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** The bytes that HTTP/1.1 adds to method and target, and to a name and its value. With them the limits mean the same here. */
const LINE_BYTES = ' '.length + ' HTTP/1.1'.length;
const FIELD_BYTES = ': '.length + '\r\n'.length;

/** RFC 6455 section 4.1. */
const WEBSOCKET_KEY_BYTES = 16;

/** Pseudo-header fields as bits (RFC 9113 section 8.3.1, RFC 8441 section 4). */
const HAS_METHOD = 1;
const HAS_SCHEME = 2;
const HAS_PATH = 4;
const HAS_AUTHORITY = 8;
const HAS_PROTOCOL = 16;

/** The number of the last head: a field name remembers the last head that contained it. It counts down, because HTTP/1.1 counts up. */
let heads = 0;

/** What the header section of a request says. It never changes, so requests with the same section share it. */
export class RequestSection {
  method = '';
  path = '';
  query = '';
  received = '';
  /** `:authority`, else the value of Host. */
  host = '';
  /** `[name, value, …]` as received, without pseudo-header fields; with `host` and at most one `cookie`. */
  headers: HeaderList = [];
  headersRepeat = false;
  /** See `Request.neverIndexed`. */
  neverIndexed: ReadonlySet<string> | null = null;
  /** -1 without a Content-Length. */
  contentLength = -1;
  expectsContinue = false;
  priority: Priority = NO_PRIORITY;
  /** Whether the request asks for a WebSocket (RFC 8441). */
  isWebSocket = false;
  /** Why the request is malformed (RFC 9113 section 8.1.1): its stream is reset. '' for a well-formed request. */
  malformed = '';
  /** Why the request gets an error as its response. */
  refusal: Refusal | null = null;
}

/** Reads header sections as HTTP/1.1 reads heads (RFC 9113 section 8.3). The same object is used again for each request. */
export class RequestSectionReader {
  readonly #limits: HttpLimits;
  readonly #framing: Framing;
  readonly #target = new RequestTarget();
  #has = 0;
  #hasNeverIndexed = false;
  #method = '';
  #path = '';
  #scheme = '';
  #authority = '';
  #protocol = '';

  constructor(limits: HttpLimits) {
    this.#limits = limits;
    this.#framing = new Framing(limits);
  }

  /** Reads a section. `isCut` says that it had more fields or bytes than `fields` has. */
  read(fields: readonly HeaderField[], isCut: boolean): RequestSection {
    const section = new RequestSection();
    section.malformed = this.#readPseudo(fields) || this.#checkPseudo();
    if (section.malformed !== '') return section;
    if (this.#hasNeverIndexed) section.neverIndexed = neverIndexedNames(fields);
    section.refusal = this.#readAll(section, fields, isCut);
    return section;
  }

  /** Returns what is malformed, else ''. Pseudo-header fields come first, and each once. */
  #readPseudo(fields: readonly HeaderField[]): string {
    this.#has = 0;
    this.#hasNeverIndexed = false;
    this.#method = '';
    this.#path = '';
    this.#scheme = '';
    this.#authority = '';
    this.#protocol = '';
    let isFirst = true;
    for (let i = 0; i < fields.length; i += 1) {
      const { name, value, fault, neverIndexed } = fields[i] as HeaderField;
      if (fault !== '') return fault;
      if (neverIndexed) this.#hasNeverIndexed = true;
      if (name.charCodeAt(0) !== COLON) {
        isFirst = false;
        continue;
      }
      if (!isFirst) return 'a pseudo-header field comes after other fields';
      let bit = 0;
      if (name === ':method') {
        bit = HAS_METHOD;
        this.#method = value;
      } else if (name === ':path') {
        bit = HAS_PATH;
        this.#path = value;
      } else if (name === ':scheme') {
        bit = HAS_SCHEME;
        this.#scheme = value;
      } else if (name === ':authority') {
        bit = HAS_AUTHORITY;
        this.#authority = value;
      } else if (name === ':protocol') {
        bit = HAS_PROTOCOL;
        this.#protocol = value;
      }
      if (bit === 0) return 'there is an unknown pseudo-header field';
      if ((this.#has & bit) !== 0) return 'a pseudo-header field comes twice';
      this.#has |= bit;
    }
    return '';
  }

  #checkPseudo(): string {
    const has = this.#has;
    if ((has & HAS_METHOD) === 0) return ':method is missing';
    if (this.#method === 'CONNECT' && (has & HAS_PROTOCOL) === 0) {
      if ((has & (HAS_SCHEME | HAS_PATH)) !== 0) return 'CONNECT has a :scheme or a :path';
      return (has & HAS_AUTHORITY) === 0 ? ':authority is missing' : '';
    }
    if ((has & HAS_SCHEME) === 0) return ':scheme is missing';
    if ((has & HAS_PATH) === 0 || this.#path === '') return ':path is missing';
    if ((has & HAS_PROTOCOL) === 0) return '';
    if (this.#method !== 'CONNECT') return 'only CONNECT may have :protocol';
    return (has & HAS_AUTHORITY) === 0 ? ':authority is missing' : '';
  }

  #readAll(section: RequestSection, fields: readonly HeaderField[], isCut: boolean): Refusal | null {
    section.method = this.#method;
    if ((this.#has & HAS_PROTOCOL) !== 0) {
      if (this.#protocol !== 'websocket') return UNKNOWN_PROTOCOL;
      section.isWebSocket = true;
      section.method = 'GET';
    } else if (this.#method === 'CONNECT') return NO_TUNNEL;
    if (isCut) return TOO_LARGE;
    const refusal = this.#readTarget(section) ?? this.#readFields(section, fields);
    if (refusal !== null || section.malformed !== '') return refusal;
    return this.#framing.finish() ?? (section.method === 'TRACE' ? NO_ECHO : null);
  }

  #readTarget(section: RequestSection): Refusal | null {
    const path = this.#path;
    const { method } = section;
    const { requestLineBytesMax } = this.#limits;
    if (method.length > requestLineBytesMax) return METHOD_TOO_LONG;
    if (method.length + path.length + LINE_BYTES > requestLineBytesMax) return TOO_LONG;
    if (method !== 'GET' && !METHOD.test(method)) return BAD_METHOD;
    if (this.#scheme !== 'https' && this.#scheme !== 'http') return BAD_SCHEME;
    if (!path.startsWith('/') && path !== '*') return BAD_FORM;
    let queryMark = -1;
    let encoded = false;
    let angled = false;
    for (let at = 0; at < path.length; at += 1) {
      const code = path.charCodeAt(at);
      const kind = code < 256 ? TARGET[code] : 0;
      if (kind === 1) continue;
      if (code === QUESTION) {
        if (queryMark < 0) queryMark = at;
      } else if (code === PERCENT) {
        if (queryMark < 0) encoded = true;
      } else if (code === LESS || code === GREATER) angled = true;
      else if (code !== BACKSLASH || queryMark < 0) return BAD_TARGET;
    }
    const target = this.#target;
    const refusal = target.read(path, 0, { targetEnd: path.length, queryMark, encoded, angled }, method);
    section.path = target.path;
    section.query = target.query;
    section.received = target.received;
    return refusal;
  }

  #readFields(section: RequestSection, fields: readonly HeaderField[]): Refusal | null {
    const framing = this.#framing;
    const authority = this.#authority;
    const headers: string[] = authority === '' ? [] : ['host', authority];
    let cookieAt = -1;
    let priority = '';
    let bytes = 0;
    heads -= 1;
    framing.reset(1);
    let refusal = authority === '' ? null : framing.read('host', authority);
    for (let i = 0; i < fields.length && refusal === null; i += 1) {
      const { name, value } = fields[i] as HeaderField;
      if (name.charCodeAt(0) === COLON) continue;
      const { identity } = knownFieldName(name) ?? learnFieldName(name);
      bytes += name.length + value.length + FIELD_BYTES;
      if (name === 'cookie') {
        if (cookieAt >= 0) {
          headers[cookieAt] = `${headers[cookieAt]}; ${value}`;
          continue;
        }
        cookieAt = headers.length + 1;
      }
      if (identity.seenIn === heads) section.headersRepeat = true;
      identity.seenIn = heads;
      if (identity.kind === 'host' && authority !== '') {
        // The list already has `host` from :authority, so a second one is left out (RFC 9113 section 8.3.1).
        if (value.toLowerCase() !== authority.toLowerCase()) refusal = TWO_HOSTS;
        continue;
      }
      headers.push(name, value);
      if (CONNECTION_FIELDS.has(name)) section.malformed = FIELD_OF_CONNECTION;
      else if (identity.kind !== 'other') refusal = this.#readKind(section, identity.kind, value);
      else if (name === 'te' && value.toLowerCase() !== 'trailers') section.malformed = FIELD_OF_CONNECTION;
      else if (name === 'priority') priority = priority === '' ? value : `${priority},${value}`; // one list (RFC 9110 section 5.3)
    }
    if (priority !== '') section.priority = parsePriority(priority);
    if (refusal !== null) return refusal;
    if (headers.length > 2 * this.#limits.headerCountMax) return TOO_MANY;
    if (bytes > this.#limits.headerBytesMax) return TOO_LARGE;
    // A handler sees the request for a WebSocket of HTTP/1.1 (RFC 8441 section 5.1 leaves out these fields).
    if (section.isWebSocket) {
      headers.push('connection', 'Upgrade', 'upgrade', 'websocket');
      headers.push('sec-websocket-key', randomBytes(WEBSOCKET_KEY_BYTES).toString('base64'));
    }
    section.headers = headers;
    section.host = framing.host;
    section.expectsContinue = framing.expectsContinue;
    return null;
  }

  #readKind(section: RequestSection, kind: Parameters<Framing['read']>[0], value: string): Refusal | null {
    const refusal = this.#framing.read(kind, value);
    if (kind === 'content-length' && refusal === null) section.contentLength = this.#framing.contentLength;
    return refusal;
  }
}

/** The names of fields that came as never indexed, without those that always leave so; null if none is left. */
function neverIndexedNames(fields: readonly HeaderField[]): ReadonlySet<string> | null {
  const names = new Set<string>();
  for (const { name, neverIndexed } of fields) {
    if (!neverIndexed || recurrenceOf(name) === 'secret') continue;
    names.add(name === 'host' ? ':authority' : name);
  }
  return names.size === 0 ? null : names;
}

const FIELD_OF_CONNECTION = 'a field belongs to a connection of HTTP/1.1';
/** Fields that no message of HTTP/2 has (RFC 9113 section 8.2.2). */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
