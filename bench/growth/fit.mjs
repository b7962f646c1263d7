/**
 * How the cost of a request grows.
 *
 * @typedef {object} Fit
 * @property {number} whole exponent over all points
 * @property {number} tail exponent over the upper half of the points
 * @property {number} low the least tail exponent of one round
 * @property {number} high the largest one
 */

/** A tail exponent above is a fault. bench/README.md has the spread from which these follow. */
export const TAIL_MAX = { work: 1.05, environment: 0.1 };

/**
 * The exponent e of cost = c × n^e: least squares on the logarithms of both. NaN of fewer than two points.
 *
 * @param {readonly { n: number, cost: number }[]} points
 */
export function exponent(points) {
  const logs = points.map(({ n, cost }) => [Math.log(n), Math.log(cost)]);
  const [x, y] = [0, 1].map((axis) => logs.reduce((sum, log) => sum + log[axis], 0) / logs.length);
  const covariance = logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0);
  return covariance / logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0);
}

/** The upper half, with the middle one: what a request costs anyway hides the slope of the lower half. */
export function upperHalf(points) {
  return points.slice(Math.floor(points.length / 2));
}

/**
 * The fit of one stack; null when it could be measured at fewer than three points.
 *
 * @param {readonly { n: number, cost: number, costs: readonly number[] }[]} points ascending, with the cost in each round
 * @returns {Fit | null}
 */
export function fit(points) {
  if (points.length < 3) return null;
  const tail = upperHalf(points);
  const rounds = Math.min(...tail.map(({ costs }) => costs.length));
  const each = Array.from({ length: rounds }, (_, round) =>
    exponent(tail.map(({ n, costs }) => ({ n, cost: costs[round] }))),
  );
  return { whole: exponent(points), tail: exponent(tail), low: Math.min(...each), high: Math.max(...each) };
}
