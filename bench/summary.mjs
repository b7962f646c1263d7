import { median, ratio } from './statistics.mjs';

/**
 * What a scenario's samples say of one stack. The ratio is ours to this stack's.
 *
 * @typedef {object} Row
 * @property {string} stack
 * @property {string} [skipped] why it was not measured
 * @property {string} [failure] why its figures do not count
 * @property {number} [value] median
 * @property {number} [cpuMicros] median
 * @property {number} [coreShare] median
 * @property {Record<string, number>} [detail] medians of what else was measured
 * @property {{ median: number, min: number, max: number }} [ratio]
 * @property {{ median: number, min: number, max: number }} [cpuRatio] requests per second of processor time, ours to this stack's
 * @property {number} [target] for the ratio
 * @property {number} [limit] for our own value
 * @property {boolean} [reached]
 * @property {import('./rounds.mjs').Sample[]} samples
 */

/**
 * @param {import('./scenarios/index.mjs').Scenario} scenario
 * @param {Awaited<ReturnType<typeof import('./rounds.mjs').runScenario>>} outcomes
 */
export function summarise(scenario, outcomes) {
  const { id, title, unit, better, targets, limit } = scenario;
  const [first] = scenario.stacks;
  const ours = outcomes.get(first);
  const rows = [...outcomes].map(([stack, outcome]) => {
    const aim = stack === first ? limit : targets[stack];
    const row = { stack, ...outcome, ...(aim === undefined ? {} : { [stack === first ? 'limit' : 'target']: aim }) };
    if ((outcome.skipped ?? outcome.failure) !== undefined || outcome.samples.length === 0) return row;
    Object.assign(row, medians(outcome.samples));
    if (stack === first) return limit === undefined ? row : { ...row, reached: isWithin(row.value, limit, better) };
    if ((ours.skipped ?? ours.failure) !== undefined || ours.samples.length === 0) return row;
    return { ...row, ...compare(ours.samples, outcome.samples, better, targets[stack]) };
  });
  return { id, title, unit, better, rows };
}

function isWithin(value, limit, better) {
  return better === 'higher' ? value >= limit : value < limit;
}

function medians(samples) {
  const middle = (pick) => {
    const values = samples.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const details = Object.keys(samples[0].detail ?? {}).map((name) => [name, middle(({ detail }) => detail[name])]);
  return {
    value: middle(({ value }) => value),
    cpuMicros: middle(({ cpuMicros }) => cpuMicros),
    coreShare: middle(({ coreShare }) => coreShare),
    ...(details.length === 0 ? {} : { detail: Object.fromEntries(details) }),
  };
}

function compare(ours, theirs, better, target) {
  const rates = ratio(values(ours), values(theirs));
  const found = { ratio: rates };
  if (theirs[0].cpuMicros !== undefined) found.cpuRatio = ratio(cpu(theirs), cpu(ours));
  if (target === undefined) return found;
  return { ...found, reached: better === 'higher' ? rates.median >= target : rates.median <= target };
}

function values(samples) {
  return samples.map(({ value }) => value);
}

function cpu(samples) {
  return samples.map(({ cpuMicros }) => cpuMicros);
}
