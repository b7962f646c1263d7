/**
 * Writes CPython's marshal format, as far as requests need it: small tuples, lists, dicts of str, None, bool, int,
 * float and bytes.
 *
 * Names that occur in many requests are written once per batch and referred to afterwards. This saves Python most of
 * its work: a reference is one pointer, whereas a new str has to be created and hashed. CPython reads the "short ASCII"
 * types as latin-1 code units, so they can hold every header value of HTTP. CPython guarantees neither behaviour. Each
 * worker therefore decodes `marshalSelfTest` correctly before it gets a request.
 */
export class MarshalWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  end = 0;
  #serial = 0;
  #references = 0;

  /** Starts a new batch at `end`. References point back no further than this. */
  reset(end: number): void {
    lastSerial += 1;
    this.#serial = lastSerial;
    this.#references = 0;
    this.end = end;
  }

  /** Makes room for `length` more bytes. */
  reserve(length: number): void {
    if (this.end + length <= this.bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.end + length));
    this.bytes.copy(bytes, 0, 0, this.end);
    this.bytes = bytes;
  }

  /** Writes one of the type bytes below, or a raw byte after one. */
  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.end] = value;
    this.end += 1;
  }

  /** Writes an int from -2^31 to 2^31 - 1. */
  int(value: number): void {
    this.reserve(5);
    this.bytes[this.end] = INT;
    this.end = putUint32(this.bytes, this.end + 1, value);
  }

  /** Writes a str of latin-1 characters. `flag` is for `first`. */
  text(text: string, flag = 0): void {
    const length = text.length;
    this.reserve(length + 5);
    const { bytes } = this;
    let end = this.end;
    if (length < 256) {
      bytes[end] = SHORT_ASCII | flag;
      bytes[end + 1] = length;
      end += 2;
    } else {
      bytes[end] = ASCII | flag;
      end = putUint32(bytes, end + 1, length);
    }
    if (length <= LOOP_LENGTH_MAX) for (let i = 0; i < length; i += 1) bytes[end + i] = text.charCodeAt(i);
    else bytes.write(text, end, 'latin1');
    this.end = end + length;
  }

  /** Writes a str of latin-1 characters that comes once more in the batch. Returns its number for `again`. */
  first(text: string): number {
    this.text(text, FLAG_REFERENCE);
    this.#references += 1;
    return this.#references - 1;
  }

  /** Writes the str that `first` has written. */
  again(reference: number): void {
    this.byte(REFERENCE);
    this.uint32(reference);
  }

  /** Writes a str of any characters. */
  unicode(text: string): void {
    const length = Buffer.byteLength(text, 'utf8');
    this.reserve(length + 5);
    this.bytes[this.end] = UNICODE;
    this.end = putUint32(this.bytes, this.end + 1, length);
    this.end += this.bytes.write(text, this.end, 'utf8');
  }

  /** Writes an int for a whole number of 32 bits, else a float. */
  number(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) < 0x7fffffff) {
      this.int(value);
      return;
    }
    this.reserve(9);
    this.bytes[this.end] = FLOAT;
    this.end = this.bytes.writeDoubleLE(value, this.end + 1);
  }

  /** Writes the count after LIST. */
  uint32(value: number): void {
    this.reserve(4);
    this.end = putUint32(this.bytes, this.end, value);
  }

  /** Writes a str that occurs in many requests. */
  name(name: Name): void {
    const { encoded } = name;
    this.reserve(encoded.length + 5);
    const { bytes } = this;
    if (name.serial === this.#serial) {
      bytes[this.end] = REFERENCE;
      this.end = putUint32(bytes, this.end + 1, name.reference);
      return;
    }
    name.serial = this.#serial;
    name.reference = this.#references;
    this.#references += 1;
    const { end } = this;
    for (let i = 0; i < encoded.length; i += 1) bytes[end + i] = encoded[i] as number;
    this.end = end + encoded.length;
  }

  /** Writes the head of a bytes object of `length` bytes. */
  bytesHead(length: number): void {
    this.reserve(5);
    this.bytes[this.end] = BYTES;
    this.end = putUint32(this.bytes, this.end + 1, length);
  }

  /** Appends unchanged bytes after `bytesHead`. */
  raw(block: Uint8Array): void {
    this.reserve(block.length);
    this.bytes.set(block, this.end);
    this.end += block.length;
  }
}

