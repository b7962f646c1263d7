import { fit, TAIL_MAX } from './fit.mjs';

/**
 * The points of a curve at which a stack could be measured.
 *
 * @param {Measured} curve
 * @param {string} stack
 * @typedef {{ n: number, rows: ReturnType<typeof import('../summary.mjs').summarise>['rows'] }} Point
 * @typedef {Omit<import('./curves.mjs').Curve, 'scenarioAt'> & { points: readonly Point[] }} Measured
 */
export function costsOf({ points }, stack) {
  return points.flatMap(({ n, rows }) => {
    const { cpuMicros, failure, samples = [] } = rows.find((row) => row.stack === stack) ?? {};
    if (cpuMicros === undefined || failure !== undefined) return [];
    return [{ n, cost: cpuMicros, costs: samples.map((sample) => sample.cpuMicros) }];
  });
}

/**
 * The fits of a curve, by stack, and whether ours grows faster than the work.
 *
 * @param {Measured} curve
 */
export function judge(curve) {
  const fits = new Map(curve.stacks.map((stack) => [stack, fit(costsOf(curve, stack))]));
  const limit = TAIL_MAX[curve.kind];
  const ours = fits.get(curve.stacks[0]);
  return { fits, limit, isFault: ours !== null && ours.tail > limit };
}
