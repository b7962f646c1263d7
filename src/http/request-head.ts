import { COLON, CR, FIELD, HTAB, LF, SP, TARGET, TOKEN } from './bytes.ts';
import { type FieldName, fieldName } from './field-name.ts';
import type { HttpLimits } from './limits.ts';

/** The head is not complete yet. */
export const INCOMPLETE = 0;
/** The head is complete and its syntax is right. */
export const PARSED = 1;

/**
 * Reads request heads: one pass over the bytes checks each against its class and notes where things stand (RFC 9112 sections 2
 * to 5). One parser serves all connections; its fields describe the last head that it read.
 *
 * Lines end with CRLF and nothing else. RFC 9112 section 2.2 lets a recipient take a bare LF as a line's end; two recipients that
 * decide differently see different requests, so a bare LF is refused, and so are a bare CR, obs-fold and white space around names.
 */
export class RequestHeadParser {
  method = '';
  target = '';
  minorVersion: 0 | 1 = 1;
  /** `[name, value, …]` as received. */
  headers: string[] = [];
  names: FieldName[] = [];
  /** A name stands in `headers` twice, or may. */
  repeats = false;
  /** Where the head ends in the bytes that were given. */
  end = 0;
  readonly #limits: HttpLimits;
  /** Start and end of each name and value, four numbers a field, relative to the head's start. */
  readonly #spans: Uint32Array;
  #fields = 0;
  #methodEnd = 0;
  #targetEnd = 0;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
    this.#spans = new Uint32Array(4 * (limits.headerCountMax + 1));
  }

  /** Reads the head at `start` of `bytes`. Returns INCOMPLETE, PARSED, or the status of a refusal (400 and above). */
  parse(bytes: Buffer, start: number): number {
    const lineEnd = this.#requestLine(bytes, start);
    if (lineEnd <= 0) return -lineEnd;
    const end = this.#fieldLines(bytes, start, lineEnd);
    if (end <= 0) return -end;
    this.end = end;
    this.#slice(bytes.toString('latin1', start, end), start);
    return PARSED;
  }

  /** Reads trailer lines up to and with the empty line. Returns as `parse` does; `headers` and `end` are set. */
  parseTrailers(bytes: Buffer): number {
    const end = this.#fieldLines(bytes, 0, 0);
    if (end <= 0) return -end;
    this.end = end;
    this.#slice(bytes.toString('latin1', 0, end), 0);
    return PARSED;
  }

  /** Returns where the line ends, 0 when it is not all here, or the negative status of a refusal. */
  #requestLine(bytes: Buffer, start: number): number {
    const limit = Math.min(bytes.length, start + this.#limits.requestLineBytesMax);
    const cut = limit < bytes.length || limit - start === this.#limits.requestLineBytesMax ? -414 : 0;
    let at = start;
    while (at < limit && TOKEN[bytes[at] as number] === 1) at += 1;
    if (at === limit) return cut;
    if (bytes[at] !== SP || at === start) return -400;
    this.#methodEnd = at;
    at += 1;
    const target = at;
    while (at < limit && TARGET[bytes[at] as number] === 1) at += 1;
    if (at === limit) return cut;
    if (bytes[at] !== SP || at === target) return -400;
    this.#targetEnd = at;
    return this.#version(bytes, at + 1);
  }

  /** `HTTP/1.0` or `HTTP/1.1` and CRLF. */
  #version(bytes: Buffer, start: number): number {
    for (let i = 0; i < VERSION.length; i += 1) {
      const byte = bytes[start + i];
      if (byte === undefined) return 0;
      const wanted = VERSION.charCodeAt(i);
      if (byte !== wanted && !(wanted === DIGIT_ONE && byte >= 48 && byte <= 57)) return -400;
    }
    const major = bytes[start + 5];
    const minor = (bytes[start + 7] as number) - 48;
    if (bytes[start + 8] === undefined || (bytes[start + 8] === CR && bytes[start + 9] === undefined)) return 0;
    if (bytes[start + 8] !== CR || bytes[start + 9] !== LF) return -400;
    if (major !== DIGIT_ONE) return -505;
    this.minorVersion = minor === 0 ? 0 : 1; // RFC 9110 section 6.2: a higher minor version is read as the highest known
    return start + 10;
  }

  /** Reads field lines and the empty line from `from` on. Returns as `#requestLine` does. */
  #fieldLines(bytes: Buffer, start: number, from: number): number {
    const spans = this.#spans;
    const length = Math.min(bytes.length, from + this.#limits.headerBytesMax + 2);
    const cut = length < bytes.length || length - from === this.#limits.headerBytesMax + 2 ? -431 : 0;
    let fields = 0;
    let at = from;
    for (;;) {
      if (at >= length) return cut;
      if (bytes[at] === CR) {
        if (at + 1 === length) return cut;
        this.#fields = fields;
        return bytes[at + 1] === LF ? at + 2 : -400;
      }
      if (fields === this.#limits.headerCountMax) return -431;
      const name = at;
      while (at < length && TOKEN[bytes[at] as number] === 1) at += 1;
      if (at === length) return cut;
      if (bytes[at] !== COLON || at === name) return -400;
      const nameEnd = at;
      at += 1;
      while (bytes[at] === SP || bytes[at] === HTAB) at += 1;
      const value = at;
      while (at < length && FIELD[bytes[at] as number] === 1) at += 1;
      if (at >= length) return cut;
      let valueEnd = at;
      while (valueEnd > value && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd -= 1;
      if (bytes[at] !== CR) return -400;
      if (at + 1 === length) return cut;
      if (bytes[at + 1] !== LF) return -400;
      at += 2;
      const span = 4 * fields;
      spans[span] = name - start;
      spans[span + 1] = nameEnd - start;
      spans[span + 2] = value - start;
      spans[span + 3] = valueEnd - start;
      fields += 1;
    }
  }

  /** Cuts the head's text where the pass found the seams. */
  #slice(text: string, start: number): void {
    this.method = text.slice(0, this.#methodEnd - start);
    this.target = text.slice(this.#methodEnd - start + 1, this.#targetEnd - start);
    const spans = this.#spans;
    const headers: string[] = [];
    const names: FieldName[] = [];
    this.repeats = false;
    lastHead += 1;
    for (let i = 0; i < 4 * this.#fields; i += 4) {
      const name = fieldName(text.slice(spans[i], spans[i + 1]));
      if (name.mark.seenIn === lastHead || !name.remembered) this.repeats = true;
      name.mark.seenIn = lastHead;
      names.push(name);
      headers.push(name.text, text.slice(spans[i + 2], spans[i + 3]));
    }
    this.headers = headers;
    this.names = names;
  }
}

const VERSION = 'HTTP/1.1';
const DIGIT_ONE = 49;

/** Numbers heads, so that a name tells whether it already stood in this one. */
let lastHead = 0;
