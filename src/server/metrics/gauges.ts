import type { Combination, Labels, MetricFamily, MetricSample } from '../../metrics/family.ts';

type Values = readonly (readonly [labels: Labels, value: number])[];

interface Head {
  readonly name: string;
  readonly help: string;
  readonly unit?: string;
  readonly combine?: Combination;
}

/** A gauge that is read now. */
export function gauge({ unit = '', ...head }: Head, values: Values): MetricFamily {
  return { ...head, type: 'gauge', unit, samples: samplesOf('', values) };
}

/** A counter that others count. */
export function counter({ unit = '', ...head }: Head, values: Values): MetricFamily {
  return { ...head, type: 'counter', unit, samples: samplesOf('_total', values) };
}

function samplesOf(suffix: string, values: Values): MetricSample[] {
  return values.map(([labels, value]) => ({ suffix, labels, value }));
}
