import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Counters } from '../../src/metrics/counters.ts';
import { Histograms } from '../../src/metrics/histograms.ts';

describe('a histogram', () => {
  it('counts a value in the first bucket that has it', () => {
    const histograms = new Histograms({ name: 'x', help: '', unit: '', bounds: [1, 2, 4] });
    const series = histograms.add({});
    for (const value of [0, 1, 1.5, 2, 3, 4, 4.1, 100]) histograms.observe(series, value);
    const [found] = histograms.family().series;
    assert.deepEqual([...(found?.counts ?? [])], [2, 2, 2, 2]);
    assert.equal(found?.sum, 115.6);
    assert.equal(
      found?.native?.reduce((sum, count) => sum + count),
      8,
    );
  });

  it('keeps its counts when it grows', () => {
    const histograms = new Histograms({ name: 'x', help: '', unit: '', bounds: [1] });
    const first = histograms.add({ n: '0' });
    histograms.observe(first, 1);
    for (let i = 1; i < 100; i += 1) histograms.observe(histograms.add({ n: `${i}` }), i);
    const { series } = histograms.family();
    assert.equal(series.length, 100);
    for (const [index, { labels, sum, counts }] of series.entries()) {
      assert.deepEqual([labels, sum], [{ n: `${index}` }, index || 1]);
      assert.deepEqual([...counts], index <= 1 ? [1, 0] : [0, 1]);
    }
  });
});

describe('a counter', () => {
  it('has a series for each value of its label, up to a limit', () => {
    const counters = new Counters({ name: 'x', help: '', label: 'reason', from: ['a'], seriesMax: 3 });
    for (const reason of ['b', 'c', 'd', 'e', 'b']) counters.count(reason);
    const found = counters.family().samples.map(({ labels, value }) => `${labels.reason} ${value}`);
    assert.deepEqual(found, ['a 0', 'b 2', 'c 1', 'other 2']);
  });
});
