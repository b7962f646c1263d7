import { addParam, type CgiParamLimits, type Malformed, type ReadCgiParams } from './params.ts';

const COLON = 0x3a;
const COMMA = 0x2c;
const LENGTH_DIGITS_MAX = 8;

/**
 * Reads the netstring at the start of an SCGI request: its length in decimal, a colon, names and values that each end with NUL, a comma.
 * The first name must be CONTENT_LENGTH, and SCGI must be 1. Returns null while the netstring is incomplete.
 */
export function readScgiNetstring(
  bytes: Buffer,
  { bytesMax, countMax }: CgiParamLimits,
): ReadCgiParams | Malformed | null {
  const colon = bytes.subarray(0, LENGTH_DIGITS_MAX + 1).indexOf(COLON);
  const digits = bytes.toString('latin1', 0, colon < 0 ? Math.min(bytes.length, LENGTH_DIGITS_MAX + 1) : colon);
  if (!/^(?:[1-9]\d*)?$/.test(digits) || (colon < 0 && digits.length > LENGTH_DIGITS_MAX) || colon === 0)
    return { reason: 'the request does not start with a length and a colon' };
  if (colon < 0) return null;
  const start = colon + 1;
  const end = start + Number(digits);
  if (end > bytesMax) return { reason: 'the variables are too long' };
  if (bytes.length <= end) return null;
  if (bytes[end] !== COMMA) return { reason: 'the variables do not end with a comma' };
  const parts = bytes.toString('latin1', start, end).split('\0');
  if (parts.pop() !== '' || parts.length % 2 !== 0)
    return { reason: 'the variables are not pairs of a name and a value' };
  if (parts.length / 2 > countMax) return { reason: 'there are too many variables' };
  if (parts[0] !== 'CONTENT_LENGTH') return { reason: 'the first variable is not CONTENT_LENGTH' };
  const variables = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) addParam(variables, parts[i] as string, parts[i + 1] as string);
  if (variables.get('SCGI') !== '1') return { reason: 'SCGI is not 1' };
  return { variables, length: end + 1 };
}
