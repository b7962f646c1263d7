import { type OutgoingField, writeInteger } from './outgoing-field.ts';
import { STATIC_LAST } from './static-table.ts';

/** First octets of the representations, and the bits for an integer in them (RFC 7541 section 6). */
const INDEXED = 0x80;
const INDEXED_BITS = 0x7f;
const INCREMENTAL = 0x40;
const INCREMENTAL_BITS = 0x3f;
const SIZE_UPDATE = 0x20;
const SIZE_UPDATE_BITS = 0x1f;
const NEVER_INDEXED = 0x10;
const NOT_INDEXED = 0x00;
const LITERAL_BITS = 0x0f;

/** Most octets of our table, also the protocol's default (RFC 9113 section 6.5.2). A larger one would cost memory and gain little. */
const TABLE_BYTES_MAX = 4096;
/** Octets of two size updates. */
const UPDATES_BYTES_MAX = 6;
/** Octets of a name's index in a literal representation. */
const NAME_INDEX_BYTES_MAX = 2;
/** A field that takes more than this part of the table would evict too many others. */
const TABLE_PART = 4;

/** Encodes the field blocks of one connection (RFC 7541). It holds no table until it sends a field that goes into one. */
export class HpackEncoder {
  /** Grows with each insertion, eviction or change of the table's size: as long as it stays, the same fields give the same octets. */
  generation = 0;
  /** The number of each field in the table; the newest has `#inserted`. The oldest comes first, since a Map keeps the order. */
  #numbers: Map<OutgoingField, number> | null = null;
  #inserted = 0;
  #bytes = 0;
  #bytesMax = TABLE_BYTES_MAX;
  /** What the peer's decoder knows of `#bytesMax`, and the smallest value since then. */
  #announcedMax = TABLE_BYTES_MAX;
  #smallestMax = TABLE_BYTES_MAX;

  /** Octets that `encode` writes at most for these fields, size updates included. */
  static sizeMax(fields: readonly OutgoingField[]): number {
    let size = UPDATES_BYTES_MAX;
    for (let i = 0; i < fields.length; i += 1) {
      size += NAME_INDEX_BYTES_MAX + (fields[i] as OutgoingField).strings.length;
    }
    return size;
  }

  /** Keeps the table within what the peer allows, its SETTINGS_HEADER_TABLE_SIZE. The next block announces a change. */
  setTableBytesMax(bytes: number): void {
    const bytesMax = Math.min(bytes, TABLE_BYTES_MAX);
    if (bytesMax === this.#bytesMax) return;
    this.generation += 1;
    this.#bytesMax = bytesMax;
    this.#smallestMax = Math.min(this.#smallestMax, bytesMax);
    this.#evict(bytesMax);
  }

  /**
   * Writes a block with these fields to position `at` of `out`, which has room for `sizeMax(fields)` octets. Returns the position after it.
   * `recurs`: this connection has sent the same fields before, so that all of them are worth a place in the table.
   */
  encode(fields: readonly OutgoingField[], out: Uint8Array, at: number, recurs: boolean): number {
    let position = at;
    if (this.#smallestMax !== this.#announcedMax || this.#bytesMax !== this.#announcedMax) {
      position = this.#announce(out, position);
    }
    for (let i = 0; i < fields.length; i += 1) {
      const field = fields[i] as OutgoingField;
      const index = field.staticIndex !== 0 ? field.staticIndex : this.#indexOf(field);
      if (index !== 0) {
        position = writeInteger(out, position, INDEXED, INDEXED_BITS, index);
      } else if (this.#isWorthAPlace(field, recurs)) {
        position = writeLiteral(out, position, INCREMENTAL, INCREMENTAL_BITS, field);
        this.#insert(field);
      } else {
        const flags = field.recurrence === 'secret' ? NEVER_INDEXED : NOT_INDEXED;
        position = writeLiteral(out, position, flags, LITERAL_BITS, field);
      }
    }
    return position;
  }

  /** Writes the size updates that are due: the smallest size since the last block, then the present one (RFC 7541 section 4.2). */
  #announce(out: Uint8Array, at: number): number {
    let position = at;
    if (this.#smallestMax < this.#bytesMax) {
      position = writeInteger(out, position, SIZE_UPDATE, SIZE_UPDATE_BITS, this.#smallestMax);
    }
    position = writeInteger(out, position, SIZE_UPDATE, SIZE_UPDATE_BITS, this.#bytesMax);
    this.generation += 1;
    this.#announcedMax = this.#bytesMax;
    this.#smallestMax = this.#bytesMax;
    return position;
  }

  /** The index of a field in the dynamic table, 0 if it is not there. */
  #indexOf(field: OutgoingField): number {
    const number = this.#numbers?.get(field);
    return number === undefined ? 0 : STATIC_LAST + 1 + this.#inserted - number;
  }

  #isWorthAPlace(field: OutgoingField, recurs: boolean): boolean {
    if (!field.isIndexable || field.size > this.#bytesMax) return false;
    return recurs || (field.recurrence === 'usual' && field.size * TABLE_PART <= this.#bytesMax);
  }

  #insert(field: OutgoingField): void {
    this.#evict(this.#bytesMax - field.size);
    this.#numbers ??= new Map();
    this.#inserted += 1;
    this.#numbers.set(field, this.#inserted);
    this.#bytes += field.size;
    this.generation += 1;
  }

  #evict(bytesLeft: number): void {
    if (this.#numbers === null) return;
    for (const oldest of this.#numbers.keys()) {
      if (this.#bytes <= bytesLeft) return;
      this.#numbers.delete(oldest);
      this.#bytes -= oldest.size;
      this.generation += 1;
    }
  }
}

/** Writes a field as a literal (RFC 7541 section 6.2). */
function writeLiteral(out: Uint8Array, at: number, flags: number, bits: number, field: OutgoingField): number {
  const { strings } = field;
  const start = writeInteger(out, at, flags, bits, field.nameIndex);
  for (let i = 0; i < strings.length; i += 1) out[start + i] = strings.charCodeAt(i);
  return start + strings.length;
}
