import type { HeaderList } from '../message.ts';
import type { Framing } from './framing.ts';

/** A longer field section is not remembered. */
const BYTES_MAX = 2048;
/** Room for a section is made in steps of this, so that the next one finds place where the last one had it. */
const STEP_BYTES = 256;
/** After so many sections in a row that did not recur, only each sixteenth is remembered: a client whose fields change pays no more than that. */
const MISSES_MAX = 4;
const MISSES_BETWEEN = 16;

/** Numbers sections that came again, across all connections. */
let lastNumber = 0;

/**
 * The last field section of one connection and what it meant. Clients repeat theirs byte for byte, most of all pages that fetch and
 * browsers that load images: the same bytes in the same place need no second look. It is the connection's as long as that is busy.
 */
export class FieldMemory {
  headers: HeaderList = [];
  headersRepeat = false;
  host = '';
  contentLength = 0;
  persists = true;
  expectsContinue = false;
  upgrades = false;
  /** 0 until the section came a second time; then no other section of any connection has this number. */
  number = 0;
  length = 0;
  #bytes: Buffer | null = null;
  #minorVersion = 1;
  #misses = 0;

  /** Whether the section at `start` of `bytes`, which end at `end`, is this one. */
  matches(bytes: Buffer, start: number, end: number, minorVersion: number): boolean {
    const { length } = this;
    if (length === 0 || end - start < length || this.#minorVersion !== minorVersion || this.#bytes === null)
      return false;
    return bytes.compare(this.#bytes, 0, length, start, start + length) === 0;
  }

  /** The section came again. */
  recur(): void {
    this.#misses = 0;
    if (this.number !== 0) return;
    lastNumber = lastNumber === 0x7fffffff ? 1 : lastNumber + 1;
    this.number = lastNumber;
  }

  /** Remembers the section from `start` to `end` of `bytes` if it is short and likely to recur. */
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

  /** Keeps what the section says. */
  keep(headers: HeaderList, headersRepeat: boolean, framing: Framing): void {
    this.headers = headers;
    this.headersRepeat = headersRepeat;
    this.host = framing.host;
    this.contentLength = framing.contentLength;
    this.persists = framing.persists;
    this.expectsContinue = framing.expectsContinue;
    this.upgrades = framing.upgrades;
  }
}
