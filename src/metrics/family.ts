/** What a metric counts or measures, in the words of OpenMetrics 1.0. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'info' | 'stateset' | 'unknown';

export type Labels = Readonly<Record<string, string>>;

/**
 * What becomes of the values that several server processes have for the same labels: their sum, which is the default, the largest or the
 * smallest one, or `each`: all of them, with the label `process`.
 */
export type Combination = 'sum' | 'max' | 'min' | 'each';

/** One value of a metric. */
export interface MetricSample {
  /** What follows the name of the family: `_total`, `_bucket`, `_sum`, `_count`, `_created`, `_info`, or nothing. */
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
}

interface FamilyHead {
  /** Without a suffix, with the unit: `http_server_request_duration_seconds`. */
  readonly name: string;
  readonly help: string;
  /** The end of the name, or '' if the values have no unit. */
  readonly unit: string;
  /** `sum` when absent. */
  readonly combine?: Combination;
}

/** A metric with all its samples: what an exposition is made of (OpenMetrics 1.0, section 4.5, MetricFamily). */
export interface MetricFamily extends FamilyHead {
  readonly type: MetricType;
  readonly samples: readonly MetricSample[];
}

/** A histogram as it is counted. It has no samples: they would be objects by the thousand at each scrape. */
export interface HistogramFamily extends FamilyHead {
  readonly type: 'histogram';
  /** The upper bounds of the buckets, ascending, without infinity. */
  readonly bounds: readonly number[];
  readonly series: readonly HistogramSeries[];
}

export interface HistogramSeries {
  readonly labels: Labels;
  /** The number of values in each bucket, not cumulative; the last bucket is that above all bounds. */
  readonly counts: Float64Array;
  /** The sum of all values. */
  readonly sum: number;
  /** The same values in exponential buckets, as `nativeSlot` numbers them; null without such buckets. */
  readonly native: Float64Array | null;
}

/** A metric on its way to an exposition. */
export type Family = MetricFamily | HistogramFamily;

export function isHistogram(family: Family): family is HistogramFamily {
  return 'bounds' in family;
}

/** A family with samples for every series of a histogram: what an exposition in text has. */
export function withSamples(family: Family): MetricFamily {
  if (!isHistogram(family)) return family;
  const { bounds, series, ...head } = family;
  const samples = series.flatMap(({ labels, counts, sum }): MetricSample[] => {
    let count = 0;
    const buckets = Array.from(counts, (inBucket, index) => {
      count += inBucket;
      return { suffix: '_bucket', labels: { ...labels, le: boundText(bounds[index]) }, value: count };
    });
    return [...buckets, { suffix: '_count', labels, value: count }, { suffix: '_sum', labels, value: sum }];
  });
  return { ...head, samples };
}

/** A bound as the label `le` has it: `0.5`, `1.0`, and `+Inf` for the bucket above all bounds (OpenMetrics 1.0, "Canonical Numbers"). */
export function boundText(bound: number | undefined): string {
  if (bound === undefined || bound === Number.POSITIVE_INFINITY) return '+Inf';
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}
