import { addParam, type CgiParamLimits, type Malformed, type ReadCgiParams } from './params.ts';

const HEAD_BYTES = 4;

/**
 * Reads the packet at the start of a request of the uwsgi protocol: modifier 0, the length of the variables, modifier 0, then names and
 * values, each after its length. Lengths have 16 bits, little-endian. Returns null while the packet is incomplete.
 */
export function readUwsgiPacket(
  bytes: Buffer,
  { bytesMax, countMax }: CgiParamLimits,
): ReadCgiParams | Malformed | null {
  if (bytes.length > 0 && bytes[0] !== 0)
    return { reason: `the packet has modifier ${bytes[0]}, not the 0 of a WSGI request` };
  if (bytes.length < HEAD_BYTES) return null;
  const end = HEAD_BYTES + bytes.readUInt16LE(1);
  if (bytes[3] !== 0) return { reason: `the packet has the second modifier ${bytes[3]}, not 0` };
  if (end > bytesMax) return { reason: 'the variables are too long' };
  if (bytes.length < end) return null;
  const variables = new Map<string, string>();
  let at = HEAD_BYTES;
  let count = 0;
  while (at < end) {
    const name = textAt(bytes, at, end);
    if (name === null) return CUT_SHORT;
    at += 2 + name.length;
    const value = textAt(bytes, at, end);
    if (value === null) return CUT_SHORT;
    at += 2 + value.length;
    count += 1;
    if (count > countMax) return { reason: 'there are too many variables' };
    addParam(variables, name, value);
  }
  return { variables, length: end };
}

const CUT_SHORT: Malformed = { reason: 'a variable extends beyond the end of its packet' };

function textAt(bytes: Buffer, at: number, end: number): string | null {
  if (at + 2 > end) return null;
  const from = at + 2;
  const to = from + bytes.readUInt16LE(at);
  return to > end ? null : bytes.toString('latin1', from, to);
}
