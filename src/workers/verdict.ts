import type { Outcomes } from './outcomes.ts';

/** When a new release is worse than the one before. */
export interface VerdictLimits {
  /** By how much the share of failed requests may be higher: 0.05 for five in a hundred. */
  readonly errorRateMax: number;
  /** How many times as long p50 and p95 may be. */
  readonly latencyRatioMax: number;
  /** Fewer requests say nothing. */
  readonly requestsMin: number;
}

/** A release on trial, and the one that it would replace. */
export interface Comparison {
  readonly before: Outcomes;
  readonly after: Outcomes;
  /** How many workers of the release on trial died unasked. */
  readonly crashes: number;
}

/** So many workers may die by accident. */
const CRASHES_MAX = 2;
/**
 * The quantiles that are compared, and how many times as many requests as the others they need: chance decides about the slowest 5 % of a
 * few.
 */
const QUANTILES: readonly (readonly [quantile: number, times: number])[] = [
  [0.5, 1],
  [0.95, 4],
];
/** A difference below this is not felt, and a machine makes such differences by itself. */
const SLOWER_MS_MIN = 10;

/**
 * Why the release on trial is worse than the one before; '' if nothing shows that. It may be asked at any time.
 *
 * A worker that died counts for itself: the requests that it lost are among the failures. A release before that had too few requests counts as one
 * without failures: otherwise one failure of two would excuse a new release that fails half of everything.
 */
export function verdictOn({ before, after, crashes }: Comparison, limits: VerdictLimits): string {
  if (crashes > CRASHES_MAX) return `${crashes} of its workers died`;
  const isKnown = before.requests >= limits.requestsMin;
  const oldRate = isKnown ? before.failureRate : 0;
  if (after.requests >= limits.requestsMin && after.failureRate - oldRate > limits.errorRateMax) {
    const old = isKnown ? `${percent(oldRate)} before` : `only ${before.requests} requests before`;
    return `${percent(after.failureRate)} of its ${after.requests} requests failed (${old})`;
  }
  for (const [quantile, times] of QUANTILES) {
    if (Math.min(after.timed, before.timed) < times * limits.requestsMin) break;
    const [oldMs, newMs] = [before.timeMs(quantile), after.timeMs(quantile)];
    if (newMs > limits.latencyRatioMax * oldMs && newMs - oldMs >= SLOWER_MS_MIN)
      return `p${quantile * 100} of its ${after.timed} requests is ${milliseconds(newMs)} (${milliseconds(oldMs)} before)`;
  }
  return '';
}

/** The figures of a comparison in one line, for the log. */
export function figuresOf({ before, after, crashes }: Comparison): string {
  const failed = `${percent(after.failureRate)} failed (${percent(before.failureRate)} before)`;
  const died = crashes === 0 ? '' : `, ${crashes} of its workers died`;
  if (after.timed === 0 || before.timed === 0) return `${after.requests} requests, ${failed}${died}`;
  const times = QUANTILES.map(([quantile]) => {
    const [oldMs, newMs] = [before.timeMs(quantile), after.timeMs(quantile)];
    return `p${quantile * 100} ${milliseconds(newMs)} (${milliseconds(oldMs)} before)`;
  });
  return `${[`${after.requests} requests`, failed, ...times].join(', ')}${died}`;
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)} %`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
