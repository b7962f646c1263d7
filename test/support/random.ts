/** Returns a generator of numbers from 0 to 1. The same seed gives the same numbers (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The seed of a test: VIADUCT_TEST_SEED, or else a new one. The test prints it, so that a failure can be repeated. */
export function chooseSeed(): number {
  const seed = Number(process.env.VIADUCT_TEST_SEED);
  return Number.isInteger(seed) && seed > 0 ? seed : Math.floor(Math.random() * 0x7fffffff);
}

/** Bytes that no compression can make fewer. */
export function noise(random: () => number, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
}
