import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Response } from '../../src/http/response.ts';
import type { Project } from '../../src/project/project.ts';
import { ApplicationMetrics } from '../../src/workers/metrics/application-metrics.ts';
import { Pool } from '../../src/workers/pool.ts';
import { Release, type ReleaseEvents } from '../../src/workers/release.ts';
import type { ReleaseOptions } from '../../src/workers/release-options.ts';
import { Replacements } from '../../src/workers/replacements.ts';
import { Runtime } from '../../src/workers/runtime.ts';
import { ServingWorkers } from '../../src/workers/serving-workers.ts';
import type { Worker } from '../../src/workers/worker.ts';
import { WorkerCounts } from '../../src/workers/worker-counts.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { poolOptions } from '../support/pool.ts';

function never(): never {
  assert.fail('no process lives');
}

describe('the workers of the serving release', () => {
  const eachTest = eachTestLifetime();

  /** A release with ready workers, whose processes exist only on paper: the test says when they are ready and dead. */
  async function serve(size: number) {
    const lines: string[] = [];
    const add = (message: string): void => void lines.push(message);
    const log = { info: add, warn: add, error: add };
    const pool = new Pool(poolOptions());
    const runtime = new Runtime({ onHello() {}, onError: assert.fail });
    await runtime.open();
    const replacements = new Replacements(() => serving.replace());
    const serving = new ServingWorkers(log, replacements, new WorkerCounts());
    const events: ReleaseEvents = {
      onLoaded() {},
      onBroken: assert.fail,
      onWarning: assert.fail,
      onHookFailed: assert.fail,
      onZygoteGone: assert.fail,
      onWorkerBroken() {},
      onZygoteBroken: assert.fail,
      metrics: new ApplicationMetrics(assert.fail),
      worker: {
        pool,
        responseBufferBytesMax: 0,
        errorResponse: () => Response.text(500, ''),
        onReady: never,
        onRequestsMax: never,
        onOverdue: never,
        onInterrupted: never,
        onStuck: never,
        onGone: (worker) => serving.gone(worker),
        onImportFailed: assert.fail,
        onLog: never,
        onOutput: never,
      },
    };
    const options: ReleaseOptions = {
      project: {} as Project,
      workers: size,
      threads: 1,
      preload: 'always' as const,
      software: '',
      listeners: [],
      environVariables: [],
      startTimeoutMs: 60_000,
      workerTimeoutMs: 0,
      gracefulTimeoutMs: 1000,
    };
    const release = new Release(1, size, options, runtime, events);
    release.state = 'serving';
    release.fill();
    for (const worker of release.workers.values()) worker.state = 'ready';
    serving.serve(release);
    eachTest.after(() => {
      replacements.cancel();
      for (const worker of [...release.workers.values()]) worker.exited(0);
      replacements.cancel();
      runtime.close();
    });
    const first = Math.min(...release.workers.keys());
    return {
      release,
      serving,
      lines,
      /** The worker with this number, of all that were forked. */
      worker: (number: number): Worker => release.workers.get(first + number) as Worker,
      /** The states of the workers, by their numbers. */
      states: (): string => [...release.workers].map(([number, { state }]) => `${number - first}:${state}`).join(' '),
      ready(number: number): void {
        const worker = this.worker(number);
        worker.state = 'ready';
        serving.ready(worker);
      },
    };
  }

  it('are recycled one at a time, and each leaves when its successor is ready', async () => {
    const site = await serve(2);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.serving.recycle({ worker: site.worker(1), reason: 'large', cause: 'max_rss_bytes' });
    assert.equal(site.states(), '0:ready 1:ready 2:starting');
    site.ready(2);
    assert.equal(site.states(), '0:retiring 1:ready 2:ready 3:starting');
    site.worker(0).exited(0);
    site.ready(3);
    site.worker(1).exited(0);
    assert.equal(site.states(), '2:ready 3:ready');
    assert.deepEqual(
      site.lines.map((line) => line.replaceAll(/worker \d+ /g, '')),
      ['replaces after 0 requests: old', 'replaces after 0 requests: large'],
    );
  });

  it('are recycled once, however often that is asked for', async () => {
    const site = await serve(1);
    for (let i = 0; i < 3; i += 1)
      site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.ready(1);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.worker(0).exited(0);
    assert.equal(site.states(), '1:ready');
  });

  it('wait while as many are leaving as serve', async () => {
    const site = await serve(1);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.ready(1);
    site.serving.recycle({ worker: site.worker(1), reason: 'old', cause: 'max_requests' });
    assert.equal(site.states(), '0:retiring 1:ready');
    site.worker(0).exited(0);
    assert.equal(site.states(), '1:ready 2:starting');
  });

  it('are recycled at once and before the others when that is urgent', async () => {
    const site = await serve(2);
    for (const number of [0, 1])
      site.serving.recycle({ worker: site.worker(number), reason: 'old', cause: 'max_requests' });
    site.ready(2);
    site.ready(3);
    for (const number of [2, 3])
      site.serving.recycle({ worker: site.worker(number), reason: 'old', cause: 'max_requests' });
    assert.equal(site.states(), '0:retiring 1:retiring 2:ready 3:ready');
    for (let i = 0; i < 2; i += 1)
      site.serving.recycle({
        worker: site.worker(3),
        reason: 'a thread is stuck',
        cause: 'request_timeout_ms',
        isUrgent: true,
      });
    assert.equal(site.states(), '0:retiring 1:retiring 2:ready 3:ready 4:starting');
    site.ready(4);
    for (const number of [0, 1, 3]) site.worker(number).exited(0);
    assert.equal(site.states(), '2:ready 4:ready 5:starting');
    assert.match(site.lines.at(-1) ?? '', /: a thread is stuck$/);
  });

  it('serve on when a successor dies, and are recycled later', async () => {
    const site = await serve(2);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.worker(2).exited(3);
    assert.equal(site.states(), '0:ready 1:ready');
    assert.match(site.lines.join('\n'), /died with exit code 3 at its start; worker \d+ serves on, .* in 100 ms/);
    site.serving.recycle({ worker: site.worker(1), reason: 'large', cause: 'max_rss_bytes' });
    assert.equal(site.states(), '0:ready 1:ready', 'the next attempt waits, too');
    site.serving.replace();
    assert.equal(site.states(), '0:ready 1:ready 3:starting');
    site.ready(3);
    assert.equal(site.states(), '0:retiring 1:ready 3:ready 4:starting');
  });

  it('need no further worker when one dies whose successor is starting', async () => {
    const site = await serve(2);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.worker(0).exited(-9);
    site.serving.replace();
    assert.equal(site.states(), '1:ready 2:starting');
    site.ready(2);
    assert.equal(site.states(), '1:ready 2:ready');
  });

  it('are complete again when another one dies while a successor starts', async () => {
    const site = await serve(2);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.worker(1).exited(-9);
    site.serving.replace();
    assert.equal(site.states(), '0:ready 2:starting 3:starting');
    site.ready(2);
    site.ready(3);
    assert.equal(site.states(), '0:retiring 2:ready 3:ready');
  });

  it('are reported when one dies before it has finished, and not when it ends', async () => {
    const site = await serve(2);
    for (const [number, code] of [
      [0, 0],
      [1, -11],
    ] as const) {
      site.serving.recycle({ worker: site.worker(number), reason: 'old', cause: 'max_requests' });
      site.ready(2 + number);
      site.worker(number).exited(code);
    }
    const deaths = site.lines.filter((line) => line.includes('died'));
    assert.equal(deaths.length, 1);
    assert.match(deaths[0] ?? '', /died of SIGSEGV before it had finished$/);
  });

  it('become more and fewer, and the newest leave first', async () => {
    const site = await serve(2);
    site.serving.resize(4, 'requests wait');
    assert.equal(site.states(), '0:ready 1:ready 2:starting 3:starting');
    site.ready(2);
    site.ready(3);
    site.serving.resize(2, 'it is quiet');
    assert.equal(site.states(), '0:ready 1:ready 2:retiring 3:retiring');
    assert.deepEqual(site.lines, [
      'Workers: 4 instead of 2, because requests wait',
      'Workers: 2 instead of 4, because it is quiet',
    ]);
  });

  it('become fewer by those that still start, while the others serve', async () => {
    const site = await serve(1);
    site.serving.resize(3, 'a command asked for it');
    site.serving.resize(1, 'a command asked for it');
    assert.equal(site.states(), '0:ready 1:retiring 2:retiring');
    for (const number of [1, 2]) site.worker(number).exited(-9);
    assert.equal(site.states(), '0:ready');
    assert.ok(site.lines.every((line) => line.startsWith('Workers: ')));
  });

  it('become fewer without harm to the successor of one that is recycled', async () => {
    const site = await serve(1);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_lifetime_ms' });
    site.serving.resize(2, 'requests wait');
    site.serving.resize(1, 'it is quiet');
    assert.equal(site.states(), '0:ready 1:starting 2:retiring');
  });

  it('become fewer by those that wait to be recycled', async () => {
    const site = await serve(3);
    for (const number of [0, 1])
      site.serving.recycle({ worker: site.worker(number), reason: 'old', cause: 'max_requests' });
    site.serving.resize(2, 'it is quiet');
    assert.equal(site.states(), '0:ready 1:retiring 2:ready 3:starting');
    site.ready(3);
    site.worker(1).exited(0);
    site.worker(0).exited(0);
    assert.equal(site.states(), '2:ready 3:ready');
  });

  it('are not recycled any more when another release serves', async () => {
    const site = await serve(2);
    site.serving.recycle({ worker: site.worker(0), reason: 'old', cause: 'max_requests' });
    site.serving.serve(null);
    site.serving.recycle({ worker: site.worker(1), reason: 'old', cause: 'max_requests' });
    site.serving.replace();
    assert.equal(site.states(), '0:ready 1:ready 2:starting');
  });
});
