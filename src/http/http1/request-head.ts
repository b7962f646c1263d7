import type { HeaderList } from '../message.ts';
import { Refusal } from '../refusal.ts';
import { type FieldName, knownFieldName, learnFieldName, nameGeneration } from '../semantics/field-name.ts';
import { Framing } from '../semantics/framing.ts';
import type { HeaderCache } from '../semantics/header-cache.ts';
import { METHODS_ALLOWED } from '../semantics/methods.ts';
import { withoutNominated } from '../semantics/nominated-fields.ts';
import { RequestTarget } from '../semantics/request-target.ts';
import type { HttpLimits } from '../transport/limits.ts';
import { FieldSection, type Progress } from './field-section.ts';
import { RequestLine } from './request-line.ts';

/** CONNECT asks for a tunnel; TRACE asks for the client's own head, with its cookies. This server offers neither. */
const NO_TUNNEL = new Refusal(405, 'this server does not open tunnels', METHODS_ALLOWED);
const NO_ECHO = new Refusal(405, 'this server does not echo requests', METHODS_ALLOWED);

/** The number of the last head: a field name remembers the last head that contained it. */
let heads = 0;

/**
 * Reads one request head at a time. `scan` checks the bytes as they arrive and notes the positions of the parts. `interpret` makes
 * strings of the parts when the head is complete. A connection needs this object only while a head arrives, so connections borrow it.
 */
export class RequestHead {
  method = '';
  readonly target = new RequestTarget();
  readonly framing: Framing;
  /** `[name, value, …]` as received. */
  headers: HeaderList = [];
  headersRepeat = false;
  /** See `Request.headerCacheId`. */
  headerCacheId = 0;
  readonly #line: RequestLine;
  readonly #fields: FieldSection;
  #part: 'line' | 'fields' | 'cached' = 'line';
  #headerCache: HeaderCache | null = null;
  /** The names of the last head, in order: the next head probably has the same ones, and comparing is cheaper than looking up. */
  readonly #expected: FieldName[] = [];
  #expectedGeneration = 0;

  constructor(limits: HttpLimits) {
    this.#line = new RequestLine(limits);
    this.#fields = new FieldSection(limits, limits.headerBytesMax);
    this.framing = new Framing(limits);
  }

  get minorVersion(): 0 | 1 {
    return this.#line.minorVersion;
  }

  /** Bytes of the complete head, its empty line included. */
  get length(): number {
    return this.#part === 'cached' ? this.#line.at + (this.#headerCache?.length ?? 0) : this.#fields.at;
  }

  /** Prepares for a new head. `headerCache` holds the last field section of the same connection, if the connection has a cache. */
  reset(headerCache: HeaderCache | null): void {
    this.#headerCache = headerCache;
    this.#line.reset();
    this.#part = 'line';
  }

  /** Whether more than an empty line has arrived. */
  get started(): boolean {
    return this.#part !== 'line' || this.#line.at > 2 || (this.#line.at > 0 && this.#line.methodStart === 0);
  }

  /** Scans up to position `end` of `bytes`, each byte once; `origin` is the present position of the head's first byte in `bytes`. */
  scan(bytes: Buffer, origin: number, end: number): Progress {
    if (this.#part === 'line') {
      const progress = this.#line.scan(bytes, origin, end);
      if (progress !== 'complete') return progress;
      if (this.#headerCache?.matches(bytes, origin + this.#line.at, end, this.#line.minorVersion) === true) {
        this.#part = 'cached';
        return 'complete';
      }
      this.#fields.reset(this.#line.at);
      this.#part = 'fields';
    }
    return this.#fields.scan(bytes, origin, end);
  }

  /** Fills the properties of this object from a complete head at `origin` of `bytes`. */
  interpret(bytes: Buffer, origin: number): Refusal | null {
    const line = this.#line;
    const cache = this.#part === 'cached' ? this.#headerCache : null;
    const text = bytes.toString('latin1', origin, origin + (cache === null ? this.#fields.at : line.at));
    this.method = methodOf(text, line.methodStart, line.methodEnd);
    if (this.method === 'CONNECT') return NO_TUNNEL;
    const refusal =
      this.target.read(text, line.methodEnd + 1, line, this.method) ??
      (cache === null ? this.#interpretFields(text, bytes, origin) : this.#restoreFields(cache));
    if (refusal !== null) return refusal;
    if (this.target.authority !== '') {
      this.framing.host = this.target.authority;
      this.headerCacheId = 0;
    }
    return this.method === 'TRACE' ? NO_ECHO : null;
  }

  #restoreFields(headerCache: HeaderCache): null {
    headerCache.noteRepetition();
    this.headers = headerCache.headers;
    this.headersRepeat = headerCache.headersRepeat;
    this.headerCacheId = headerCache.number;
    this.framing.restore(headerCache);
    return null;
  }

  #interpretFields(text: string, bytes: Buffer, origin: number): Refusal | null {
    const { framing } = this;
    const fields = this.#fields;
    const { spans, count } = fields;
    const headers = new Array<string>(2 * count);
    heads += 1;
    if (this.#expectedGeneration !== nameGeneration) {
      this.#expected.length = 0;
      this.#expectedGeneration = nameGeneration;
    }
    this.headersRepeat = false;
    framing.reset(this.#line.minorVersion);
    for (let i = 0; i < count; i += 1) {
      const known = this.#name(text, i, spans[4 * i] as number, spans[4 * i + 1] as number);
      const value = fields.value(text, i);
      const { identity } = known;
      if (identity.seenIn === heads) this.headersRepeat = true;
      identity.seenIn = heads;
      headers[2 * i] = known.text;
      headers[2 * i + 1] = value;
      if (identity.kind !== 'other') {
        const refusal = framing.read(identity.kind, value);
        if (refusal !== null) return refusal;
      }
    }
    this.headers = framing.nominated === null ? headers : withoutNominated(headers, framing.nominated);
    this.headerCacheId = 0;
    const refusal = framing.finish();
    if (refusal !== null) return refusal;
    const headerCache = this.#headerCache;
    if (headerCache?.learn(bytes, origin + this.#line.at, origin + fields.at, this.#line.minorVersion) === true) {
      headerCache.keep(this.headers, this.headersRepeat, framing);
    }
    return null;
  }

  #name(text: string, index: number, start: number, end: number): FieldName {
    const expected = this.#expected[index];
    if (expected !== undefined && expected.text.length === end - start && text.startsWith(expected.text, start)) {
      return expected;
    }
    const name = text.substring(start, end);
    let known = knownFieldName(name);
    if (known === undefined) {
      known = learnFieldName(name);
      this.headersRepeat = true;
    }
    this.#expected[index] = known;
    return known;
  }
}

/** Returns the same string object for each request with a common method, so that a comparison compares two pointers. */
function methodOf(text: string, start: number, end: number): string {
  const length = end - start;
  if (length === 3 && text.startsWith('GET', start)) return 'GET';
  if (length === 4 && text.startsWith('POST', start)) return 'POST';
  if (length === 4 && text.startsWith('HEAD', start)) return 'HEAD';
  return text.substring(start, end);
}
