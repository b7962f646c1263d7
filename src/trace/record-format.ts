import type { MemoryBlock, StoredBytes, TraceMemory } from './trace-memory.ts';
import type { HopFields } from './trace-record.ts';

/** The numbers before those of the record: how many there are, and how long the payload is, -1 without one. */
const HEAD_NUMBERS = 2;
const NUMBER_BYTES = Float64Array.BYTES_PER_ELEMENT;
/** The most bytes of UTF-8 for a unit of UTF-16. */
const UNIT_BYTES_MAX = 3;
/** The bytes of a longer text are counted: its record gets a block of its own, which should not be three times as long. */
const ESTIMATED_UNITS_MAX = 2048;

/** So many names are kept: further ones are texts. They come from the configuration, the code of this server, and its workers. */
const NAMES_MAX = 1024;

/** Texts that most records have, by their numbers. Records in memory refer to them, so they stay. */
const names: string[] = [];
const numbersOfNames = new Map<string, number>();

/** The number of a name; negative if there is no room for it. */
function numberOf(name: string): number {
  const known = numbersOfNames.get(name);
  if (known !== undefined) return known;
  if (names.length === NAMES_MAX) return -1;
  numbersOfNames.set(name, names.length);
  return names.push(name) - 1;
}

/** Writes values one after the other as `RecordReader` reads them: all numbers, then all texts as one, then bytes. */
export class RecordWriter {
  #numbers = new Float64Array(512);
  #count = HEAD_NUMBERS;
  #text = '';
  #fields: HopFields[] = [];

  number(value: number): void {
    if (this.#count === this.#numbers.length) {
      const more = new Float64Array(this.#count * 2);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#count] = value;
    this.#count += 1;
  }

  text(value: string): void {
    this.number(value.length);
    this.#text += value;
  }

  /** A text that other records have, too. */
  name(value: string): void {
    const known = numberOf(value);
    this.number(known);
    if (known < 0) this.text(value);
  }

  /** A text that is mostly the same as `other`, which the reader knows. */
  again(value: string, other: string): void {
    this.number(value === other ? 1 : 0);
    if (value !== other) this.text(value);
  }

  /** Fields that were written before are only named: most handlers pass on what they got. */
  fields(value: HopFields): void {
    const known = this.#fields.indexOf(value);
    this.number(known < 0 ? this.#fields.length : known);
    if (known >= 0) return;
    this.#fields.push(value);
    if (typeof value === 'string') {
      this.number(-1);
      this.text(value);
      return;
    }
    this.number(value.length);
    for (const text of value) this.text(text);
  }

  /** Puts what was written into memory, with `payload` behind it, and starts again. */
  finish(payload: Uint8Array | null, memory: TraceMemory): StoredBytes {
    const numbers = this.#numbers;
    numbers[0] = this.#count;
    numbers[1] = payload === null ? -1 : payload.length;
    const lengthMax = this.#count * NUMBER_BYTES + textBytesMax(this.#text) + (payload?.length ?? 0);
    const stored = memory.store(lengthMax, (block, start) => this.#write(block, start, payload));
    this.#count = HEAD_NUMBERS;
    this.#text = '';
    this.#fields = [];
    return stored;
  }

  #write({ bytes, numbers }: MemoryBlock, start: number, payload: Uint8Array | null): number {
    const first = start / NUMBER_BYTES;
    for (let i = 0; i < this.#count; i += 1) numbers[first + i] = this.#numbers[i] as number;
    const textStart = start + this.#count * NUMBER_BYTES;
    let end = textStart + bytes.write(this.#text, textStart, 'utf8');
    if (payload !== null) {
      bytes.set(payload, end);
      end += payload.length;
    }
    return end - start;
  }
}

function textBytesMax(text: string): number {
  return text.length > ESTIMATED_UNITS_MAX ? Buffer.byteLength(text) : text.length * UNIT_BYTES_MAX;
}

/** Reads what `RecordWriter` wrote, in the same order. */
export class RecordReader {
  readonly payload: Buffer | null;
  readonly #numbers: Float64Array;
  readonly #text: string;
  readonly #fields: HopFields[] = [];
  #at: number;
  #textAt = 0;

  constructor({ block, start, length }: StoredBytes) {
    const { bytes, numbers } = block;
    const first = start / NUMBER_BYTES;
    const count = numbers[first] as number;
    const payloadLength = numbers[first + 1] as number;
    const end = start + length;
    const payloadStart = end - Math.max(0, payloadLength);
    this.payload = payloadLength < 0 ? null : bytes.subarray(payloadStart, end);
    this.#text = bytes.toString('utf8', start + count * NUMBER_BYTES, payloadStart);
    this.#numbers = numbers;
    this.#at = first + HEAD_NUMBERS;
  }

  number(): number {
    this.#at += 1;
    return this.#numbers[this.#at - 1] as number;
  }

  text(): string {
    const start = this.#textAt;
    this.#textAt += this.number();
    return this.#text.slice(start, this.#textAt);
  }

  name(): string {
    const index = this.number();
    return index < 0 ? this.text() : (names[index] as string);
  }

  again(other: string): string {
    return this.number() === 1 ? other : this.text();
  }

  fields(): HopFields {
    const index = this.number();
    const known = this.#fields[index];
    if (known !== undefined) return known;
    const length = this.number();
    const fields = length < 0 ? this.text() : this.list(length, () => this.text());
    this.#fields.push(fields);
    return fields;
  }

  /** So many values of `read`. */
  list<T>(length: number, read: () => T): T[] {
    return Array.from({ length }, read);
  }
}
