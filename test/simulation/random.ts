import { createRandom } from '../support/random.ts';

/** The only source of chance in a simulation: the same seed gives the same decisions. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = createRandom(seed);
  }

  /** A number from 0 to 1. */
  fraction(): number {
    return this.#next();
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  /** A number between `low` and `high`. Each order of magnitude is as likely as every other. */
  magnitude(low: number, high: number): number {
    return low * (high / low) ** this.#next();
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)] as T;
  }
}
