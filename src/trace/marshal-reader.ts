/** A value that Python marshalled: dicts as maps, lists and tuples as arrays, bytes as a part of what was read. */
export type MarshalValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly MarshalValue[]
  | ReadonlyMap<string, MarshalValue>;

/** The bytes are not what `readMarshal` reads, for this reason. */
export class Malformed {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The deepest nesting: deeper data is refused, so that no stack overflows. */
const DEPTH_MAX = 64;
/** Digits of 15 bits: a number of more than 53 bits has lost precision already. */
const DIGITS_MAX = 5;
/** The most characters and items, where each reference counts as what it refers to: few bytes must not make much work. */
const EXPANDED_MAX = 8 * 1024 * 1024;

const NONE = 0x4e; // N
const FALSE = 0x46; // F
const TRUE = 0x54; // T
const INT = 0x69; // i
const LONG = 0x6c; // l
const FLOAT = 0x67; // g
const BYTES = 0x73; // s
const UNICODE = 0x75; // u
const INTERNED = 0x74; // t
const ASCII = 0x61; // a
const ASCII_INTERNED = 0x41; // A
const SHORT_ASCII = 0x7a; // z
const SHORT_ASCII_INTERNED = 0x5a; // Z
const TUPLE = 0x28; // (
const SMALL_TUPLE = 0x29; // )
const LIST = 0x5b; // [
const DICT = 0x7b; // {
const END = 0x30; // 0, the end of a dict
const REFERENCE = 0x72; // r
/** Set in the type of a value that a reference may refer to. */
const FLAG = 0x80;

/**
 * Reads one value that `marshal.dumps` wrote, of versions 2 to 4: dicts with keys of text, lists, tuples, text, bytes, whole numbers below 2^53, floats,
 * booleans, None, and references. Everything else, a cut value and bytes after it are malformed. What claims to be long has to be there, so that no
 * memory is used for claims.
 */
export function readMarshal(bytes: Uint8Array): MarshalValue | Malformed {
  const reader = new MarshalReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  try {
    const value = reader.value(0);
    return reader.isAtEnd ? value : new Malformed('there is something after it');
  } catch (error) {
    if (error instanceof Malformed) return error;
    throw error;
  }
}

/** A value that may be referred to, and how much it is; undefined while it is being read. */
interface Referable {
  value: MarshalValue | undefined;
  expanded: number;
}

/** Throws `Malformed`, which `readMarshal` catches. */
class MarshalReader {
  readonly #data: Buffer;
  readonly #referables: Referable[] = [];
  #at = 0;
  /** Characters and items so far. */
  #expanded = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#data.length;
  }

  value(depth: number): MarshalValue {
    return this.#valueOf(this.#byte(), depth);
  }

  #valueOf(type: number, depth: number): MarshalValue {
    this.#expand(1);
    if ((type & FLAG) === 0) return this.#plain(type, depth);
    const referable: Referable = { value: undefined, expanded: this.#expanded };
    this.#referables.push(referable);
    const value = this.#plain(type & ~FLAG, depth);
    referable.value = value;
    referable.expanded = this.#expanded - referable.expanded;
    return value;
  }

  #plain(type: number, depth: number): MarshalValue {
    switch (type) {
      case NONE:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case INT:
        return this.#int32();
      case LONG:
        return this.#long();
      case FLOAT:
        return this.#data.readDoubleLE(this.#take(8));
      case BYTES:
        return this.#bytes(this.#int32());
      case UNICODE:
      case INTERNED:
        return this.#text('utf8', this.#int32());
      case ASCII:
      case ASCII_INTERNED:
        return this.#text('latin1', this.#int32());
      case SHORT_ASCII:
      case SHORT_ASCII_INTERNED:
        return this.#text('latin1', this.#byte());
      case TUPLE:
      case LIST:
        return this.#items(depth + 1, this.#int32());
      case SMALL_TUPLE:
        return this.#items(depth + 1, this.#byte());
      case DICT:
        return this.#dict(depth + 1);
      case REFERENCE:
        return this.#reference(this.#int32());
      default:
        throw new Malformed(`it has a value of type ${type}`);
    }
  }

  /** Each item takes at least one byte. */
  #items(depth: number, count: number): MarshalValue[] {
    this.#checkDepth(depth);
    if (count < 0 || count > this.#data.length - this.#at) throw new Malformed('it is cut short');
    const items: MarshalValue[] = [];
    for (let i = 0; i < count; i += 1) items.push(this.value(depth));
    return items;
  }

  #dict(depth: number): ReadonlyMap<string, MarshalValue> {
    this.#checkDepth(depth);
    const dict = new Map<string, MarshalValue>();
    for (let type = this.#byte(); type !== END; type = this.#byte()) {
      const key = this.#valueOf(type, depth);
      if (typeof key !== 'string') throw new Malformed('it has a key that is not text');
      dict.set(key, this.value(depth));
    }
    return dict;
  }

  #checkDepth(depth: number): void {
    if (depth > DEPTH_MAX) throw new Malformed('it is nested too deeply');
  }

  /** A value cannot refer to itself. */
  #reference(index: number): MarshalValue {
    const { value, expanded } = this.#referables[index] ?? { value: undefined, expanded: 0 };
    if (value === undefined) throw new Malformed('it refers to something that is not there');
    this.#expand(expanded);
    return value;
  }

  #expand(count: number): void {
    this.#expanded += count;
    if (this.#expanded > EXPANDED_MAX) throw new Malformed('it refers to the same values too often');
  }

  /** Lone surrogates, which Python may have, become replacement characters. */
  #text(encoding: 'utf8' | 'latin1', length: number): string {
    if (length < 0) throw new Malformed('it has a text of negative length');
    const start = this.#take(length);
    this.#expand(length);
    return this.#data.toString(encoding, start, start + length);
  }

  #bytes(length: number): Uint8Array {
    if (length < 0) throw new Malformed('it has bytes of negative length');
    const start = this.#take(length);
    this.#expand(length);
    return this.#data.subarray(start, start + length);
  }

  #long(): number {
    const count = this.#int32();
    const digits = Math.abs(count);
    if (digits > DIGITS_MAX) throw new Malformed('it has a number that is too large');
    const start = this.#take(digits * 2);
    let value = 0;
    for (let i = digits - 1; i >= 0; i -= 1) value = value * 32768 + this.#data.readUInt16LE(start + i * 2);
    if (!Number.isSafeInteger(value)) throw new Malformed('it has a number that is too large');
    return count < 0 ? -value : value;
  }

  #int32(): number {
    return this.#data.readInt32LE(this.#take(4));
  }

  #byte(): number {
    return this.#data[this.#take(1)] as number;
  }

  /** Returns where the next `length` bytes start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#data.length - start) throw new Malformed('it is cut short');
    this.#at = start + length;
    return start;
  }
}
