import { type Family, type HistogramSeries, isHistogram, type Labels, type MetricSample } from './family.ts';

/** The metrics of one server process. */
export interface ProcessFamilies {
  /** The value of the label `process` where the values of the processes stay apart. */
  readonly process: string;
  readonly families: readonly Family[];
}

/** The metrics of several server processes as those of one server: see `Combination`. */
export function combineFamilies(processes: readonly ProcessFamilies[]): Family[] {
  const combined = new Map<string, Family>();
  for (const { process, families } of processes) {
    for (const family of families) {
      const own = family.combine === 'each' ? labelled(family, process) : family;
      const before = combined.get(family.name);
      combined.set(family.name, before === undefined ? own : added(before, own));
    }
  }
  return [...combined.values()];
}

/**
 * What remains of a server process that has ended: its counters and histograms, because the sums that contain them must not become less. Gauges
 * end with it, and so do counters that show each process for itself.
 */
export function remainingFamilies(families: readonly Family[]): Family[] {
  return families.filter(({ type, combine = 'sum' }) => combine === 'sum' && REMAINING.has(type));
}

const REMAINING = new Set(['counter', 'histogram', 'summary']);

function labelled(family: Family, process: string): Family {
  const withProcess = <T extends { readonly labels: Labels }>(one: T): T => ({
    ...one,
    labels: { ...one.labels, process },
  });
  return isHistogram(family)
    ? { ...family, series: family.series.map(withProcess) }
    : { ...family, samples: family.samples.map(withProcess) };
}

/** The first of two different families with one name stays: they are of two versions of a program. */
function added(before: Family, family: Family): Family {
  if (isHistogram(before) && isHistogram(family)) {
    const isSame = String(before.bounds) === String(family.bounds);
    return isSame ? { ...before, series: addedSeries(before.series, family.series) } : before;
  }
  if (isHistogram(before) || isHistogram(family)) return before;
  return { ...before, samples: addedSamples(before.samples, family.samples, before.combine ?? 'sum') };
}

function addedSeries(before: readonly HistogramSeries[], more: readonly HistogramSeries[]): HistogramSeries[] {
  const series = new Map(before.map((one) => [keyOf(one.labels), one]));
  for (const one of more) {
    const key = keyOf(one.labels);
    const other = series.get(key);
    if (other === undefined) series.set(key, one);
    else
      series.set(key, {
        labels: one.labels,
        counts: sumOf(other.counts, one.counts),
        sum: other.sum + one.sum,
        native: other.native === null || one.native === null ? null : sumOf(other.native, one.native),
      });
  }
  return [...series.values()];
}

function sumOf(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + (b[index] ?? 0));
}

const NUMBERS = {
  sum: (a: number, b: number) => a + b,
  each: (_: number, b: number) => b,
  max: Math.max,
  min: Math.min,
} as const;

function addedSamples(
  before: readonly MetricSample[],
  more: readonly MetricSample[],
  combination: keyof typeof NUMBERS,
): MetricSample[] {
  const samples = new Map(before.map((one) => [one.suffix + keyOf(one.labels), one]));
  for (const one of more) {
    const key = one.suffix + keyOf(one.labels);
    const other = samples.get(key);
    const combine = one.suffix === '_created' ? NUMBERS.min : NUMBERS[combination];
    samples.set(key, other === undefined ? one : { ...one, value: combine(other.value, one.value) });
  }
  return [...samples.values()];
}

/** The same for the same labels, in whatever order they are. */
function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
