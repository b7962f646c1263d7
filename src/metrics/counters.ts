import type { Combination, Labels, MetricFamily } from './family.ts';

export interface CounterOptions {
  /** Without `_total`. */
  readonly name: string;
  readonly help: string;
  readonly unit?: string;
  /** The name of the label that distinguishes the series. */
  readonly label: string;
  readonly combine?: Combination;
  /** Values that are shown with 0 before the first count, so that a rate is right from the start. */
  readonly from?: readonly string[];
  /** Further values of the label count together as `other`: a label must not grow with what clients send. 200 when absent. */
  readonly seriesMax?: number;
}

const SERIES_MAX = 200;
const OTHER = 'other';

/** A counter whose series differ in one label. */
export class Counters {
  readonly #options: CounterOptions;
  readonly #indexes = new Map<string, number>();
  readonly #labels: Labels[] = [];
  readonly #values: number[] = [];

  constructor(options: CounterOptions) {
    this.#options = options;
    for (const value of options.from ?? []) this.index(value);
  }

  /** The index of the series with this value of the label; a new one if there is none. */
  index(value: string): number {
    const known = this.#indexes.get(value);
    if (known !== undefined) return known;
    const { seriesMax = SERIES_MAX } = this.#options;
    if (this.#values.length >= seriesMax && value !== OTHER) return this.index(OTHER);
    const index = this.#values.push(0) - 1;
    this.#indexes.set(value, index);
    this.#labels.push(value === '' ? {} : { [this.#options.label]: value });
    return index;
  }

  /** Adds to the series with this index. */
  addAt(index: number, amount: number): void {
    this.#values[index] = (this.#values[index] as number) + amount;
  }

  /** Counts one for this value of the label. */
  count(value: string): void {
    this.addAt(this.index(value), 1);
  }

  family(): MetricFamily {
    const { name, help, unit = '', combine } = this.#options;
    const samples = this.#values.map((value, index) => ({
      suffix: '_total',
      labels: this.#labels[index] as Labels,
      value,
    }));
    return { name, type: 'counter', help, unit, samples, ...(combine === undefined ? {} : { combine }) };
  }
}
