import type { LatencyHistogram, Overview } from '../../src/trace/overview.ts';

/** Points of the last minutes, for the charts: the oldest first. */
export interface Series {
  readonly seconds: readonly number[];
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly queueMs: readonly number[];
  readonly loopMs: readonly number[];
}

export const POINTS_MAX = 180;

export const NO_POINTS: Series = { seconds: [], requests: [], errors: [], queueMs: [], loopMs: [] };

export function addPoint(series: Series, overview: Overview): Series {
  const second = Date.parse(overview.at) / 1000;
  if ((series.seconds.at(-1) ?? 0) >= second) return series;
  const add = (values: readonly number[], value: number): readonly number[] => [...values, value].slice(-POINTS_MAX);
  return {
    seconds: add(series.seconds, second),
    requests: add(series.requests, overview.rates.requests),
    errors: add(series.errors, overview.rates.errors),
    queueMs: add(series.queueMs, overview.queue.p99Ms),
    loopMs: add(series.loopMs, overview.eventLoop.maxMs),
  };
}

export interface HistogramBar {
  readonly label: string;
  readonly count: number;
  /** Of the largest bar: 0 to 1. */
  readonly height: number;
  readonly isSlow: boolean;
}

/** The bars of a histogram. Those beyond the p99 are slow. */
export function histogramBars({ boundsMs, counts, p99Ms }: LatencyHistogram): readonly HistogramBar[] {
  const most = Math.max(1, ...counts);
  return counts.map((count, index) => {
    const bound = boundsMs[index];
    const label = bound === undefined ? `> ${short(boundsMs.at(-1) ?? 0)}` : short(bound);
    return { label, count, height: count / most, isSlow: (boundsMs[index - 1] ?? 0) >= p99Ms && p99Ms > 0 };
  });
}

function short(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}
