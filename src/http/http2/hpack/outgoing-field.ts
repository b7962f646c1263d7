import { fieldSize } from './header-field.ts';
import { huffmanEncode, huffmanLength } from './huffman.ts';
import { latin1 } from './latin1.ts';
import { staticFieldIndex, staticNameIndex } from './static-table.ts';

/** When a field goes into the table of a connection: it usually recurs, only if its whole list recurs, or never. */
export type Recurrence = 'usual' | 'rare' | 'secret';

/** Names whose values usually differ from answer to answer, or from request to request. */
const RARE = new Set([
  ...['content-length', 'etag', 'last-modified', 'location', 'content-range', 'age', 'expires'],
  ...[':path', 'if-none-match', 'if-modified-since', 'x-request-id'],
]);
/** Names whose values nobody may guess by the size of what is sent (RFC 7541 section 7.1.3). */
const SECRET = new Set(['set-cookie', 'cookie', 'authorization', 'proxy-authorization']);

const SHARED_MAX = 1024;
/** Characters of name and value together. */
const SHARED_CHARACTERS_MAX = 256;
/** Shared fields by name, then by value. All go when there are SHARED_MAX. */
const shared = new Map<string, Map<string, OutgoingField>>();
let sharedCount = 0;

const HUFFMAN = 0x80;
/** Octets of an integer at most: indexes and lengths are below 2^28. */
const INTEGER_BYTES_MAX = 5;
/** Where strings are encoded that take no more octets than this. */
const scratch = Buffer.allocUnsafeSlow(1024);

/** A field to send, with its encoded form. Its strings hold one character for each octet. */
export class OutgoingField {
  readonly name: string;
  readonly value: string;
  /** Octets that it takes in a dynamic table (RFC 7541 section 4.1). */
  readonly size: number;
  readonly recurrence: Recurrence;
  /** Whether a table may hold it. A table knows it by its object. */
  readonly isIndexable: boolean;
  /** Index of the static entry with this name and value; 0 if there is none, or if the field is secret. */
  readonly staticIndex: number;
  /** Index of the first static entry with this name; 0 if there is none. */
  readonly nameIndex: number;
  /**
   * The octets that follow the index in a literal representation, one for each character: the name if the static table does not have it, then
   * the value. A string costs less memory and time than a small array.
   */
  readonly strings: string;

  constructor(name: string, value: string, recurrence: Recurrence, isIndexable: boolean) {
    this.name = name;
    this.value = value;
    this.size = fieldSize(name, value);
    this.recurrence = recurrence;
    this.isIndexable = isIndexable;
    this.staticIndex = recurrence === 'secret' ? 0 : staticFieldIndex(name, value);
    this.nameIndex = staticNameIndex(name);
    this.strings = encodeStrings(this.nameIndex === 0 ? name : null, value);
  }
}

/**
 * The field with this name, in lower case, and this value. Fields of at most 256 characters are shared by all connections, unless they are
 * secret: equal ones are one object until 1024 of them are known and all are forgotten. A field is secret by its name, or if `isSecret`:
 * what arrived as never-indexed has to leave so (RFC 7541 section 6.2.3).
 */
export function outgoingField(name: string, value: string, isSecret = false): OutgoingField {
  if (isSecret) return new OutgoingField(name, value, 'secret', false);
  const known = shared.get(name)?.get(value);
  if (known !== undefined) return known;
  const recurrence = recurrenceOf(name);
  const isIndexable = recurrence !== 'secret' && name.length + value.length <= SHARED_CHARACTERS_MAX;
  const field = new OutgoingField(name, value, recurrence, isIndexable);
  if (isIndexable && recurrence === 'usual') share(field);
  return field;
}

function share(field: OutgoingField): void {
  if (sharedCount >= SHARED_MAX) {
    shared.clear();
    sharedCount = 0;
  }
  const values = shared.get(field.name);
  if (values === undefined) shared.set(field.name, new Map([[field.value, field]]));
  else values.set(field.value, field);
  sharedCount += 1;
}

/** How often a field of this name usually recurs. */
export function recurrenceOf(name: string): Recurrence {
  if (SECRET.has(name)) return 'secret';
  return RARE.has(name) ? 'rare' : 'usual';
}

/** Writes `value` into the bits `mask` of an octet that starts with `flags`, and into more octets if needed (RFC 7541 section 5.1). */
export function writeInteger(out: Uint8Array, at: number, flags: number, mask: number, value: number): number {
  if (value < mask) {
    out[at] = flags | value;
    return at + 1;
  }
  out[at] = flags | mask;
  let position = at + 1;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) {
    out[position] = 0x80 | (rest & 0x7f);
    position += 1;
  }
  out[position] = rest;
  return position + 1;
}

function encodeStrings(name: string | null, value: string): string {
  const bytesMax = 2 * INTEGER_BYTES_MAX + (name?.length ?? 0) + value.length;
  const out = bytesMax <= scratch.length ? scratch : Buffer.allocUnsafe(bytesMax);
  const at = name === null ? 0 : writeString(out, 0, name);
  return latin1(out, 0, writeString(out, at, value));
}

/** Writes a string in the shorter of its two forms (RFC 7541 section 5.2). */
function writeString(out: Uint8Array, at: number, text: string): number {
  const length = huffmanLength(text);
  if (length < text.length) return huffmanEncode(text, out, writeInteger(out, at, HUFFMAN, 0x7f, length));
  const start = writeInteger(out, at, 0, 0x7f, text.length);
  for (let i = 0; i < text.length; i += 1) out[start + i] = text.charCodeAt(i);
  return start + text.length;
}
