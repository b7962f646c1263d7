import type { HpackDecoder } from './hpack/decoder.ts';
import { latin1 } from './hpack/latin1.ts';
import type { RequestSection } from './request-section.ts';

/** A longer section is not remembered. */
const KEY_BYTES_MAX = 256;
const SECTIONS_MAX = 64;

/**
 * The header sections that one client sent, by their bytes. A client sends the same bytes for the same fields as long as the dynamic table
 * does not change (RFC 7541 section 2.3.2), so what they say is interpreted once.
 */
export class SectionMemory {
  readonly #sections = new Map<string, RequestSection>();
  #generation = -1;

  /** What the section between `start` and `end` said when it came before; undefined if it is new. */
  find(decoder: HpackDecoder, bytes: Buffer, start: number, end: number): RequestSection | undefined {
    if (decoder.generation !== this.#generation || end - start > KEY_BYTES_MAX) return undefined;
    return this.#sections.get(latin1(bytes, start, end));
  }

  /** Remembers a section that `decoder` has read when its generation was `generation`. */
  keep(
    decoder: HpackDecoder,
    generation: number,
    bytes: Buffer,
    start: number,
    end: number,
    section: RequestSection,
  ): void {
    if (decoder.generation !== generation || end - start > KEY_BYTES_MAX || section.isWebSocket) return;
    if (generation !== this.#generation || this.#sections.size >= SECTIONS_MAX) this.#sections.clear();
    this.#generation = generation;
    this.#sections.set(latin1(bytes, start, end), section);
  }
}
