import { addParam, type CgiParamLimits, type CgiParams, type Malformed } from './params.ts';

/** Reads the complete content of a PARAMS stream: names and values after their lengths (FastCGI 1.0 section 3.4). */
export function readFastCgiParams(bytes: Buffer, { countMax }: CgiParamLimits): CgiParams | Malformed {
  const variables = new Map<string, string>();
  let at = 0;
  let count = 0;
  while (at < bytes.length) {
    const lengths: number[] = [];
    for (let i = 0; i < 2; i += 1) {
      const first = bytes[at] ?? 0;
      const isLong = first >= 0x80;
      if (at + (isLong ? 4 : 1) > bytes.length) return CUT_SHORT;
      lengths.push(isLong ? bytes.readUInt32BE(at) & 0x7fffffff : first);
      at += isLong ? 4 : 1;
    }
    const [nameLength = 0, valueLength = 0] = lengths;
    if (at + nameLength + valueLength > bytes.length) return CUT_SHORT;
    count += 1;
    if (count > countMax) return { reason: 'there are too many variables' };
    const middle = at + nameLength;
    addParam(variables, bytes.toString('latin1', at, middle), bytes.toString('latin1', middle, middle + valueLength));
    at = middle + valueLength;
  }
  return variables;
}

const CUT_SHORT: Malformed = { reason: 'a variable extends beyond the end of the stream' };
