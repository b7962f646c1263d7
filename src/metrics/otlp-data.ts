import type { DataPoint, Histogram, HistogramMetricData, MetricData, SumMetricData } from '@opentelemetry/sdk-metrics';
import type { MetricFamily, MetricSample } from './family.ts';

/** Between which times the values were counted, each as seconds and nanoseconds since 1970. */
export interface Period {
  readonly startTime: [number, number];
  readonly endTime: [number, number];
}

/** `DataPointType` and `AggregationTemporality` of the SDK, which is not loaded for two numbers. */
const HISTOGRAM = 0 as HistogramMetricData['dataPointType'];
const GAUGE = 2 as Extract<MetricData, { dataPoints: DataPoint<number>[] }>['dataPointType'];
const SUM = 3 as SumMetricData['dataPointType'];
const CUMULATIVE = 1 as MetricData['aggregationTemporality'];
const DOUBLE = 1 as MetricData['descriptor']['valueType'];

/** Units of UCUM, which OpenTelemetry uses. */
const UNITS: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By', ratio: '1' };

/** Names that OpenTelemetry's semantic conventions for HTTP give to what Prometheus writes with `_`. */
const NAMES: Readonly<Record<string, string>> = {
  http_server_request_duration_seconds: 'http.server.request.duration',
  http_server_request_body_size_bytes: 'http.server.request.body.size',
  http_server_response_body_size_bytes: 'http.server.response.body.size',
  http_server_active_requests: 'http.server.active_requests',
};
const ATTRIBUTES: Readonly<Record<string, string>> = {
  http_route: 'http.route',
  http_request_method: 'http.request.method',
  http_response_status_code: 'http.response.status_code',
  network_protocol_version: 'network.protocol.version',
};

/**
 * A family as OpenTelemetry's SDK has it. Counters are cumulative sums, histograms have explicit buckets, and all others are gauges. Quantiles of
 * summaries are gauges with the attribute `quantile`.
 */
export function toMetricData(family: MetricFamily, period: Period): MetricData[] {
  const descriptor = {
    name: NAMES[family.name] ?? family.name,
    description: family.help,
    unit: UNITS[family.unit] ?? family.unit,
    valueType: DOUBLE,
  };
  const base = { descriptor, aggregationTemporality: CUMULATIVE };
  if (family.type === 'histogram')
    return [{ ...base, dataPointType: HISTOGRAM, dataPoints: histogramPoints(family.samples, period) }];
  const valued = family.samples.filter(({ suffix }) => suffix !== '_created');
  const pointsOf = (samples: readonly MetricSample[]): DataPoint<number>[] =>
    samples.map(({ labels, value }) => ({ ...period, attributes: attributesOf(labels), value }));
  if (family.type === 'counter')
    return [{ ...base, dataPointType: SUM, isMonotonic: true, dataPoints: pointsOf(valued) }];
  const gauge = (name: string, samples: readonly MetricSample[]): MetricData => ({
    ...base,
    descriptor: { ...descriptor, name },
    dataPointType: GAUGE as 2,
    dataPoints: pointsOf(samples),
  });
  const suffixes = [...new Set(valued.map(({ suffix }) => suffix))];
  return suffixes.map((suffix) =>
    gauge(
      descriptor.name + suffix,
      valued.filter((sample) => sample.suffix === suffix),
    ),
  );
}

/** The samples of a classic histogram, whose buckets contain all smaller ones, as points whose buckets do not. */
function histogramPoints(samples: readonly MetricSample[], period: Period): DataPoint<Histogram>[] {
  const points = new Map<string, { attributes: Record<string, string>; buckets: [number, number][]; sum: number }>();
  for (const { suffix, labels, value } of samples) {
    const { le = '', ...others } = labels;
    const key = JSON.stringify(Object.entries(others).sort());
    const point = points.get(key) ?? { attributes: attributesOf(others), buckets: [], sum: 0 };
    points.set(key, point);
    if (suffix === '_bucket') point.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value]);
    else if (suffix === '_sum') point.sum = value;
  }
  return [...points.values()].map(({ attributes, buckets, sum }) => {
    buckets.sort(([a], [b]) => a - b);
    const counts = buckets.map(([, count], index) => count - (buckets[index - 1]?.[1] ?? 0));
    const boundaries = buckets.map(([bound]) => bound).filter(Number.isFinite);
    return { ...period, attributes, value: { buckets: { boundaries, counts }, sum, count: buckets.at(-1)?.[1] ?? 0 } };
  });
}

function attributesOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [ATTRIBUTES[name] ?? name, value]));
}
