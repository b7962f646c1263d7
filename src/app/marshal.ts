/**
 * CPython's marshal format, as far as requests need it: small tuples, dicts of str, None, int and bytes. Everything is built as
 * one latin-1 string, a character per byte, because one concatenation and one write cost less than many small writes.
 *
 * The "short ASCII" types are read by CPython as latin-1 code units, so they hold every header value that HTTP can carry. That
 * is no promise of CPython's: each worker proves it on `MARSHAL_PROOF` before it gets a request.
 */

const SHORT = Array.from({ length: 256 }, (_, length) => `z${String.fromCharCode(length)}`);

/** A str of latin-1 characters. */
export function marshalText(text: string): string {
  const length = text.length;
  return length < 256 ? (SHORT[length] as string) + text : `a${int32(length)}${text}`;
}

/** An int from -2^31 to 2^31 - 1. */
export function marshalInt(value: number): string {
  return `i${int32(value)}`;
}

/** What stands before `length` bytes of a bytes object. */
export function marshalBytesHead(length: number): string {
  return `s${int32(length)}`;
}

/** What stands before a list of `length` items. */
export function marshalListHead(length: number): string {
  return `[${int32(length)}`;
}

export const MARSHAL_NONE = 'N';
/** Starts a tuple of four. */
export const MARSHAL_TUPLE_4 = ')\x04';
export const MARSHAL_DICT = '{';
export const MARSHAL_DICT_END = '0';

/** A value of each kind in use, and what a worker must make of it. */
export const MARSHAL_PROOF = {
  data: `{${marshalText('short')}${marshalText('caf\xe9 \xff\x80')}${marshalText('long')}${marshalText('\xdf'.repeat(300))}${marshalText(
    'tuple',
  )}${MARSHAL_TUPLE_4}${marshalInt(2147483647)}${marshalInt(-1)}${MARSHAL_NONE}${marshalListHead(1)}${marshalText('')}0`,
  decoded: { short: 'caf\xe9 \xff\x80', long: '\xdf'.repeat(300), tuple: [2147483647, -1, null, ['']] },
};

/** `value` as four characters, least significant first. */
export function int32(value: number): string {
  return String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
}
