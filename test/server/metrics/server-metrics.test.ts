import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { countLostLines } from '../../../src/log/lost-lines.ts';
import type { Family } from '../../../src/metrics/family.ts';
import { metricsText } from '../../../src/metrics/text.ts';
import { ServerMetrics } from '../../../src/server/metrics/server-metrics.ts';
import type { ApplicationServer } from '../../../src/workers/application-server.ts';
import { WorkerCounts } from '../../../src/workers/worker-counts.ts';
import { requestOf } from '../../support/handler.ts';

const REPORT = {
  process: {
    pid: 1,
    state: 'serving',
    ready: true,
    reasons: [],
    connections: 3,
    rss_bytes: 1,
    applications: [],
  },
  certificates: [
    { file: '/a.pem', names: ['a.example'], expires_at: '2027-01-01T00:00:00.000Z' },
    { file: '/b.pem', names: ['b.example'], expires_at: null },
  ],
  backends: [
    {
      route: 'api',
      waiting: 2,
      backends: [{ name: 'http://b', state: 'down', weight: 1, backup: false, active: 4 }],
    },
  ],
} as const;

const warnings: string[] = [];

function applicationWith(families: readonly Family[]): ApplicationServer {
  const application = { metrics: async () => families, workers: [], workerCounts: new WorkerCounts(), leftWaiting: 0 };
  return application as unknown as ApplicationServer;
}

function measured(t: TestContext, applications: [string, ApplicationServer][] = []): ServerMetrics {
  warnings.length = 0;
  const open = ['HTTP/1.1', 'HTTP/2.0', 'HTTP/2.0'] as const;
  const metrics = new ServerMetrics({
    report: () => REPORT,
    connectionsByProtocol: () => [['h2', 1]],
    openRequests: () =>
      open.map((protocol) => ({ request: requestOf({ protocol }), isResponding: false, startedAtMs: 1 })),
    applications: () => applications,
    warn: (text) => warnings.push(text),
    proxies: () => new Map([['api', { counts: () => [{ name: 'http://b', requests: 9, failures: 5 }] }]]),
  });
  t.after(() => metrics.stop());
  return metrics;
}

async function textOf(metrics: ServerMetrics): Promise<string> {
  return metricsText(await metrics.families(), 'openmetrics');
}

function gauge(name: string, value: number): Family {
  return { name, type: 'gauge', help: '', unit: '', samples: [{ suffix: '', labels: {}, value }] };
}

describe('the metrics of a server process', () => {
  it('show what the server knows at the scrape', async (t) => {
    const metrics = measured(t);
    metrics.onServed('h2', true);
    metrics.onRefused('connection', 'TLS: unsupported protocol');
    metrics.onRefused('request', 'Host is missing');
    countLostLines('access', 'journal').lines = 12;
    countLostLines('access', 'journal').lines = 1;
    metrics.measure(
      new Map([['api', { measure: (onMeasured) => [40, 60].forEach((ms) => void onMeasured('http://b', ms)) }]]),
    );
    const lines = (await textOf(metrics)).split('\n');
    for (const line of [
      'http_server_active_requests 3',
      'viaduct_http2_streams 2',
      'viaduct_connections{protocol="h2"} 1',
      'viaduct_connections_accepted_total{protocol="h2"} 1',
      'viaduct_connections_refused_total{reason="TLS: unsupported protocol"} 1',
      'viaduct_requests_refused_total{reason="Host is missing"} 1',
      'viaduct_tls_handshakes_total{outcome="success"} 1',
      'viaduct_tls_handshakes_total{outcome="failure"} 1',
      'viaduct_certificate_expiry_timestamp_seconds{file="/a.pem"} 1798761600',
      'viaduct_backend_up{http_route="api",backend="http://b"} 0',
      'viaduct_backend_active_requests{http_route="api",backend="http://b"} 4',
      'viaduct_backend_queue_requests{http_route="api"} 2',
      'viaduct_backend_requests_total{http_route="api",backend="http://b"} 9',
      'viaduct_backend_failures_total{http_route="api",backend="http://b"} 5',
      'viaduct_log_lines_dropped_total{log="access",output="journal"} 13',
      'viaduct_backend_duration_seconds_bucket{http_route="api",backend="http://b",le="0.05"} 1',
      'viaduct_backend_duration_seconds_count{http_route="api",backend="http://b"} 2',
      'viaduct_ready 1',
    ])
      assert.ok(lines.includes(line), `${line} is missing`);
  });

  it('contain those of the applications, unless they have a name of the server', async (t) => {
    const families = [gauge('shop_baskets', 7), gauge('process_open_fds', 99)];
    const metrics = measured(t, [['main', applicationWith(families)]]);
    const text = await textOf(metrics);
    assert.match(text, /^shop_baskets 7$/m);
    assert.equal(text.match(/^# TYPE process_open_fds /gm)?.length, 1);
    assert.doesNotMatch(text, /^process_open_fds 99$/m);
    await textOf(metrics);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /process_open_fds of application main: the server has a metric of this name/);
  });
});
