import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pipeline, type PipelineAnswer } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { type MarkedViaduct, startMarked } from '../support/marks.ts';
import { eventually, within } from '../support/wait.ts';

/** Much less than a request behind a slow one would wait: the slow one runs until the test releases it. */
const SOON_MS = 15_000;

describe('requests behind a slow request', () => {
  const eachTest = eachTestLifetime();
  let server: MarkedViaduct;

  /** Starts a server whose lanes have seen that the application is fast, so that each lane gets several requests at once. */
  const start = async (workers: number, threads: number): Promise<void> => {
    server = await startMarked(eachTest, ['--workers', `${workers}`, '--threads', `${threads}`]);
    const load = Array.from({ length: 8 }, async (_, client) => {
      const pipeline = await open();
      for (let i = 0; i < 100; i += 1) await pipeline.get(`/run/warm-${client}-${i}`);
    });
    await Promise.all(load);
  };

  const open = async (): Promise<Pipeline> => {
    const client = await Pipeline.open(server.port);
    eachTest.after(() => client.close());
    return client;
  };

  /** Makes the server process find all of these requests at once, in this order, each on its own connection. */
  const together = async (...targets: string[]): Promise<Promise<PipelineAnswer[]>[]> => {
    const pipelines = await Promise.all(targets.map(open));
    await Promise.all(pipelines.map((pipeline, index) => pipeline.get(`/run/here-${targets[index]?.split('/')[2]}`)));
    process.kill(server.viaduct.pid, 'SIGSTOP');
    const answers = pipelines.map((pipeline, index) => pipeline.get(targets[index] as string));
    await Promise.all(pipelines.map((pipeline) => pipeline.flushed()));
    process.kill(server.viaduct.pid, 'SIGCONT');
    return answers;
  };

  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `fast-${index}`);
  const statuses = async (answers: readonly Promise<PipelineAnswer[]>[]): Promise<(number | undefined)[]> =>
    (await Promise.all(answers)).map(([answer]) => answer?.status);

  const assertOnce = (): void => {
    const twice = [...server.starts()].filter(([, count]) => count !== 1);
    assert.deepEqual(twice, [], 'started more than once');
  };

  for (const [workers, threads] of [
    [2, 1],
    [1, 2],
    [2, 2],
  ] as const) {
    it(`are answered by other lanes meanwhile, with ${workers} workers and ${threads} threads`, async () => {
      await start(workers, threads);
      const fast = names(24);
      const [slow, ...others] = await together('/hold/slow', ...fast.map((name) => `/run/${name}`));
      const got = await within(SOON_MS, 'the fast answers', () => statuses(others));
      assert.deepEqual(new Set(got), new Set([200]));
      assert.ok(!server.marks().some(({ kind, id }) => kind === 'end' && id === 'slow'));
      server.release();
      assert.equal((await slow)?.[0]?.status, 200);
      assertOnce();
    });
  }

  it('are answered when they were done before it, while the same thread runs it', async () => {
    await start(1, 1);
    const [before, slow, behind] = await together('/run/before', '/hold/slow', '/run/behind');
    assert.equal(
      (await within(SOON_MS, 'the answer that is ready', () => before as Promise<PipelineAnswer[]>))[0]?.status,
      200,
    );
    server.release();
    assert.deepEqual(await statuses([slow, behind] as Promise<PipelineAnswer[]>[]), [200, 200]);
    assertOnce();
  });

  it('wait when every lane runs a slow request, and none is lost', async () => {
    await start(1, 2);
    const answers = await together(
      '/hold/slow-0',
      '/hold/slow-1',
      '/hold/slow-2',
      ...names(20).map((name) => `/run/${name}`),
    );
    await eventually(
      'two of them run',
      () => [...server.starts().keys()].filter((id) => id.startsWith('slow')).length === 2,
    );
    server.release();
    assert.deepEqual(new Set(await statuses(answers)), new Set([200]));
    assertOnce();
  });

  it('leave every thread in use, however often they are recalled from a thread that waits for the interpreter lock', async () => {
    await start(1, 3);
    for (let round = 0; round < 6; round += 1) {
      const busy = [`/busy/busy-${round}-0/60`, `/busy/busy-${round}-1/60`];
      const fast = names(12).map((name) => `/run/${name}-${round}`);
      assert.deepEqual(new Set(await statuses(await together(...busy, ...fast))), new Set([200]));
    }
    const holding = ['/hold/a', '/hold/b', '/hold/c'].map(async (target) => (await open()).get(target));
    await eventually('all three threads run a request', () => ['a', 'b', 'c'].every((id) => server.starts().has(id)));
    server.release();
    assert.deepEqual(await statuses(holding), [200, 200, 200]);
    const again = [...server.starts()].filter(([id, count]) => count !== 1 && !id.startsWith('here-'));
    assert.deepEqual(again, []);
  });
});
