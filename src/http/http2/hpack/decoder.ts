import { DynamicTable } from './dynamic-table.ts';
import { HeaderField } from './header-field.ts';
import { huffmanDecode } from './huffman.ts';
import { latin1 } from './latin1.ts';
import { sharedField } from './shared-fields.ts';
import { STATIC_LAST, STATIC_TABLE } from './static-table.ts';

/** First octets of the representations (RFC 7541 section 6). */
const INDEXED = 0x80;
const INCREMENTAL = 0x40;
const SIZE_UPDATE = 0x20;
const NEVER_INDEXED = 0x10;
const HUFFMAN = 0x80;

/** Size of a dynamic table before any setting, in octets (RFC 9113 section 6.5.2). */
export const TABLE_BYTES_DEFAULT = 4096;
/** Integers are below this. No index, length or size that makes sense is greater. */
const INTEGER_END = 2 ** 28;
/** The fifth octet of a continued integer may hold zero bits only. */
const LAST_SHIFT = 28;

/** Why an index or a text cannot be read: reasons of a COMPRESSION_ERROR (RFC 9113 section 4.3). */
const TRUNCATED = 'the field section is truncated';
const LONG_INTEGER = 'an integer is too long';
const INDEX_ZERO = 'an index is 0';
const BEYOND_TABLES = 'an index is beyond the tables';
const BEYOND_SECTION = 'a string is longer than the field section';
const BAD_HUFFMAN = 'a string is not valid Huffman code';
const TABLE_TOO_LARGE = 'the size of the dynamic table is above the limit';
const LATE_SIZE_UPDATE = 'the size of the dynamic table changes after a field';

/**
 * Decodes the field sections of one connection (RFC 7541 section 3.2). An indexed field is the same object each time. After an error
 * the connection has to end, since the tables of both sides differ.
 */
export class HpackDecoder {
  /** Whether the last section passed a limit. */
  exceeded = false;
  readonly #tableBytesMax: number;
  readonly #table: DynamicTable;
  /** Position of the next octet, for those who read integers and strings. */
  #at = 0;
  /** What is wrong with the last integer, string or field that could not be read. */
  #reason = '';

  /** `tableBytesMax` is what our SETTINGS_HEADER_TABLE_SIZE allows. The table starts with at most 4096 octets. */
  constructor(tableBytesMax: number = TABLE_BYTES_DEFAULT) {
    this.#tableBytesMax = tableBytesMax;
    this.#table = new DynamicTable(Math.min(tableBytesMax, TABLE_BYTES_DEFAULT));
  }

  /** Grows with each change of the dynamic table: as long as it stays, the same octets have the same meaning. */
  get generation(): number {
    return this.#table.generation;
  }

