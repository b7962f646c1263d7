import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { exposition } from '../../src/metrics/exposition.ts';
import { chooseFormat, type MetricsFormat } from '../../src/metrics/negotiation.ts';

/** What Prometheus 2.42 and 3 send, with and without native histograms. */
const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
const NATIVE =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5';

const CASES: readonly (readonly [accept: string | null, format: MetricsFormat])[] = [
  [PROMETHEUS_2, 'openmetrics'],
  [PROMETHEUS_3, 'openmetrics'],
  [NATIVE, 'protobuf'],
  [NATIVE.replace('delimited', 'text'), 'openmetrics'],
  [null, 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
  ['application/json', 'prometheus'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version="1.0.0"', 'openmetrics'],
  ['application/openmetrics-text;version=0.0.1', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=0.2, text/plain;q=0.3', 'prometheus'],
  ['APPLICATION/OpenMetrics-Text;VERSION=1.0.0', 'openmetrics'],
  [';;,,q=,application/openmetrics-text;q=x', 'prometheus'],
];

describe('the form of metrics', () => {
  for (const [accept, format] of CASES)
    it(`is ${format} for ${accept ?? 'no field'}`, () => assert.equal(chooseFormat(accept), format));

  it('is compressed for a client that takes it, if it is long', async () => {
    const family = (help: string) => ({ name: 'x', type: 'gauge', help, unit: '', samples: [] }) as const;
    const long = [family('a'.repeat(5000))];
    const coded = await exposition({ headers: ['accept-encoding', 'gzip', 'Accept', PROMETHEUS_2] }, long);
    assert.match(coded.lines, /Content-Encoding: gzip\r\n/);
    assert.match(coded.lines, /Content-Type: application\/openmetrics-text; version=1\.0\.0; charset=utf-8\r\n/);
    assert.match(gunzipSync(coded.body as Uint8Array).toString(), /^# TYPE x gauge\n.*\n# EOF\n$/);
    const plain = await exposition({ headers: ['Accept-Encoding', 'gzip'] }, [family('short')]);
    assert.doesNotMatch(plain.lines, /Content-Encoding/);
    assert.equal(String(plain.body), '# HELP x short\n# TYPE x gauge\n');
  });
});
