/** What a metric counts or measures, in the words of OpenMetrics 1.0. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'info' | 'stateset' | 'unknown';

/** One value of a metric. */
export interface MetricSample {
  /** What follows the name of the family: `_total`, `_bucket`, `_sum`, `_count`, `_created`, `_info`, or nothing. */
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its samples: what an exposition is made of (OpenMetrics 1.0, section 4.5, MetricFamily). */
export interface MetricFamily {
  /** Without a suffix, with the unit: `http_server_request_duration_seconds`. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** The end of the name, or '' if the values have no unit. */
  readonly unit: string;
  readonly samples: readonly MetricSample[];
}
