import type { HeaderList } from '../message.ts';
import { Refusal } from '../refusal.ts';
import type { HttpLimits } from '../transport/limits.ts';
import { type FieldName, knownFieldName, learnFieldName, nameGeneration } from './field-name.ts';
import { FieldSection, type Progress } from './field-section.ts';
import { Framing } from './framing.ts';
import type { FieldMemory } from './header-cache.ts';
import { RequestLine } from './request-line.ts';
import { Target } from './request-target.ts';

export const METHODS_ALLOWED = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
/** CONNECT asks for a tunnel, TRACE for the client's own head, cookies included: a server of applications has neither. */
const NO_TUNNEL = new Refusal(405, 'this server is no tunnel', METHODS_ALLOWED);
const NO_ECHO = new Refusal(405, 'this server does not echo requests', METHODS_ALLOWED);

/** Numbers heads, so that a field name can tell in which one it was seen last. */
let heads = 0;

/**
 * Reads one request head at a time: `scan` checks bytes as they come and notes where the parts are, `interpret` makes strings of them
 * once the head is complete. A reader is needed only while a head arrives, so connections borrow it.
 */
export class RequestHead {
  method = '';
  readonly target = new Target();
  readonly framing: Framing;
  /** `[name, value, …]` as received. */
  headers: HeaderList = [];
  headersRepeat = false;
  /** See `Request.recurring`. */
  recurring = 0;
  readonly #line: RequestLine;
  readonly #fields: FieldSection;
  #part: 'line' | 'fields' | 'recurring' = 'line';
  #memory: FieldMemory | null = null;
  /** The names of the last head: the next one is likely to have the same at the same place, and comparing is cheaper than looking up. */
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
    return this.#part === 'recurring' ? this.#line.at + (this.#memory?.length ?? 0) : this.#fields.at;
  }

  /** Begins a head of the connection whose last field section is in `memory`, if it has one. */
  begin(memory: FieldMemory | null): void {
    this.#memory = memory;
    this.#line.begin();
    this.#part = 'line';
  }

  /** Whether anything but an empty line has come. */
  get begun(): boolean {
    return this.#part !== 'line' || this.#line.at > 2 || (this.#line.at > 0 && this.#line.methodStart === 0);
  }

  /** Goes on to `end` of `bytes`; `origin` is where the head's first byte now is in them. Each byte is looked at once. */
  scan(bytes: Buffer, origin: number, end: number): Progress {
    if (this.#part === 'line') {
      const progress = this.#line.scan(bytes, origin, end);
      if (progress !== 'complete') return progress;
      if (this.#memory?.matches(bytes, origin + this.#line.at, end, this.#line.minorVersion) === true) {
        this.#part = 'recurring';
        return 'complete';
      }
      this.#fields.begin(this.#line.at);
      this.#part = 'fields';
    }
    return this.#fields.scan(bytes, origin, end);
  }

  /** Fills the fields of this object from a complete head at `origin` of `bytes`. */
  interpret(bytes: Buffer, origin: number): Refusal | null {
    const line = this.#line;
    const recurs = this.#part === 'recurring' ? this.#memory : null;
    const text = bytes.toString('latin1', origin, origin + (recurs === null ? this.#fields.at : line.at));
    this.method = methodOf(text, line.methodStart, line.methodEnd);
    if (this.method === 'CONNECT') return NO_TUNNEL;
    const refusal =
      this.target.read(text, line.methodEnd + 1, line.targetEnd, line.queryMark, line.encoded, this.method) ??
      (recurs === null ? this.#interpretFields(text, bytes, origin) : this.#recallFields(recurs));
    if (refusal !== null) return refusal;
    if (this.target.authority !== '') {
      this.framing.host = this.target.authority;
      this.recurring = 0;
    }
    return this.method === 'TRACE' ? NO_ECHO : null;
  }

  #recallFields(memory: FieldMemory): null {
    memory.recur();
    this.headers = memory.headers;
    this.headersRepeat = memory.headersRepeat;
    this.recurring = memory.number;
    this.framing.recall(memory);
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
    framing.begin(this.#line.minorVersion);
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
    this.headers = headers;
    this.recurring = 0;
    const refusal = framing.finish();
    if (refusal !== null) return refusal;
    const memory = this.#memory;
    if (memory?.learn(bytes, origin + this.#line.at, origin + fields.at, this.#line.minorVersion) === true) {
      memory.keep(headers, this.headersRepeat, framing);
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

/** The same string for each request with a common method, so that comparing it compares two pointers. */
function methodOf(text: string, start: number, end: number): string {
  const length = end - start;
  if (length === 3 && text.startsWith('GET', start)) return 'GET';
  if (length === 4 && text.startsWith('POST', start)) return 'POST';
  if (length === 4 && text.startsWith('HEAD', start)) return 'HEAD';
  return text.substring(start, end);
}
