import { has, isText, listOf } from './checks.ts';

/** Whether `value` is a `Family`. */
export function isFamily(value: unknown): boolean {
  if (!has(value, { name: isText, type: isText, help: isText, unit: isText })) return false;
  return has(value, { bounds: listOf(isValue), series: listOf(isSeries) }) || has(value, { samples: listOf(isSample) });
}

function isSeries(value: unknown): boolean {
  return has(value, {
    labels: isLabels,
    counts: isValues,
    sum: isValue,
    native: (one) => one === null || isValues(one),
  });
}

function isSample(value: unknown): boolean {
  return has(value, { suffix: isText, labels: isLabels, value: isValue });
}

function isLabels(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isText);
}

function isValue(value: unknown): boolean {
  return typeof value === 'number';
}

function isValues(value: unknown): boolean {
  return value instanceof Float64Array;
}
