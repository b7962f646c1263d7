import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { MetricFamily } from '../../src/metrics/family.ts';
import { OtlpExport } from '../../src/metrics/otlp-export.ts';
import { eventually } from '../support/wait.ts';

const FAMILIES: readonly MetricFamily[] = [
  {
    name: 'viaduct_workers_started',
    type: 'counter',
    help: 'Workers that were started.',
    unit: '',
    samples: [
      { suffix: '_total', labels: { application: 'shop' }, value: 3 },
      { suffix: '_created', labels: { application: 'shop' }, value: 1_700_000_000 },
    ],
  },
  {
    name: 'http_server_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the head of a request to the end of its response.',
    unit: 'seconds',
    samples: [
      { suffix: '_bucket', labels: { http_route: '/a', le: '0.1' }, value: 2 },
      { suffix: '_bucket', labels: { http_route: '/a', le: '1.0' }, value: 5 },
      { suffix: '_bucket', labels: { http_route: '/a', le: '+Inf' }, value: 6 },
      { suffix: '_count', labels: { http_route: '/a' }, value: 6 },
      { suffix: '_sum', labels: { http_route: '/a' }, value: 4.5 },
      { suffix: '_bucket', labels: { http_route: '/b', le: '+Inf' }, value: 1 },
    ],
  },
  {
    name: 'viaduct_queue_length',
    type: 'gauge',
    help: 'Requests that wait for a worker.',
    unit: '',
    samples: [{ suffix: '', labels: {}, value: 7 }],
  },
  {
    name: 'rpc_duration_seconds',
    type: 'summary',
    help: '',
    unit: 'seconds',
    samples: [
      { suffix: '', labels: { quantile: '0.5' }, value: 0.2 },
      { suffix: '_count', labels: {}, value: 9 },
    ],
  },
];

interface Received {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: the whole of OTLP as JSON
  readonly body: any;
}

/** A receiver of OTLP over HTTP. It answers with `status`. */
class Receiver {
  readonly received: Received[] = [];
  status = 200;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void json(request).then((body) => {
        this.received.push({ path: request.url ?? '', body });
        response.writeHead(this.status, { 'Content-Type': 'application/json' }).end('{}');
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/metrics`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('the export by OTLP', () => {
  let receiver: Receiver;
  let url = '';
  const told: string[] = [];
  const source = {
    collect: async () => FAMILIES,
    onFailure: (reason: string) => told.push(`failure: ${reason}`),
    onRecovery: () => told.push('recovery'),
  };
  const start = (intervalMs: number): Promise<OtlpExport> =>
    OtlpExport.start({ url, intervalMs, service: 'shop', version: '1.2.3' }, source);

  beforeEach(async () => {
    told.length = 0;
    receiver = new Receiver();
    url = await receiver.listen();
  });
  afterEach(() => receiver.close());

  it('sends counters, histograms and gauges with their attributes', async () => {
    const otlp = await start(60_000);
    await otlp.stop();
    const [{ path, body }] = receiver.received as [Received];
    assert.equal(path, '/v1/metrics');
    const [{ resource, scopeMetrics }] = body.resourceMetrics;
    const attributes = new Map(
      resource.attributes.map(({ key, value }: { key: string; value: { stringValue: string } }) => [
        key,
        value.stringValue,
      ]),
    );
    assert.deepEqual([attributes.get('service.name'), attributes.get('service.version')], ['shop', '1.2.3']);
    const metrics = Object.fromEntries(
      scopeMetrics[0].metrics.map((metric: { name: string }) => [metric.name, metric]),
    );
    assert.deepEqual(Object.keys(metrics), [
      'viaduct_workers_started',
      'http.server.request.duration',
      'viaduct_queue_length',
      'rpc_duration_seconds',
      'rpc_duration_seconds_count',
    ]);
    const counter = metrics.viaduct_workers_started.sum;
    assert.deepEqual([counter.isMonotonic, counter.aggregationTemporality, counter.dataPoints.length], [true, 2, 1]);
    assert.equal(counter.dataPoints[0].asDouble, 3);
    const duration = metrics['http.server.request.duration'];
    assert.equal(duration.unit, 's');
    const [first, second] = duration.histogram.dataPoints;
    assert.deepEqual(first.attributes, [{ key: 'http.route', value: { stringValue: '/a' } }]);
    assert.deepEqual(
      [first.explicitBounds, first.bucketCounts.map(Number), Number(first.count), first.sum],
      [[0.1, 1], [2, 3, 1], 6, 4.5],
    );
    assert.deepEqual([second.explicitBounds, second.bucketCounts.map(Number)], [[], [1]]);
    assert.equal(metrics.viaduct_queue_length.gauge.dataPoints[0].asDouble, 7);
  });

  it('goes on by the clock, and tells a failure once', async () => {
    receiver.status = 400;
    const otlp = await start(20);
    await eventually('three attempts', () => receiver.received.length >= 3);
    receiver.status = 200;
    await eventually('a recovery', () => told.includes('recovery'));
    await otlp.stop();
    assert.match(told[0] ?? '', /^failure: /);
    assert.deepEqual(told.slice(1), ['recovery']);
  });

  it('ends while no receiver answers', async () => {
    await receiver.close();
    const otlp = await start(10);
    await eventually('a failure', () => told.length > 0);
    await otlp.stop();
    assert.equal(told.length, 1);
  });

  it('honours the standard variable for attributes', async (t) => {
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'deployment.environment=staging,service.name=other';
    t.after(() => delete process.env.OTEL_RESOURCE_ATTRIBUTES);
    const otlp = await start(60_000);
    await otlp.stop();
    const text = JSON.stringify(receiver.received[0]?.body.resourceMetrics[0].resource);
    assert.match(text, /"deployment.environment","value":\{"stringValue":"staging"/);
    assert.match(text, /"service.name","value":\{"stringValue":"other"/);
  });
});