  /**
   * Decodes the section from `start` to `end` of `bytes` and appends its fields to `fields`. When the sizes of the fields (RFC 7541 section
   * 4.1) add up to more than `listBytesMax`, or there are more than `countMax`, it appends no more and sets `exceeded`, but keeps the table
   * right. Returns null, or the reason of a COMPRESSION_ERROR.
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    fields: HeaderField[],
    listBytesMax: number,
    countMax: number,
  ): string | null {
    let bytesLeft = listBytesMax;
    let countLeft = countMax;
    let atStart = true;
    this.exceeded = false;
    this.#at = start;
    while (this.#at < end) {
      const first = bytes[this.#at] as number;
      let field: HeaderField | null;
      if (first >= INDEXED) field = this.#indexed(bytes, end);
      else if (first >= INCREMENTAL) field = this.#incremental(bytes, end);
      else if (first < SIZE_UPDATE) field = this.#literal(bytes, end, 0xf, first >= NEVER_INDEXED);
      else {
        if (!atStart) return LATE_SIZE_UPDATE;
        if (!this.#resize(bytes, end)) return this.#reason;
        continue;
      }
      if (field === null) return this.#reason;
      atStart = false;
      // The rest only counts for the table; sums of it would leave the range of small integers.
      if (this.exceeded) continue;
      bytesLeft -= field.size;
      countLeft -= 1;
      if (bytesLeft < 0 || countLeft < 0) this.exceeded = true;
      else fields.push(field);
    }
    return null;
  }

  /** Reads an indexed field (RFC 7541 section 6.1); null after an error. */
  #indexed(bytes: Uint8Array, end: number): HeaderField | null {
    const index = this.#integer(bytes, end, 0x7f);
    return index < 0 ? null : this.#entry(index);
  }

  /** Reads a literal field that goes into the table (RFC 7541 section 6.2.1); null after an error. */
  #incremental(bytes: Uint8Array, end: number): HeaderField | null {
    const literal = this.#literal(bytes, end, 0x3f, false);
    if (literal === null) return null;
    const field = sharedField(literal);
    this.#table.insert(field);
    return field;
  }

  /** Reads a literal field (RFC 7541 section 6.2); null after an error. `mask` is for the bits of the name's index in its first octet. */
  #literal(bytes: Uint8Array, end: number, mask: number, neverIndexed: boolean): HeaderField | null {
    const index = this.#integer(bytes, end, mask);
    if (index < 0) return null;
    if (index === 0) {
      const name = this.#string(bytes, end);
      const value = name === null ? null : this.#string(bytes, end);
      return name === null || value === null ? null : new HeaderField(name, value, neverIndexed);
    }
    const entry = this.#entry(index);
    const value = entry === null ? null : this.#string(bytes, end);
    return entry === null || value === null ? null : new HeaderField(entry.name, value, neverIndexed, entry.nameFault);
  }

  /** Reads a size update (RFC 7541 section 6.3); false after an error. */
  #resize(bytes: Uint8Array, end: number): boolean {
    const bytesMax = this.#integer(bytes, end, 0x1f);
    if (bytesMax < 0) return false;
    if (bytesMax > this.#tableBytesMax) {
      this.#reason = TABLE_TOO_LARGE;
      return false;
    }
    this.#table.resize(bytesMax);
    return true;
  }

  /** The field with this index (RFC 7541 section 2.3.3); null after an error. */
  #entry(index: number): HeaderField | null {
    const table = this.#table;
    if (index > STATIC_LAST) {
      const age = index - STATIC_LAST - 1;
      if (age < table.count) return table.get(age);
      this.#reason = BEYOND_TABLES;
      return null;
    }
    if (index > 0) return STATIC_TABLE[index - 1] as HeaderField;
    this.#reason = INDEX_ZERO;
    return null;
  }

  /** Reads an integer that starts in the bits `mask` of the next octet (RFC 7541 section 5.1); -1 after an error. */
  #integer(bytes: Uint8Array, end: number, mask: number): number {
    let at = this.#at;
    let value = (bytes[at] as number) & mask;
    at += 1;
    if (value === mask) {
      let shift = 0;
      let byte: number;
      do {
        if (at >= end) return this.#failInteger(TRUNCATED);
        byte = bytes[at] as number;
        at += 1;
        const bits = byte & 0x7f;
        if (shift > LAST_SHIFT || (shift === LAST_SHIFT && bits !== 0)) return this.#failInteger(LONG_INTEGER);
        value += bits << shift;
        shift += 7;
      } while (byte >= 0x80);
      if (value >= INTEGER_END) return this.#failInteger(LONG_INTEGER);
    }
    this.#at = at;
    return value;
  }

  /** Reads a string (RFC 7541 section 5.2); null after an error. */
  #string(bytes: Uint8Array, end: number): string | null {
    if (this.#at >= end) return this.#failString(TRUNCATED);
    const isHuffman = (bytes[this.#at] as number) >= HUFFMAN;
    const length = this.#integer(bytes, end, 0x7f);
    if (length < 0) return null;
    const start = this.#at;
    if (length > end - start) return this.#failString(BEYOND_SECTION);
    if (length === 0) return '';
    this.#at = start + length;
    if (isHuffman) return huffmanDecode(bytes, start, start + length) ?? this.#failString(BAD_HUFFMAN);
    return latin1(bytes, start, start + length);
  }

  #failInteger(reason: string): number {
    this.#reason = reason;
    return -1;
  }

  #failString(reason: string): null {
    this.#reason = reason;
    return null;
  }
}
