import { latin1 } from './latin1.ts';

/**
 * The length in bits of each octet's code, and last that of EOS (RFC 7541 Appendix B). They are enough, since the code is canonical: codes
 * ascend with their length, and with the octet among those of one length.
 */
// biome-ignore format: sixteen octets in a line
const LENGTHS = Uint8Array.of(
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
);
const EOS = 256;
const LONGEST = 30;
/** Octets of the longest text that n octets may hold: the shortest code has 5 bits. */
const GROWTH = 8 / 5;

const CODES = canonicalCodes();

/**
 * The steps of the decoder: a state and a nibble give the next state in the bits STATE, EMITS if a code ended, and its octet from bit SYMBOL
 * on. No code has fewer than 5 bits, so a nibble ends at most one. Null until the first text arrives.
 */
let steps: Uint32Array | null = null;
const STATE = 0x1ff0;
const STATE_SHIFT = 4;
const EMITS = 1;
const SYMBOL = 16;
/** States 0 to 7 are after as many 1 bits since the last code: what may be padding (RFC 7541 section 5.2). */
const LAST_PADDING_STATE = 7 << STATE_SHIFT;
/** The state after EOS, which no octet leaves. */
const FAILED = EOS;
const STATES = FAILED + 1;

/** Where a text is decoded that has no more octets than this. */
const shared = Buffer.allocUnsafeSlow(4096);

/** Octets that `text` takes. It has one character for each octet. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i += 1) bits += LENGTHS[text.charCodeAt(i) & 0xff] as number;
  return (bits + 7) >>> 3;
}

/** Writes `text` to position `at` of `out`, and returns the position after it. */
export function huffmanEncode(text: string, out: Uint8Array, at: number): number {
  let position = at;
  let pending = 0;
  // Fewer than 8 bits stay pending, so that 24 more fit.
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    const octet = text.charCodeAt(i) & 0xff;
    const code = CODES[octet] as number;
    let length = LENGTHS[octet] as number;
    if (length > 24) {
      length -= 16;
      pending = (pending << length) | (code >>> 16);
      for (count += length; count >= 8; position += 1) {
        count -= 8;
        out[position] = pending >>> count;
      }
      pending = (pending << 16) | (code & 0xffff);
      count += 16;
    } else {
      pending = (pending << length) | code;
      count += length;
    }
    for (; count >= 8; position += 1) {
      count -= 8;
      out[position] = pending >>> count;
    }
  }
  if (count === 0) return position;
  out[position] = (pending << (8 - count)) | (0xff >>> count);
  return position + 1;
}

/** The text of the octets from `start` to `end`; null if they contain EOS or end with more than padding (RFC 7541 section 5.2). */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number): string | null {
  steps ??= decodingSteps();
  const most = Math.ceil((end - start) * GROWTH) + 1;
  const out = most <= shared.length ? shared : Buffer.allocUnsafe(most);
  let length = 0;
  let step = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    // Each step writes an octet, and the next one overwrites it if no code ended: a branch would cost more, since nobody can predict it.
    step = steps[(step & STATE) | (byte >>> 4)] as number;
    out[length] = step >>> SYMBOL;
    length += step & EMITS;
    step = steps[(step & STATE) | (byte & 0xf)] as number;
    out[length] = step >>> SYMBOL;
    length += step & EMITS;
  }
  return (step & STATE) <= LAST_PADDING_STATE ? latin1(out, 0, length) : null;
}

function canonicalCodes(): Uint32Array {
  const counts = new Uint32Array(LONGEST + 1);
  for (const length of LENGTHS) counts[length] = (counts[length] as number) + 1;
  /** The next code of each length. */
  const next = new Uint32Array(LONGEST + 1);
  for (let length = 1; length <= LONGEST; length += 1) {
    next[length] = ((next[length - 1] as number) + (counts[length - 1] as number)) << 1;
  }
  return Uint32Array.from(LENGTHS, (length) => {
    const code = next[length] as number;
    next[length] = code + 1;
    return code;
  });
}

/** The states are the inner nodes of the tree of codes, and FAILED. */
function decodingSteps(): Uint32Array {
  return composed(composed(bitSteps(), 1), 2);
}

/** Steps of `2 * bits` bits each, from those of `bits` bits. */
function composed(half: Uint32Array, bits: number): Uint32Array {
  const mask = (1 << bits) - 1;
  const steps = new Uint32Array(STATES << (2 * bits));
  for (let index = 0; index < steps.length; index += 1) {
    const first = half[index >>> bits] as number;
    const second = half[((first & STATE) >>> (STATE_SHIFT - bits)) | (index & mask)] as number;
    steps[index] = (first & ~STATE) | second;
  }
  return steps;
}

/**
 * Steps of one bit each. Nodes get their numbers in the order in which codes reach them, the root first. EOS is all ones and comes first, so
 * that node n is after n ones for the first of them.
 */
function bitSteps(): Uint32Array {
  const steps = new Uint32Array(2 * STATES);
  let nodes = 1;
  for (let symbol = EOS; symbol >= 0; symbol -= 1) {
    const code = CODES[symbol] as number;
    let node = 0;
    for (let bit = (LENGTHS[symbol] as number) - 1; bit > 0; bit -= 1) {
      const step = 2 * node + ((code >>> bit) & 1);
      if (steps[step] === 0) {
        steps[step] = nodes << STATE_SHIFT;
        nodes += 1;
      }
      node = (steps[step] as number) >>> STATE_SHIFT;
    }
    steps[2 * node + (code & 1)] = symbol === EOS ? FAILED << STATE_SHIFT : (symbol << SYMBOL) | EMITS;
  }
  return steps.fill(FAILED << STATE_SHIFT, 2 * FAILED);
}
