import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundText, type Family, type MetricFamily, withSamples } from '../../src/metrics/family.ts';
import { Histograms } from '../../src/metrics/histograms.ts';
import { metricsBytes, metricsText } from '../../src/metrics/text.ts';

const COUNTER: MetricFamily = {
  name: 'shop_orders',
  type: 'counter',
  help: 'Orders with "quotes", a \\ and a\nline.',
  unit: '',
  samples: [
    { suffix: '_total', labels: { path: 'a"b\\c\nd', kind: 'é' }, value: 3 },
    { suffix: '_created', labels: { path: 'a"b\\c\nd', kind: 'é' }, value: 1.5 },
  ],
};

function histogram(): Family {
  const histograms = new Histograms({ name: 'wait_seconds', help: 'Waits.', unit: 'seconds', bounds: [0.5, 1] });
  const plain = histograms.add({});
  const named = histograms.add({ http_route: 'shop' });
  for (const value of [0.25, 0.5, 0.75, 3]) histograms.observe(plain, value);
  histograms.observe(named, 1);
  return histograms.family();
}

describe('metrics as text', () => {
  it('are OpenMetrics 1.0: units, an end, and names of counters without their suffix', () => {
    assert.equal(
      metricsText([COUNTER, histogram()], 'openmetrics'),
      `# TYPE shop_orders counter
# HELP shop_orders Orders with \\"quotes\\", a \\\\ and a\\nline.
shop_orders_total{path="a\\"b\\\\c\\nd",kind="é"} 3
shop_orders_created{path="a\\"b\\\\c\\nd",kind="é"} 1.5
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
# HELP wait_seconds Waits.
wait_seconds_bucket{le="0.5"} 2
wait_seconds_bucket{le="1.0"} 3
wait_seconds_bucket{le="+Inf"} 4
wait_seconds_count 4
wait_seconds_sum 4.5
wait_seconds_bucket{http_route="shop",le="0.5"} 0
wait_seconds_bucket{http_route="shop",le="1.0"} 1
wait_seconds_bucket{http_route="shop",le="+Inf"} 1
wait_seconds_count{http_route="shop"} 1
wait_seconds_sum{http_route="shop"} 1
# EOF
`,
    );
  });

  it('are the older format of Prometheus: no unit, no end, and no time of creation', () => {
    const text = metricsText([COUNTER], 'prometheus');
    assert.equal(
      text,
      `# HELP shop_orders_total Orders with "quotes", a \\\\ and a\\nline.
# TYPE shop_orders_total counter
shop_orders_total{path="a\\"b\\\\c\\nd",kind="é"} 3
`,
    );
  });

  it('have the types and numbers that each format knows', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, 1e21, -2];
    const family = (type: MetricFamily['type'], suffix: string): MetricFamily => ({
      name: 'x',
      type,
      help: '',
      unit: '',
      samples: values.map((value) => ({ suffix, labels: {}, value })),
    });
    const numbers = 'x NaN\nx +Inf\nx -Inf\nx 0.1\nx 1e+21\nx -2\n';
    assert.equal(metricsText([family('unknown', '')], 'prometheus'), `# HELP x \n# TYPE x untyped\n${numbers}`);
    assert.match(metricsText([family('info', '_info')], 'prometheus'), /^# HELP x_info \n# TYPE x_info gauge\n/);
    assert.match(metricsText([family('stateset', '')], 'prometheus'), /# TYPE x gauge\n/);
    assert.match(metricsText([family('info', '_info')], 'openmetrics'), /^# TYPE x info\n# HELP x \nx_info NaN\n/);
  });

  it('is the same with the samples of a histogram', () => {
    const family = histogram();
    for (const format of ['openmetrics', 'prometheus'] as const)
      assert.equal(metricsText([withSamples(family)], format), metricsText([family], format));
    const many = Array.from({ length: 2000 }, () => [COUNTER, family]).flat();
    assert.equal(String(metricsBytes(many, 'openmetrics')), metricsText(many, 'openmetrics'), 'longer than the memory');
    assert.deepEqual([boundText(10), boundText(0.005), boundText(undefined)], ['10.0', '0.005', '+Inf']);
  });
});
