/**
 * The exponential buckets of a native histogram of Prometheus, schema 3: eight for each power of two, so that a bucket's upper bound is 9 %
 * above its lower one. Bucket `i` has the values above 2^((i-1)/8) up to 2^(i/8).
 */
export const NATIVE_SCHEMA = 3;

/** Values up to this one are in the bucket for zero: 2^-20, which is about a microsecond in seconds. */
export const NATIVE_ZERO_MAX = 2 ** -20;

const PER_OCTAVE = 8;
const EXPONENT_MIN = -20;
/** Values above 2^12 count in the last bucket. */
const EXPONENT_MAX = 12;

/** How many slots a series has: one for zero, then one for each bucket. */
export const NATIVE_SLOTS = 1 + (EXPONENT_MAX - EXPONENT_MIN) * PER_OCTAVE;

/** The number of the bucket in `slot`, which is not 0. */
export function bucketOf(slot: number): number {
  return slot + EXPONENT_MIN * PER_OCTAVE;
}

const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);
/** Which of the two words has the exponent: that depends on the machine. */
FLOAT[0] = 1;
const HIGH = WORDS[1] === 0x3ff00000 ? 1 : 0;

/** The first 20 bits of the fraction of 2^(k/8), for k from 1 to 7. */
const FRACTIONS = Uint32Array.from({ length: PER_OCTAVE - 1 }, (_, index) =>
  Math.floor((2 ** ((index + 1) / PER_OCTAVE) - 1) * 2 ** 20),
);
const [F1 = 0, F2 = 0, F3 = 0, F4 = 0, F5 = 0, F6 = 0, F7 = 0] = FRACTIONS;

/** The slot for `value`. The exponent and the first 20 bits of the fraction decide, without a logarithm. */
export function nativeSlot(value: number): number {
  if (!(value > NATIVE_ZERO_MAX)) return 0;
  FLOAT[0] = value;
  const high = WORDS[HIGH] as number;
  const exponent = (high >>> 20) - 1023;
  if (exponent >= EXPONENT_MAX) return NATIVE_SLOTS - 1;
  const fraction = high & 0xfffff;
  const octave = (exponent - EXPONENT_MIN) * PER_OCTAVE;
  if (fraction === 0 && WORDS[1 - HIGH] === 0) return octave; // a power of two is the upper bound of its bucket
  if (fraction < F4) return octave + (fraction < F2 ? (fraction < F1 ? 1 : 2) : fraction < F3 ? 3 : 4);
  return octave + (fraction < F6 ? (fraction < F5 ? 5 : 6) : fraction < F7 ? 7 : 8);
}
