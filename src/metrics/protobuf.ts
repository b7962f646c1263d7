import {
  type Family,
  type HistogramSeries,
  isHistogram,
  type Labels,
  type MetricFamily,
  type MetricSample,
} from './family.ts';
import { bucketOf, NATIVE_SCHEMA, NATIVE_ZERO_MAX } from './native-buckets.ts';

/**
 * Writes metrics as delimited messages `io.prometheus.client.MetricFamily` (metrics.proto of Prometheus's client_model). It is the only form with
 * native histograms. They are sent together with the classic buckets, so that the receiver chooses.
 */
export function metricsProtobuf(families: Iterable<Family>): Buffer {
  const messages: Buffer[] = [];
  for (const family of families) {
    const message = familyMessage(family);
    messages.push(varint(message.length), message);
  }
  return Buffer.concat(messages);
}

/** The numbers of the enumeration MetricType. */
const TYPES = { counter: 0, gauge: 1, summary: 2, unknown: 3, histogram: 4, info: 1, stateset: 1 } as const;

function familyMessage(family: Family): Buffer {
  const { name, help, type, unit } = family;
  const suffixed = type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name;
  const metrics = isHistogram(family)
    ? family.series.map((series) => histogramMetric(series, family.bounds))
    : metricsOf(family);
  return Buffer.concat([
    text(1, suffixed),
    text(2, help),
    number(3, TYPES[type]),
    ...metrics.map((metric) => bytes(4, metric)),
    ...(unit === '' ? [] : [text(5, unit)]),
  ]);
}

function histogramMetric({ labels, counts, sum, native }: HistogramSeries, bounds: readonly number[]): Buffer {
  let count = 0;
  const buckets = Array.from(counts, (inBucket, index) => {
    count += inBucket;
    return bucket(count, bounds[index] ?? Number.POSITIVE_INFINITY);
  });
  const parts = [number(1, count), double(2, sum), ...buckets, ...(native === null ? [] : nativeParts(native))];
  return Buffer.concat([...labelPairs(labels), bytes(7, Buffer.concat(parts))]);
}

function bucket(count: number, bound: number): Buffer {
  return bytes(3, Buffer.concat([number(1, count), double(2, bound)]));
}

/** Spans of buckets that are not empty, and the difference of each count from the one before it. */
function nativeParts(native: Float64Array): Buffer[] {
  const spans: Buffer[] = [];
  const deltas: Buffer[] = [];
  let expected = 0; // the bucket after the last span; the offset of the first span counts from 0
  let before = 0;
  for (let slot = 1; slot < native.length; slot += 1) {
    if (native[slot] === 0) continue;
    const start = bucketOf(slot);
    let length = 0;
    for (; slot < native.length && native[slot] !== 0; slot += 1) {
      const count = native[slot] as number;
      deltas.push(zigzag(count - before));
      before = count;
      length += 1;
    }
    spans.push(bytes(12, Buffer.concat([tag(1, 0), zigzag(start - expected), number(2, length)])));
    expected = start + length;
  }
  const packed = deltas.length === 0 ? [] : [bytes(13, Buffer.concat(deltas))];
  // A histogram without values has a span of no length: without it, a receiver would take it for a classic one.
  const empty = spans.length === 0 ? [bytes(12, Buffer.concat([tag(1, 0), zigzag(0), number(2, 0)]))] : [];
  return [
    tag(5, 0),
    zigzag(NATIVE_SCHEMA),
    double(6, NATIVE_ZERO_MAX),
    number(7, native[0] as number),
    ...spans,
    ...empty,
    ...packed,
  ];
}

/** The metrics of a family with samples. Those of a histogram or summary with the same labels are one metric. */
function metricsOf({ type, samples }: MetricFamily): Buffer[] {
  if (type === 'histogram' || type === 'summary') return distributions(type, samples);
  const field = type === 'counter' ? 3 : type === 'unknown' ? 5 : 2;
  return samples
    .filter(({ suffix }) => suffix !== '_created')
    .map(({ labels, value }) => Buffer.concat([...labelPairs(labels), bytes(field, double(1, value))]));
}

interface Distribution {
  readonly labels: Labels;
  count: number;
  sum: number;
  readonly parts: Buffer[];
}

function distributions(type: 'histogram' | 'summary', samples: readonly MetricSample[]): Buffer[] {
  const found = new Map<string, Distribution>();
  for (const { suffix, labels, value } of samples) {
    const { le, quantile, ...others } = labels as Record<string, string>;
    const key = JSON.stringify(others);
    const one = found.get(key) ?? { labels: others, count: 0, sum: 0, parts: [] };
    found.set(key, one);
    if (suffix === '_count') one.count = value;
    else if (suffix === '_sum') one.sum = value;
    else if (suffix === '_bucket') one.parts.push(bucket(value, Number(le === '+Inf' ? Number.POSITIVE_INFINITY : le)));
    else if (suffix === '')
      one.parts.push(bytes(3, Buffer.concat([double(1, Number(quantile ?? 0)), double(2, value)])));
  }
  const field = type === 'histogram' ? 7 : 4;
  return Array.from(found.values(), ({ labels, count, sum, parts }) =>
    Buffer.concat([...labelPairs(labels), bytes(field, Buffer.concat([number(1, count), double(2, sum), ...parts]))]),
  );
}

function labelPairs(labels: Labels): Buffer[] {
  return Object.entries(labels).map(([name, value]) => bytes(1, Buffer.concat([text(1, name), text(2, value)])));
}

/** The start of a field: its number and how its value is written (0 a varint, 1 eight bytes, 2 a length and bytes). */
function tag(field: number, wire: 0 | 1 | 2): Buffer {
  return varint(field * 8 + wire);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, 0), varint(value)]);
}

function double(field: number, value: number): Buffer {
  const memory = Buffer.alloc(8);
  memory.writeDoubleLE(value);
  return Buffer.concat([tag(field, 1), memory]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

function bytes(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([tag(field, 2), varint(value.length), value]);
}

/** A whole number below 2^53, seven bits in each byte. */
function varint(value: number): Buffer {
  const parts: number[] = [];
  let rest = value;
  while (rest >= 128) {
    parts.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...parts, rest]);
}

/** A signed number (sint32, sint64). */
function zigzag(value: number): Buffer {
  return varint(value < 0 ? -2 * value - 1 : 2 * value);
}
