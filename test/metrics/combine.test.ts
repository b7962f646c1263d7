import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { combineFamilies, remainingFamilies } from '../../src/metrics/combine.ts';
import type { Combination, Family, MetricType } from '../../src/metrics/family.ts';
import { Histograms } from '../../src/metrics/histograms.ts';
import { metricsText } from '../../src/metrics/text.ts';

function family(
  name: string,
  type: MetricType,
  values: Readonly<Record<string, number>>,
  combine?: Combination,
): Family {
  const suffix = type === 'counter' ? '_total' : '';
  const samples = Object.entries(values).map(([kind, value]) => ({ suffix, labels: { kind }, value }));
  return { name, type, help: '', unit: '', samples, ...(combine === undefined ? {} : { combine }) };
}

function histogram(bounds: readonly number[], values: readonly number[]): Family {
  const histograms = new Histograms({ name: 'h', help: '', unit: '', bounds });
  const series = histograms.add({ b: '1', a: '2' });
  for (const value of values) histograms.observe(series, value);
  return histograms.family();
}

/** The lines with values. */
function linesOf(families: readonly Family[]): string[] {
  return metricsText(families, 'prometheus')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics of several server processes', () => {
  it('are summed, or combined as the family says', () => {
    const processes = [1, 2].map((factor) => ({
      process: `${factor}`,
      families: [
        family('requests', 'counter', { a: factor, [`only${factor}`]: 5 }),
        family('oldest', 'gauge', { a: factor }, 'max'),
        family('expiry', 'gauge', { a: factor }, 'min'),
        family('rss', 'gauge', { a: factor }, 'each'),
        histogram([1], [factor, 0.5]),
      ],
    }));
    assert.deepEqual(linesOf(combineFamilies(processes)), [
      'requests_total{kind="a"} 3',
      'requests_total{kind="only1"} 5',
      'requests_total{kind="only2"} 5',
      'oldest{kind="a"} 2',
      'expiry{kind="a"} 1',
      'rss{kind="a",process="1"} 1',
      'rss{kind="a",process="2"} 2',
      'h_bucket{b="1",a="2",le="1.0"} 3',
      'h_bucket{b="1",a="2",le="+Inf"} 4',
      'h_count{b="1",a="2"} 4',
      'h_sum{b="1",a="2"} 4',
    ]);
  });

  it('keep the sums of a process that has ended, and nothing else of it', () => {
    const families = [
      family('requests', 'counter', { a: 1 }),
      family('cpu', 'counter', { a: 1 }, 'each'),
      family('open', 'gauge', { a: 1 }),
      histogram([1], [1]),
    ];
    assert.deepEqual(
      remainingFamilies(families).map(({ name }) => name),
      ['requests', 'h'],
    );
  });

  it('keep the first of two families that do not fit together', () => {
    const of = (one: Family) => ({ process: '1', families: [one] });
    assert.deepEqual(
      linesOf(combineFamilies([of(histogram([1], [1])), of(histogram([2], [1]))])),
      linesOf([histogram([1], [1])]),
    );
    assert.deepEqual(linesOf(combineFamilies([of(family('h', 'gauge', { a: 1 })), of(histogram([2], [1]))])), [
      'h{kind="a"} 1',
    ]);
  });
});
