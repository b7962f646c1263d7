import { CR, FIELD, HTAB, LF, SP, TOKEN } from './bytes.ts';
import type { HttpLimits } from './limits.ts';
import type { BodySink, HeaderList } from './message.ts';
import { INCOMPLETE, PARSED, RequestHeadParser } from './request-head.ts';

type ChunkState =
  | 'size'
  | 'space'
  | 'extension-name'
  | 'extension'
  | 'size-end'
  | 'data'
  | 'data-end-cr'
  | 'data-end-lf'
  | 'trailers';

/**
 * Takes one request body out of a connection's bytes: a number of bytes, or chunks (RFC 9112 section 7.1). Whatever splits the
 * bytes arrive in, the blocks that reach the sink are the same bytes.
 */
export class BodyReader {
  trailers: HeaderList = [];
  /** Everything has been read. */
  complete = false;
  readonly #chunked: boolean;
  readonly #limits: HttpLimits;
  #left: number;
  #received = 0;
  #state: ChunkState = 'size';
  #sizeDigits = 0;
  #extensionBytes = 0;
  #trailerBytes: Buffer | null = null;

  /** `length` is -1 for a chunked body. */
  constructor(length: number, limits: HttpLimits) {
    this.#chunked = length < 0;
    this.#left = Math.max(0, length);
    this.#limits = limits;
  }

  /**
   * Reads on in `bytes` from `start`, passing content to `sink`. Returns where it stopped: at the end of the body or of the bytes;
   * or the negative status of a refusal, after which nothing more can be read.
   */
  read(bytes: Buffer, start: number, sink: BodySink): number {
    if (this.#chunked) return this.#readChunks(bytes, start, sink);
    const end = Math.min(bytes.length, start + this.#left);
    this.#left -= end - start;
    if (this.#left === 0) this.complete = true;
    if (end > start) sink.write(bytes.subarray(start, end));
    return end;
  }

  #readChunks(bytes: Buffer, start: number, sink: BodySink): number {
    let at = start;
    while (at < bytes.length && !this.complete) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = 'data-end-cr';
        sink.write(bytes.subarray(at, end));
        at = end;
      } else if (this.#state === 'trailers') {
        at = this.#readTrailers(bytes, at);
        if (at < 0) return at;
      } else {
        const status = this.#chunkByte(bytes[at] as number);
        if (status !== 0) return -status;
        at += 1;
      }
    }
    return at;
  }

  /** One byte of a chunk's size line or of the CRLF behind its data. Returns 0 or the status of a refusal. */
  #chunkByte(byte: number): number {
    switch (this.#state) {
      case 'size': {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          this.#sizeDigits += 1;
          this.#left = this.#left * 16 + digit;
          return this.#sizeDigits > SIZE_DIGITS_MAX ? 400 : 0;
        }
        if (this.#sizeDigits === 0) return 400;
        if (byte === CR) this.#state = 'size-end';
        else if (byte === SEMICOLON) this.#state = 'extension-name';
        else if (byte === SP || byte === HTAB) this.#state = 'space';
        else return 400;
        return 0;
      }
      case 'space':
        if (byte === SEMICOLON) this.#state = 'extension-name';
        else if (byte !== SP && byte !== HTAB) return 400;
        return this.#extensionByte();
      case 'extension-name':
        if (TOKEN[byte] === 1) this.#state = 'extension';
        else if (byte !== SP && byte !== HTAB) return 400;
        return this.#extensionByte();
      case 'extension':
        if (byte === CR) this.#state = 'size-end';
        else if (FIELD[byte] === 0) return 400;
        return this.#extensionByte();
      case 'size-end':
        return byte === LF ? this.#beginChunk() : 400;
      case 'data-end-cr':
        this.#state = 'data-end-lf';
        return byte === CR ? 0 : 400;
      default:
        this.#state = 'size';
        this.#sizeDigits = 0;
        return byte === LF ? 0 : 400;
    }
  }

  #extensionByte(): number {
    this.#extensionBytes += 1;
    return this.#extensionBytes > this.#limits.chunkExtensionBytesMax ? 400 : 0;
  }

  #beginChunk(): number {
    this.#received += this.#left;
    this.#state = this.#left === 0 ? 'trailers' : 'data';
    return this.#received > this.#limits.bodyBytesMax ? 413 : 0;
  }

  #readTrailers(bytes: Buffer, start: number): number {
    const before = this.#trailerBytes?.length ?? 0;
    const room = this.#limits.trailerBytesMax + 2 - before;
    const part = bytes.subarray(start, start + room);
    const all = this.#trailerBytes === null ? Buffer.from(part) : Buffer.concat([this.#trailerBytes, part]);
    const parser = new RequestHeadParser(this.#limits);
    const result = parser.parseTrailers(all);
    if (result === PARSED) {
      // RFC 9110 section 6.5.1: what frames or routes a message cannot come behind it.
      if (parser.names.some(({ kind }) => kind !== 'other')) return -400;
      this.complete = true;
      this.trailers = parser.headers;
      return start + parser.end - before;
    }
    if (result !== INCOMPLETE) return -result;
    if (part.length === room) return -431;
    this.#trailerBytes = all;
    return bytes.length;
  }
}

const SEMICOLON = 59;
/** 2^52 bytes: what a number holds exactly, and far past every limit. */
const SIZE_DIGITS_MAX = 13;

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
