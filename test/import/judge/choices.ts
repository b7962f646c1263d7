import { createRandom } from '../../support/random.ts';

/** Random choices that a seed repeats. */
export class Choices {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  whole(max: number): number {
    return Math.floor(this.#random() * max);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  one<T>(from: readonly T[]): T {
    return from[this.whole(from.length)] as T;
  }

  /** Up to `max` different ones. */
  some<T>(from: readonly T[], max: number): T[] {
    const count = this.whole(max + 1);
    return [...from]
      .map((each) => ({ each, order: this.#random() }))
      .sort((a, b) => a.order - b.order)
      .slice(0, count)
      .map(({ each }) => each);
  }
}
