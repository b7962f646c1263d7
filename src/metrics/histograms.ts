import type { HistogramFamily, Labels } from './family.ts';
import { NATIVE_SLOTS, nativeSlot } from './native-buckets.ts';

/** How a histogram is described and divided. */
export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly unit: string;
  /** The upper bounds of the buckets, ascending. */
  readonly bounds: readonly number[];
  readonly combine?: HistogramFamily['combine'];
}

const FIRST_CAPACITY = 8;

/**
 * A histogram with any number of series, which differ in their labels. All counts are in one array, so that an observation allocates nothing.
 * Each value is counted twice: in the buckets of the options, and in the exponential ones of a native histogram.
 */
export class Histograms {
  readonly #options: HistogramOptions;
  readonly #bounds: Float64Array;
  readonly #stride: number;
  readonly #labels: Labels[] = [];
  #counts: Float64Array;
  #sums: Float64Array;
  #native: Float64Array;

  constructor(options: HistogramOptions) {
    this.#options = options;
    this.#bounds = Float64Array.from(options.bounds);
    this.#stride = options.bounds.length + 1;
    this.#counts = new Float64Array(FIRST_CAPACITY * this.#stride);
    this.#sums = new Float64Array(FIRST_CAPACITY);
    this.#native = new Float64Array(FIRST_CAPACITY * NATIVE_SLOTS);
  }

  /** Adds a series, and returns its index. */
  add(labels: Labels): number {
    const index = this.#labels.push(labels) - 1;
    if (index === this.#sums.length) this.#grow();
    return index;
  }

  observe(series: number, value: number): void {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= (bounds[middle] as number)) high = middle;
      else low = middle + 1;
    }
    const at = series * this.#stride + low;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sums[series] = (this.#sums[series] as number) + value;
    const native = series * NATIVE_SLOTS + nativeSlot(value);
    this.#native[native] = (this.#native[native] as number) + 1;
  }

  /** The counts so far. They go on to change with the next observation: use them before the event loop turns. */
  family(): HistogramFamily {
    const { name, help, unit, bounds, combine } = this.#options;
    const stride = this.#stride;
    const series = this.#labels.map((labels, index) => ({
      labels,
      counts: this.#counts.subarray(index * stride, (index + 1) * stride),
      sum: this.#sums[index] as number,
      native: this.#native.subarray(index * NATIVE_SLOTS, (index + 1) * NATIVE_SLOTS),
    }));
    return { name, type: 'histogram', help, unit, bounds, series, ...(combine === undefined ? {} : { combine }) };
  }

  #grow(): void {
    this.#counts = doubled(this.#counts);
    this.#sums = doubled(this.#sums);
    this.#native = doubled(this.#native);
  }
}

function doubled(values: Float64Array): Float64Array {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}
