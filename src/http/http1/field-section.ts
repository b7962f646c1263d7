import { Refusal } from '../refusal.ts';
import { COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from '../semantics/bytes.ts';
import type { HttpLimits } from '../transport/limits.ts';

/** The result of a scanner: it needs more bytes, it found the end, or the bytes are wrong. */
export type Progress = 'incomplete' | 'complete' | Refusal;

const BAD_NAME = new Refusal(400, 'a header name contains an invalid character');
const NAMELESS = new Refusal(400, 'a header line starts with white space or has no name');
const BAD_VALUE = new Refusal(400, 'a header value contains a control character');
const BARE_CR = new Refusal(400, 'a CR is not followed by LF');
const TOO_MANY = new Refusal(431, 'there are too many header lines');
const TOO_LARGE = new Refusal(431, 'the header lines are too long');

const LINE = 0;
const NAME = 1;
const PADDING = 2;
const VALUE_BYTES = 3;
const LINE_LF = 4;
const LAST_LF = 5;

/**
 * Reads field lines up to the empty line after them (RFC 9112 section 5). It reads each byte once, however the input is split. It refuses
 * whatever two recipients may understand differently: bare CR, bare LF, obs-fold, white space around a name.
 */
export class FieldSection {
  count = 0;
  /** Four positions for each field: start and end of its name, start and end of its value, counted from the section's origin. */
  readonly spans: number[] = [];
  /** Position of the next byte, counted from the section's origin. */
  at = 0;
  #state = LINE;
  #start = 0;
  readonly #countMax: number;
  readonly #bytesMax: number;

  constructor(limits: HttpLimits, bytesMax: number) {
    this.#countMax = limits.headerCountMax;
    this.#bytesMax = bytesMax;
  }

  /** Prepares for a section that starts `start` bytes after its origin. All positions count from the origin. */
  reset(start: number): void {
    this.count = 0;
    this.at = start;
    this.#start = start;
    this.#state = LINE;
  }

  /** The fields of a complete section as `[name, value, …]`; `text` starts at the section's origin. */
  read(text: string): string[] {
    const fields: string[] = [];
    for (let i = 0; i < this.count; i += 1) {
      const span = 4 * i;
      fields.push(text.substring(this.spans[span] as number, this.spans[span + 1] as number), this.value(text, i));
    }
    return fields;
  }

  /** Value of field `index`, without white space around it. */
  value(text: string, index: number): string {
    const start = this.spans[4 * index + 2] as number;
    let end = this.spans[4 * index + 3] as number;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
    return text.substring(start, end);
  }

  /** Scans up to position `end` of `bytes`; `origin` is the present position of the section's origin in `bytes`. */
  scan(bytes: Uint8Array, origin: number, end: number): Progress {
    const { spans } = this;
    let at = origin + this.at;
    let state = this.#state;
    while (at < end) {
      if (state === LINE) {
        const byte = bytes[at] as number;
        if (byte === CR) {
          state = LAST_LF;
          at += 1;
          continue;
        }
        if (TOKEN[byte] === 0) return byte === SP || byte === HTAB || byte === COLON ? NAMELESS : BAD_NAME;
        if (this.count === this.#countMax) return TOO_MANY;
        spans[4 * this.count] = at - origin;
        state = NAME;
      }
      if (state === NAME) {
        while (at < end && TOKEN[bytes[at] as number] === 1) at += 1;
        if (at === end) break;
        if (bytes[at] !== COLON) return BAD_NAME;
        spans[4 * this.count + 1] = at - origin;
        at += 1;
        state = PADDING;
      }
      if (state === PADDING) {
        while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
        if (at === end) break;
        spans[4 * this.count + 2] = at - origin;
        state = VALUE_BYTES;
      }
      if (state === VALUE_BYTES) {
        while (at < end && VALUE[bytes[at] as number] === 1) at += 1;
        if (at === end) break;
        if (bytes[at] !== CR) return BAD_VALUE;
        spans[4 * this.count + 3] = at - origin;
        at += 1;
        state = LINE_LF;
        if (at === end) break;
      }
      if (bytes[at] !== LF) return BARE_CR;
      at += 1;
      if (state === LAST_LF) {
        this.at = at - origin;
        return at - origin - this.#start > this.#bytesMax + 2 ? TOO_LARGE : 'complete';
      }
      this.count += 1;
      state = LINE;
    }
    this.#state = state;
    this.at = at - origin;
    return this.at - this.#start > this.#bytesMax + 2 ? TOO_LARGE : 'incomplete';
  }
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
