import type { HeaderList } from '../message.ts';

/** What a field section says about the message and the connection, as `Framing` reads it. */
export interface FramingValues {
  readonly host: string;
  readonly contentLength: number;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrades: boolean;
  readonly nominated: Set<string> | null;
}

/** A longer field section is not cached. */
const BYTES_MAX = 2048;
/** The buffer's length is a multiple of this, so that a slightly longer section still fits into it. */
const STEP_BYTES = 256;
/** After this many sections in a row that did not repeat, only every sixteenth is cached: this limits the cost for changing fields. */
const MISSES_MAX = 4;
const MISSES_BETWEEN = 16;

/** The number of the last section that came again, across all connections. */
let lastNumber = 0;

/**
 * The last field section of one connection, with its parsed values. Clients often repeat a section byte for byte, above all pages that
 * fetch and browsers that load images: the same bytes need no second parsing. A connection has a cache only while it is busy.
 */
export class HeaderCache {
  headers: HeaderList = [];
  headersRepeat = false;
  host = '';
  contentLength = 0;
  keepAlive = true;
  expectsContinue = false;
  upgrades = false;
  nominated: Set<string> | null = null;
  /** 0 until the section came a second time; from then on a number that no other section of any connection has. */
  number = 0;
  length = 0;
  #bytes: Buffer | null = null;
  #minorVersion = 1;
  #misses = 0;

  /** Whether the section at `start` of `bytes` is the cached one. The bytes end at `end`. */
  matches(bytes: Buffer, start: number, end: number, minorVersion: number): boolean {
    const { length } = this;
    if (length === 0 || end - start < length || this.#minorVersion !== minorVersion || this.#bytes === null)
      return false;
    return bytes.compare(this.#bytes, 0, length, start, start + length) === 0;
  }

  /** The section came again: gives it a number, if it has none. */
  noteRepetition(): void {
    this.#misses = 0;
    if (this.number !== 0) return;
    lastNumber = lastNumber === 0x7fffffff ? 1 : lastNumber + 1;
    this.number = lastNumber;
  }

  /** Caches the section from `start` to `end` of `bytes` if it is short and likely to repeat. Returns whether it is cached. */
  learn(bytes: Buffer, start: number, end: number, minorVersion: number): boolean {
    const length = end - start;
    this.number = 0;
    this.length = 0;
    this.#misses += 1;
    if (length > BYTES_MAX || (this.#misses > MISSES_MAX && this.#misses % MISSES_BETWEEN !== 0)) return false;
    if (this.#bytes === null || this.#bytes.length < length) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.ceil(length / STEP_BYTES) * STEP_BYTES);
    }
    bytes.copy(this.#bytes, 0, start, end);
    this.length = length;
    this.#minorVersion = minorVersion;
    return true;
  }

  /** Caches the parsed values of the section. */
  keep(headers: HeaderList, headersRepeat: boolean, framing: FramingValues): void {
    this.headers = headers;
    this.headersRepeat = headersRepeat;
    this.host = framing.host;
    this.contentLength = framing.contentLength;
    this.keepAlive = framing.keepAlive;
    this.expectsContinue = framing.expectsContinue;
    this.upgrades = framing.upgrades;
    this.nominated = framing.nominated;
  }
}