/** A str of at most 255 latin-1 characters that can be referred to within a batch. */
export class Name {
  readonly encoded: Uint8Array;
  /** The last batch that contains the name, and the name's number in that batch. */
  serial = 0;
  reference = 0;

  constructor(text: string) {
    this.encoded = Uint8Array.from([SHORT_ASCII | FLAG_REFERENCE, text.length, ...Buffer.from(text, 'latin1')]);
  }
}

export const TUPLE = 0x29; // ')', followed by the number of items as one byte
export const LIST = 0x5b; // '[', followed by the number of items as four bytes
export const DICT = 0x7b; // '{', followed by keys and values
export const DICT_END = 0x30; // '0'
export const NONE = 0x4e; // 'N'
export const TRUE = 0x54; // 'T'
export const FALSE = 0x46; // 'F'
const INT = 0x69; // 'i'
const FLOAT = 0x67; // 'g'
const UNICODE = 0x75; // 'u'
const BYTES = 0x73; // 's'
const SHORT_ASCII = 0x7a; // 'z'
const ASCII = 0x61; // 'a'
const REFERENCE = 0x72; // 'r'
const FLAG_REFERENCE = 0x80;

const INITIAL_BYTES = 32768;
/** Up to this length a loop is faster than a call into native code. */
const LOOP_LENGTH_MAX = 24;

/** Batches are numbered across all writers, because all writers share the names. */
let lastSerial = 0;

/** Writes `value` as four bytes, least significant first; returns the offset after them. */
export function putUint32(bytes: Buffer, offset: number, value: number): number {
  bytes[offset] = value & 255;
  bytes[offset + 1] = (value >> 8) & 255;
  bytes[offset + 2] = (value >> 16) & 255;
  bytes[offset + 3] = (value >> 24) & 255;
  return offset + 4;
}

/** A value with each type in use as base64, and the decoded value that a worker must return. */
export function marshalSelfTest(): { data: string; decoded: unknown } {
  const writer = new MarshalWriter();
  const name = new Name('caf\xe9');
  writer.reset(0);
  writer.byte(DICT);
  for (const [key, value] of [
    ['short', 'caf\xe9 \xff\x80'],
    ['long', '\xdf'.repeat(300)],
  ] as const) {
    writer.text(key);
    writer.text(value);
  }
  writer.text('tuple');
  writer.byte(TUPLE);
  writer.byte(5);
  writer.int(2147483647);
  writer.int(-1);
  writer.byte(NONE);
  writer.name(name);
  writer.name(name);
  writer.text('list');
  writer.byte(LIST);
  writer.uint32(4);
  writer.byte(TRUE);
  writer.byte(FALSE);
  writer.number(-0.75);
  writer.unicode('\u20ac');
  for (const [key, value] of [
    ['twice', '\xdf'],
    ['twice, long', '\xdf'.repeat(300)],
  ] as const) {
    writer.text(key);
    const first = writer.first(value);
    writer.text(`${key}, again`);
    writer.again(first);
  }
  writer.name(name);
  writer.name(name);
  writer.byte(DICT_END);
  const decoded = {
    short: 'caf\xe9 \xff\x80',
    long: '\xdf'.repeat(300),
    tuple: [2147483647, -1, null, 'caf\xe9', 'caf\xe9'],
    list: [true, false, -0.75, '\u20ac'],
    twice: '\xdf',
    'twice, again': '\xdf',
    'twice, long': '\xdf'.repeat(300),
    'twice, long, again': '\xdf'.repeat(300),
    caf\u00e9: 'caf\xe9',
  };
  return { data: writer.bytes.toString('base64', 0, writer.end), decoded };
}
