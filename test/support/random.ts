/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The seed to test with: what VIADUCT_TEST_SEED says, else a new one. Whoever uses it prints it. */
export function chooseSeed(): number {
  const given = Number(process.env.VIADUCT_TEST_SEED);
  return Number.isInteger(given) && given > 0 ? given : Math.floor(Math.random() * 0x7fffffff);
}

/** Bytes that no compression makes fewer. */
export function noise(random: () => number, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
}
