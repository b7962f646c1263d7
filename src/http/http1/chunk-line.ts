import { Refusal } from '../refusal.ts';
import { BACKSLASH, CR, EQUALS, HEX, HTAB, LF, QUOTE, SEMICOLON, SP, TOKEN, VALUE } from '../semantics/bytes.ts';

const BAD_SIZE = new Refusal(400, 'a chunk size is not a valid hexadecimal number');
const BAD_EXTENSION = new Refusal(400, 'a chunk extension is malformed');
const EXTENSIONS_TOO_LONG = new Refusal(400, 'the chunk extensions are too long');
const BARE_CR = new Refusal(400, 'a CR is not followed by LF');

/** Hexadecimal digits: 2^52 - 1 is a number that JavaScript still represents exactly. */
const DIGITS_MAX = 13;
/** Leading zeros of a size are limited too, to more than any client sends. */
const ZEROS_MAX = 32;

type State =
  | 'size'
  | 'before-semicolon'
  | 'before-name'
  | 'name'
  | 'before-equals'
  | 'before-value'
  | 'value'
  | 'quoted'
  | 'escaped'
  | 'after-quotes'
  | 'lf';

/**
 * Reads the line before the data of a chunk: size and extensions (RFC 9112 section 7.1). Extensions are checked and ignored. A line is
 * refused if another recipient may find its end elsewhere.
 */
export class ChunkLine {
  size = 0;
  #state: State = 'size';
  #zeros = 0;
  #digits = 0;
  #extensionBytes = 0;
  readonly #extensionBytesMax: number;

  constructor(extensionBytesMax: number) {
    this.#extensionBytesMax = extensionBytesMax;
  }

  /** Prepares for the line of the next chunk. The extensions of all chunks count together, so their count stays. */
  reset(): void {
    this.size = 0;
    this.#state = 'size';
    this.#zeros = 0;
    this.#digits = 0;
  }

  /** Takes the next byte of the line. Returns true if this byte was the last. */
  take(byte: number): boolean | Refusal {
    if (this.#state === 'lf') return byte === LF ? true : BARE_CR;
    if (this.#state === 'size') return this.#takeSize(byte);
    this.#extensionBytes += 1;
    if (this.#extensionBytes > this.#extensionBytesMax) return EXTENSIONS_TOO_LONG;
    const next = this.#follow(byte);
    if (next === null) return BAD_EXTENSION;
    this.#state = next;
    return false;
  }

  #takeSize(byte: number): boolean | Refusal {
    const digit = HEX[byte] as number;
    if (digit >= 0) {
      if (this.size === 0 && digit === 0) this.#zeros += 1;
      else this.#digits += 1;
      if (this.#digits > DIGITS_MAX || this.#zeros > ZEROS_MAX) return BAD_SIZE;
      this.size = this.size * 16 + digit;
      return false;
    }
    if (this.#digits + this.#zeros === 0) return BAD_SIZE;
    if (byte === CR) this.#state = 'lf';
    else if (byte === SEMICOLON) this.#state = 'before-name';
    else if (isBlank(byte)) this.#state = 'before-semicolon';
    else return BAD_SIZE;
    return false;
  }

  /** `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )` */
  #follow(byte: number): State | null {
    const state = this.#state;
    switch (state) {
      case 'before-semicolon':
        return isBlank(byte) ? state : byte === SEMICOLON ? 'before-name' : null;
      case 'before-name':
        return isBlank(byte) ? state : TOKEN[byte] === 1 ? 'name' : null;
      case 'name':
        return TOKEN[byte] === 1 ? state : byte === EQUALS ? 'before-value' : after(byte, 'before-equals');
      case 'before-equals':
        return isBlank(byte) ? state : byte === EQUALS ? 'before-value' : byte === SEMICOLON ? 'before-name' : null;
      case 'before-value':
        return isBlank(byte) ? state : byte === QUOTE ? 'quoted' : TOKEN[byte] === 1 ? 'value' : null;
      case 'value':
        return TOKEN[byte] === 1 ? state : after(byte, 'before-semicolon');
      case 'quoted':
        return byte === QUOTE ? 'after-quotes' : byte === BACKSLASH ? 'escaped' : VALUE[byte] === 1 ? state : null;
      case 'escaped':
        return VALUE[byte] === 1 ? 'quoted' : null;
      default:
        return after(byte, 'before-semicolon');
    }
  }
}

/** The state after a complete extension or name: the end of the line, the next extension, or `blank` after white space. */
function after(byte: number, blank: State): State | null {
  if (byte === CR) return 'lf';
  if (byte === SEMICOLON) return 'before-name';
  return isBlank(byte) ? blank : null;
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
