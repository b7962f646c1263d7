import type { Malformed, ReadVariables, VariableLimits } from './params.ts';

const COLON = 0x3a;
const COMMA = 0x2c;
const LENGTH_DIGITS_MAX = 8;

/**
 * Reads the netstring that begins a request of SCGI: its length in decimal, a colon, names and values that each end with NUL, a comma. CONTENT_LENGTH is the first
 * of them, and SCGI is 1. Null while it is not complete.
 */
export function readScgiNetstring(
  bytes: Buffer,
  { bytesMax, countMax }: VariableLimits,
): ReadVariables | Malformed | null {
  const colon = bytes.subarray(0, LENGTH_DIGITS_MAX + 1).indexOf(COLON);
  const digits = bytes.toString('latin1', 0, colon < 0 ? Math.min(bytes.length, LENGTH_DIGITS_MAX + 1) : colon);
  if (!/^(?:[1-9]\d*)?$/.test(digits) || (colon < 0 && digits.length > LENGTH_DIGITS_MAX) || colon === 0)
    return { wrong: 'a request does not begin with a length and a colon' };
  if (colon < 0) return null;
  const start = colon + 1;
  const end = start + Number(digits);
  if (end > bytesMax) return { wrong: 'the variables are too long' };
  if (bytes.length <= end) return null;
  if (bytes[end] !== COMMA) return { wrong: 'no comma ends the variables' };
  const parts = bytes.toString('latin1', start, end).split('\0');
  if (parts.pop() !== '' || parts.length % 2 !== 0)
    return { wrong: 'the variables are no pairs of a name and a value' };
  if (parts.length / 2 > countMax) return { wrong: 'there are too many variables' };
  if (parts[0] !== 'CONTENT_LENGTH') return { wrong: 'the first variable is not CONTENT_LENGTH' };
  const variables = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) variables.set(parts[i] as string, parts[i + 1] as string);
  if (variables.get('SCGI') !== '1') return { wrong: 'SCGI is not 1' };
  return { variables, length: end + 1 };
}
