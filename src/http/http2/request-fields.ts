import { BACKSLASH, COLON, PERCENT, QUESTION, TARGET } from '../http1/bytes.ts';
import { knownFieldName, learnFieldName } from '../http1/field-name.ts';
import { Framing } from '../http1/framing.ts';
import { METHODS_ALLOWED } from '../http1/request-head.ts';
import { Target } from '../http1/request-target.ts';
import type { HeaderList } from '../message.ts';
import { Refusal } from '../refusal.ts';
import type { HttpLimits } from '../transport/limits.ts';

const NO_TUNNEL = new Refusal(405, 'this server is no tunnel', METHODS_ALLOWED);
const NO_ECHO = new Refusal(405, 'this server does not echo requests', METHODS_ALLOWED);
const BAD_METHOD = new Refusal(400, 'the method is no token');
const BAD_SCHEME = new Refusal(400, 'the scheme is neither http nor https');
const BAD_TARGET = new Refusal(400, 'the target holds a character that no target may hold');
const BAD_FORM = new Refusal(400, 'the target is no path');
const TWO_HOSTS = new Refusal(400, 'Host is not what :authority says');
const FIELD_OF_CONNECTION = new Refusal(400, 'a field belongs to a connection of HTTP/1.1');
const TOO_LONG = new Refusal(414, 'the target is too long');
const METHOD_TOO_LONG = new Refusal(501, 'there is no method with so long a name');
const TOO_MANY = new Refusal(431, 'there are too many header lines');
const TOO_LARGE = new Refusal(431, 'the header lines are too long');

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What HTTP/1.1 writes around method and target, and around a name and its value: so that limits mean the same. */
const LINE_BYTES = ' '.length + ' HTTP/1.1'.length;
const FIELD_BYTES = ': '.length + '\r\n'.length;

/** Numbers heads, so that a field name can tell in which one it was seen last; downwards, because HTTP/1.1 counts upwards. */
let heads = 0;

/** Makes of a header section what HTTP/1.1 makes of a head (RFC 9113 section 8.3). One object is filled anew for each request. */
export class RequestFields {
  method = '';
  readonly target = new Target();
  readonly framing: Framing;
  /** `[name, value, …]` as received, without pseudo-header fields; with `host` and at most one `cookie`. */
  headers: HeaderList = [];
  headersRepeat = false;
  /** There is a Content-Length: without one the end of the stream tells how long the content was. */
  lengthKnown = false;
  readonly #limits: HttpLimits;
  #path = '';
  #scheme = '';
  #authority = '';

  constructor(limits: HttpLimits) {
    this.#limits = limits;
    this.framing = new Framing(limits);
  }

  /** Reads `raw`, the section as `[name, value, …]` in which the engine has checked characters and order. */
  read(raw: readonly string[]): Refusal | null {
    this.method = '';
    this.#path = '';
    this.#scheme = '';
    this.#authority = '';
    let at = 0;
    for (; at < raw.length && (raw[at] as string).charCodeAt(0) === COLON; at += 2) {
      this.#readPseudo(raw[at] as string, raw[at + 1] as string);
    }
    if (this.method === 'CONNECT') return NO_TUNNEL;
    return (
      this.#readTarget() ??
      this.#readFields(raw, at) ??
      this.framing.finish() ??
      (this.method === 'TRACE' ? NO_ECHO : null)
    );
  }

  #readPseudo(name: string, value: string): void {
    if (name === ':method') this.method = value;
    else if (name === ':path') this.#path = value;
    else if (name === ':scheme') this.#scheme = value;
    else if (name === ':authority') this.#authority = value;
  }

  #readTarget(): Refusal | null {
    const path = this.#path;
    const { requestLineBytesMax } = this.#limits;
    if (this.method.length > requestLineBytesMax) return METHOD_TOO_LONG;
    if (this.method.length + path.length + LINE_BYTES > requestLineBytesMax) return TOO_LONG;
    if (this.method !== 'GET' && !METHOD.test(this.method)) return BAD_METHOD;
    if (this.#scheme !== 'https' && this.#scheme !== 'http') return BAD_SCHEME;
    if (!path.startsWith('/') && path !== '*') return BAD_FORM;
    let queryMark = -1;
    let encoded = false;
    for (let at = 0; at < path.length; at += 1) {
      const code = path.charCodeAt(at);
      const kind = code < 256 ? TARGET[code] : 0;
      if (kind === 1) continue;
      if (code === QUESTION) {
        if (queryMark < 0) queryMark = at;
      } else if (code === PERCENT) {
        if (queryMark < 0) encoded = true;
      } else if (code !== BACKSLASH || queryMark < 0) return BAD_TARGET;
    }
    return this.target.read(path, 0, path.length, queryMark, encoded, this.method);
  }

  #readFields(raw: readonly string[], start: number): Refusal | null {
    const { framing } = this;
    const authority = this.#authority;
    const headers: string[] = authority === '' ? [] : ['host', authority];
    let cookieAt = -1;
    let bytes = 0;
    let refusal: Refusal | null = null;
    heads -= 1;
    framing.begin(1);
    this.headersRepeat = false;
    this.lengthKnown = false;
    if (authority !== '') refusal = framing.read('host', authority);
    for (let i = start; i < raw.length && refusal === null; i += 2) {
      const name = raw[i] as string;
      const value = raw[i + 1] as string;
      const { identity } = knownFieldName(name) ?? learnFieldName(name);
      bytes += name.length + value.length + FIELD_BYTES;
      if (name === 'cookie') {
        if (cookieAt >= 0) {
          headers[cookieAt] = `${headers[cookieAt]}; ${value}`;
          continue;
        }
        cookieAt = headers.length + 1;
      }
      if (identity.seenIn === heads) this.headersRepeat = true;
      identity.seenIn = heads;
      if (identity.kind === 'host' && authority !== '') {
        // A second one would be a second Host to whoever reads the list (RFC 9113 section 8.3.1).
        if (value.toLowerCase() !== authority.toLowerCase()) return TWO_HOSTS;
        continue;
      }
      headers.push(name, value);
      if (identity.kind !== 'other') refusal = this.#readKind(identity.kind, value);
    }
    if (refusal !== null) return refusal;
    if (headers.length > 2 * this.#limits.headerCountMax) return TOO_MANY;
    if (bytes > this.#limits.headerBytesMax) return TOO_LARGE;
    this.headers = headers;
    return null;
  }

  #readKind(kind: Parameters<Framing['read']>[0], value: string): Refusal | null {
    if (kind === 'transfer-encoding' || kind === 'connection' || kind === 'upgrade') return FIELD_OF_CONNECTION;
    if (kind === 'content-length') this.lengthKnown = true;
    return this.framing.read(kind, value);
  }
}
