import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Family, HistogramFamily } from '../../../src/metrics/family.ts';
import type { ServerStatus } from '../../../src/server/status.ts';
import { quantileOf } from '../../../src/server/trace/histogram-window.ts';
import { LocalTraces } from '../../../src/server/trace/local-traces.ts';
import { OverviewMaker } from '../../../src/server/trace/overview-maker.ts';
import { MemoryTraces } from '../../support/memory-traces.ts';
import { documentOf } from '../../support/trace-document.ts';

const WORKER = {
  number: 3,
  pid: 4711,
  release: 1,
  state: 'ready',
  started_at: '2026-03-01T12:00:00.123Z',
  threads: 2,
  threads_busy: 1,
  requests_done: 9,
  rss_bytes: 1000,
  requests: [{ method: 'GET', path: '/slow', client: '', thread: 0, running_ms: 1500, waits_for_client: false }],
} as const;
const QUEUE = {
  waiting: 4,
  waiting_max: 100,
  oldest_ms: 1,
  expected_wait_ms: 1,
  waiting_by_priority: { high: 0, normal: 4, low: 0 },
  entered: 9,
  left: 0,
  refused: { queue_max: 0, queue_delay: 0, client_queue_delay: 0, queue_wait_max: 0, deadline: 0 },
};
const STATUS: ServerStatus = {
  urls: ['http://127.0.0.1:8000'],
  certificates: [{ file: '/a.pem', names: ['a.example'], expires_at: null }],
  processes: [
    {
      pid: 1,
      state: 'serving',
      ready: true,
      reasons: [],
      connections: 7,
      rss_bytes: 500,
      applications: [{ name: 'main', release: null, trial: null, queue: QUEUE, workers: [WORKER] }],
    },
  ],
  backends: [
    { route: 'api', waiting: 0, backends: [{ name: 'http://b', state: 'up', weight: 1, backup: false, active: 2 }] },
  ],
};

function durations(ok: readonly number[], failed: readonly number[]): HistogramFamily {
  const seriesOf = (status: string, counts: readonly number[]) => ({
    labels: { http_response_status_class: status },
    counts: Float64Array.from(counts),
    sum: 0,
    native: null,
  });
  return {
    name: 'http_server_request_duration_seconds',
    type: 'histogram',
    help: '',
    unit: 'seconds',
    bounds: [0.01, 0.1],
    series: [seriesOf('2xx', ok), seriesOf('5xx', failed)],
  };
}

function refuse(): never {
  throw new Error('an overview sends no request');
}

function makerOf(
  metrics: () => readonly Family[] | null,
  traces = new MemoryTraces(),
  startedAt = '2026-03-01T12:00:00.000Z',
): OverviewMaker {
  const nothing = { receive: refuse, handle: refuse, onAnswered: refuse };
  return new OverviewMaker({
    version: '1.2.3',
    startedAt,
    status: async () => STATUS,
    metrics: async () => metrics(),
    traces: new LocalTraces(traces, nothing),
  });
}

describe('an overview', () => {
  it('has the workers with what they run and wait for, backends and certificates', async () => {
    const labels = { application: 'main', slot: '1' };
    const gauge = (name: string, value: number, more = {}): Family => {
      return {
        name,
        type: 'gauge',
        help: '',
        unit: '',
        samples: [{ suffix: '', labels: { ...labels, ...more }, value }],
      };
    };
    const backend = { suffix: '_total', labels: { http_route: 'api', backend: 'http://b' }, value: 11 };
    const overview = await makerOf(() => [
      gauge('viaduct_worker_lock_wait_seconds', 0.004),
      gauge('viaduct_worker_start_time_seconds', Date.parse(WORKER.started_at) / 1000),
      { name: 'viaduct_backend_requests', type: 'counter', help: '', unit: '', samples: [backend] },
    ]).make();
    assert.deepEqual(overview.workers, [
      {
        number: 3,
        pid: 4711,
        application: 'main',
        state: 'ready',
        request: 'GET /slow',
        ageMs: 1500,
        done: 9,
        rssBytes: 1000,
        gilWaitMs: 4,
      },
    ]);
    assert.deepEqual(overview.backends, [{ name: 'http://b', state: 'up', active: 2, requests: 11, failures: 0 }]);
    assert.deepEqual(overview.certificates, [{ names: ['a.example'], validTo: null }]);
    assert.deepEqual([overview.queue.waiting, overview.server.connections, overview.server.version], [4, 7, '1.2.3']);
    assert.equal(JSON.stringify(overview).includes('null,null'), false);
  });

  it('has the requests before the first look of a server that has just started', async () => {
    const startedAt = new Date(Date.now() - 10_000).toISOString();
    let family = durations([40, 0, 0], [0, 0, 0]);
    const maker = makerOf(() => [family], new MemoryTraces(), startedAt);
    const first = await maker.make();
    assert.ok(first.rates.requests > 0 && first.rates.requests <= 4, `${first.rates.requests}`);
    family = durations([41, 0, 0], [0, 0, 0]);
    assert.deepEqual((await maker.make()).latency.counts, [41, 0, 0]);
  });

  it('has rates between two looks, and the latency of the last minute', async () => {
    let family = durations([100, 0, 0], [0, 0, 0]);
    const maker = makerOf(() => [family]);
    const first = await maker.make();
    assert.deepEqual(
      [first.counted, first.rates, first.latency.counts],
      [true, { requests: 0, errors: 0 }, [100, 0, 0]],
    );
    await sleep(1000);
    family = durations([100, 10, 0], [0, 0, 10]);
    const second = await maker.make();
    assert.ok(second.rates.requests > 0 && Math.abs(second.rates.requests - 2 * second.rates.errors) < 1e-9);
    assert.deepEqual(
      [second.latency.boundsMs, second.latency.counts],
      [
        [10, 100],
        [0, 10, 10],
      ],
    );
    const third = await maker.make();
    assert.ok(third.rates.requests > 0, 'two looks at once have the same rates');
  });

  it('says that nothing is counted, and has the own share of the traces', async () => {
    const traces = new MemoryTraces();
    const maker = makerOf(() => null, traces);
    assert.deepEqual([(await maker.make()).counted, (await maker.make()).ownShare], [false, null]);
    traces.keep(
      documentOf({ durationUs: 1000, times: { queueUs: 0, pythonUs: 900, backendUs: 0, clientUs: 0, ownUs: 100 } }),
    );
    traces.keep(documentOf({ durationUs: null }));
    assert.equal((await maker.make()).ownShare, 0.1);
  });
});

describe('a quantile', () => {
  it('is interpolated in its bucket, and the highest bound above all', () => {
    const buckets = { bounds: [1, 2], counts: [0, 10, 0], sum: 0 };
    assert.equal(quantileOf(buckets, 0.5), 1.5);
    assert.equal(quantileOf({ ...buckets, counts: [0, 0, 5] }, 0.99), 2);
    assert.equal(quantileOf({ ...buckets, counts: [0, 0, 0] }, 0.5), 0);
  });
});
