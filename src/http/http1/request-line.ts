import { Refusal } from '../refusal.ts';
import { BACKSLASH, CR, GREATER, LESS, LF, PERCENT, QUESTION, SP, TARGET, TOKEN } from '../semantics/bytes.ts';
import type { HttpLimits } from '../transport/limits.ts';
import type { Progress } from './field-section.ts';

const BAD_METHOD = new Refusal(400, 'the request line does not start with a method');
const BAD_TARGET = new Refusal(400, 'the target contains an invalid character');
const BAD_VERSION = new Refusal(400, 'the request line does not end with an HTTP version');
const VERSION_UNKNOWN = new Refusal(505, 'this server speaks HTTP/1.1 and HTTP/1.0');
const TOO_LONG = new Refusal(414, 'the request line is too long');
const METHOD_TOO_LONG = new Refusal(501, 'the method is too long');

const START = 0;
const START_LF = 1;
const METHOD = 2;
const TARGET_BYTES = 3;
const VERSION = 4;

/** `D` means a digit. */
const VERSION_FORM = 'HTTP/D.D\r\n';
const DIGIT_FORM = 0x44;
const MAJOR = 5;

/** Reads a request line (RFC 9112 section 3), each byte once, however the input is split. Positions count from the head's first byte. */
export class RequestLine {
  methodStart = 0;
  methodEnd = 0;
  targetEnd = 0;
  /** Position of the first `?`, or -1. */
  queryMark = -1;
  /** Whether the target has a `%` before the query. */
  encoded = false;
  /** Whether the target has `<` or `>`. */
  angled = false;
  minorVersion: 0 | 1 = 1;
  /** Position of the next byte. */
  at = 0;
  #state = START;
  #versionAt = 0;
  #major = 0;
  readonly #bytesMax: number;

  constructor(limits: HttpLimits) {
    this.#bytesMax = limits.requestLineBytesMax;
  }

  reset(): void {
    this.methodStart = 0;
    this.queryMark = -1;
    this.encoded = false;
    this.angled = false;
    this.at = 0;
    this.#state = START;
    this.#versionAt = 0;
  }

  /** Scans up to position `end` of `bytes`; `origin` is the present position of the head's first byte in `bytes`. */
  scan(bytes: Uint8Array, origin: number, end: number): Progress {
    let at = origin + this.at;
    while (at < end) {
      if (this.#state === START) {
        if (bytes[at] !== CR) this.#state = METHOD;
        else {
          this.#state = START_LF;
          at += 1;
          if (at === end) break;
        }
      }
      if (this.#state === START_LF) {
        // Some old clients send an empty line after a body, so one is accepted before a request (RFC 9112 section 2.2).
        if (bytes[at] !== LF) return BAD_METHOD;
        at += 1;
        this.methodStart = at - origin;
        this.#state = METHOD;
        if (at === end) break;
      }
      if (this.#state === METHOD) {
        while (at < end && TOKEN[bytes[at] as number] === 1) at += 1;
        if (at === end) break;
        this.methodEnd = at - origin;
        if (bytes[at] !== SP || this.methodEnd === this.methodStart) return BAD_METHOD;
        at += 1;
        this.#state = TARGET_BYTES;
      }
      if (this.#state === TARGET_BYTES) {
        at = this.#scanTarget(bytes, origin, at, end);
        if (at === end) break;
        this.targetEnd = at - origin;
        if (bytes[at] !== SP || this.targetEnd === this.methodEnd + 1) return BAD_TARGET;
        at += 1;
        this.#state = VERSION;
      }
      return this.#scanVersion(bytes, origin, at, end);
    }
    this.at = at - origin;
    return this.at - this.methodStart > this.#bytesMax ? this.#tooLong() : 'incomplete';
  }

  #scanTarget(bytes: Uint8Array, origin: number, from: number, end: number): number {
    let at = from;
    for (;;) {
      while (at < end && TARGET[bytes[at] as number] === 1) at += 1;
      if (at === end) return at;
      const byte = bytes[at] as number;
      if (byte === QUESTION) {
        if (this.queryMark < 0) this.queryMark = at - origin;
      } else if (byte === PERCENT) {
        if (this.queryMark < 0) this.encoded = true;
      } else if (byte === LESS || byte === GREATER) {
        this.angled = true;
      } else if (byte !== BACKSLASH || this.queryMark < 0) {
        // Browsers send a backslash in a query unencoded. In a path it is refused: some programs read it as a slash, others do not.
        return at;
      }
      at += 1;
    }
  }

  #scanVersion(bytes: Uint8Array, origin: number, from: number, end: number): Progress {
    let at = from;
    while (at < end) {
      const byte = bytes[at] as number;
      const form = VERSION_FORM.charCodeAt(this.#versionAt);
      if (form === DIGIT_FORM) {
        const digit = byte - 0x30;
        if (digit < 0 || digit > 9) return BAD_VERSION;
        if (this.#versionAt === MAJOR) this.#major = digit;
        else this.minorVersion = digit === 0 ? 0 : 1;
      } else if (byte !== form) return BAD_VERSION;
      at += 1;
      this.#versionAt += 1;
      if (this.#versionAt < VERSION_FORM.length) continue;
      this.at = at - origin;
      if (this.at - this.methodStart - 2 > this.#bytesMax) return this.#tooLong();
      return this.#major === 1 ? 'complete' : VERSION_UNKNOWN;
    }
    this.at = at - origin;
    return this.at - this.methodStart - 2 > this.#bytesMax ? this.#tooLong() : 'incomplete';
  }

  #tooLong(): Refusal {
    return this.#state === METHOD ? METHOD_TOO_LONG : TOO_LONG;
  }
}
