/** A value that CPython's `marshal.loads` would return; bytes are a Buffer. */
export type Value = null | boolean | number | string | Buffer | Value[] | { [key: string]: Value };

const FLAG_REFERENCE = 0x80;

/**
 * Reads one value in CPython's marshal format. This is an implementation of its own, so that the simulation also checks
 * what the server writes.
 *
 * @throws Error for a type that requests do not use, and for data that is too short or too long
 */
export function loads(data: Buffer): Value {
  const reader = new Reader(data);
  const value = reader.value();
  if (reader.position !== data.length) throw new Error(`${data.length - reader.position} bytes after the value`);
  return value as Value;
}

class Reader {
  position = 0;
  readonly #data: Buffer;
  readonly #references: Value[] = [];

  constructor(data: Buffer) {
    this.#data = data;
  }

  /** The next value; undefined at the end of a dict. */
  value(): Value | undefined {
    const code = this.#byte();
    const value = this.#ofType(String.fromCharCode(code & ~FLAG_REFERENCE));
    if ((code & FLAG_REFERENCE) !== 0) this.#references.push(value as Value);
    return value;
  }

  #ofType(type: string): Value | undefined {
    switch (type) {
      case 'N':
        return null;
      case 'T':
        return true;
      case 'F':
        return false;
      case 'i':
        return this.#uint32() | 0;
      case 'g':
        return this.#bytes(8).readDoubleLE(0);
      case 'z':
        return this.#bytes(this.#byte()).toString('latin1');
      case 'a':
        return this.#bytes(this.#uint32()).toString('latin1');
      case 'u':
        return this.#bytes(this.#uint32()).toString('utf8');
      case 's':
        return this.#bytes(this.#uint32());
      case 'r':
        return this.#references[this.#uint32()] as Value;
      case ')':
        return this.#list(this.#byte());
      case '[':
        return this.#list(this.#uint32());
      case '{':
        return this.#dict();
      case '0':
        return undefined;
      default:
        throw new Error(`marshal type "${type}" at ${this.position - 1}`);
    }
  }

  #list(length: number): Value[] {
    const items: Value[] = [];
    for (let i = 0; i < length; i += 1) items.push(this.value() as Value);
    return items;
  }

  #dict(): Value {
    const dict: { [key: string]: Value } = {};
    for (let key = this.value(); key !== undefined; key = this.value()) dict[key as string] = this.value() as Value;
    return dict;
  }

  #byte(): number {
    return this.#bytes(1)[0] as number;
  }

  #uint32(): number {
    return this.#bytes(4).readUInt32LE(0);
  }

  #bytes(length: number): Buffer {
    const start = this.position;
    this.position += length;
    if (this.position > this.#data.length) throw new Error('the data is too short');
    return this.#data.subarray(start, this.position);
  }
}
