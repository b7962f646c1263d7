import { applicationCurves } from './application.mjs';
import { contentCurves } from './content.mjs';
import { webCurves } from './web.mjs';

/**
 * What a request costs while one number grows.
 *
 * @typedef {object} Curve
 * @property {string} id
 * @property {string} title
 * @property {string} axis what the number counts
 * @property {'work' | 'environment'} kind whether a request has so many times the work, or has always the same beside so many others
 * @property {readonly number[]} points ascending
 * @property {readonly string[]} stacks names, ours first and then its peer
 * @property {(n: number) => import('../scenarios/index.mjs').Scenario} scenarioAt what is measured at a point. Its samples have `cpuMicros`
 */

/** All, in the order of the tables and the chart. @type {readonly Curve[]} */
export const CURVES = [...applicationCurves, ...webCurves, ...contentCurves];

/** The last, and each second one before it: enough to see that a curve can be measured. */
export function everySecond(points) {
  return points.filter((_, index) => (points.length - 1 - index) % 2 === 0);
}
