import type { HeaderList } from '../message.ts';
import { Refusal } from '../refusal.ts';
import { CR, LF } from '../semantics/bytes.ts';
import { passedTrailers } from '../semantics/trailers.ts';
import type { HttpLimits } from '../transport/limits.ts';
import { ChunkLine } from './chunk-line.ts';
import { FieldSection } from './field-section.ts';
import type { Input } from './input.ts';

const BAD_DATA_END = new Refusal(400, 'chunk data is not followed by CRLF');
const TOO_LARGE = new Refusal(413, 'the content is too large');
const FORBIDDEN_TRAILER = new Refusal(400, 'a trailer field frames or routes the message');
const TRAILERS_FORBIDDEN = new Set(['content-length', 'transfer-encoding', 'host']);

/**
 * Decodes chunked content (RFC 9112 section 7.1) in place: the data of all chunks in a block is moved together. Many tiny chunks of a
 * client therefore do not cause many calls.
 */
export class ChunkedDecoder {
  /** The trailer fields that may be passed on. */
  trailers: HeaderList = [];
  #state: 'line' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'complete' = 'line';
  #left = 0;
  #received = 0;
  #trailerSection: FieldSection | null = null;
  readonly #line: ChunkLine;
  readonly #limits: HttpLimits;
  readonly #nominated: ReadonlySet<string> | null;

  /** `nominated` are the fields of the connection, which cannot be trailer fields either. */
  constructor(limits: HttpLimits, nominated: ReadonlySet<string> | null) {
    this.#limits = limits;
    this.#nominated = nominated;
    this.#line = new ChunkLine(limits.chunkExtensionBytesMax);
  }

  get complete(): boolean {
    return this.#state === 'complete';
  }

  /**
   * Takes from `input` up to the end of this content. Returns the decoded data, which may be empty and lies in the memory of `input`,
   * or a refusal.
   */
  decode(input: Input): Buffer | Refusal {
    const { bytes } = input;
    const start = input.at;
    let dataStart = start;
    let dataEnd = start;
    while (input.at < input.end && this.#state !== 'complete') {
      if (this.#state === 'data') {
        const length = Math.min(this.#left, input.end - input.at);
        if (dataEnd === dataStart) {
          dataStart = input.at;
          dataEnd = input.at;
        } else bytes.copyWithin(dataEnd, input.at, input.at + length);
        dataEnd += length;
        input.at += length;
        this.#left -= length;
        if (this.#left === 0) this.#state = 'data-cr';
      } else if (this.#state === 'trailers') {
        const refusal = this.#readTrailers(input);
        if (refusal !== null) return refusal;
        if (!this.complete) break;
      } else {
        const refusal = this.#takeByte(bytes[input.at] as number);
        if (refusal !== null) return refusal;
        input.at += 1;
      }
    }
    return bytes.subarray(dataStart, dataEnd);
  }

  /** Takes a byte of a chunk's line, or of the CRLF after the chunk's data. */
  #takeByte(byte: number): Refusal | null {
    if (this.#state === 'data-cr') {
      this.#state = 'data-lf';
      return byte === CR ? null : BAD_DATA_END;
    }
    if (this.#state === 'data-lf') {
      this.#state = 'line';
      this.#line.reset();
      return byte === LF ? null : BAD_DATA_END;
    }
    const done = this.#line.take(byte);
    if (typeof done !== 'boolean') return done;
    if (!done) return null;
    this.#left = this.#line.size;
    this.#received += this.#left;
    this.#state = this.#left === 0 ? 'trailers' : 'data';
    return this.#received > this.#limits.bodyBytesMax ? TOO_LARGE : null;
  }

  /** Reads the trailer section, which stays in `input` until it is complete. */
  #readTrailers(input: Input): Refusal | null {
    if (this.#trailerSection === null) {
      this.#trailerSection = new FieldSection(this.#limits, this.#limits.trailerBytesMax);
      this.#trailerSection.reset(0);
    }
    const section = this.#trailerSection;
    const progress = section.scan(input.bytes, input.at, input.end);
    if (progress === 'incomplete') return null;
    if (progress !== 'complete') return progress;
    const trailers = section.read(input.bytes.toString('latin1', input.at, input.at + section.at));
    input.at += section.at;
    this.#state = 'complete';
    for (let i = 0; i < trailers.length; i += 2) {
      if (TRAILERS_FORBIDDEN.has((trailers[i] as string).toLowerCase())) return FORBIDDEN_TRAILER;
    }
    this.trailers = passedTrailers(trailers, this.#nominated);
    return null;
  }
}
