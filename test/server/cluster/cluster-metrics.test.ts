import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Family } from '../../../src/metrics/family.ts';
import { ClusterMetrics } from '../../../src/server/cluster/cluster-metrics.ts';
import type { ServerProcess } from '../../../src/server/cluster/server-process.ts';

/** A server process that has counted `value`. It answers with `answer`. */
function processWith(value: number) {
  const families: Family[] = [
    { name: 'requests', type: 'counter', help: '', unit: '', samples: [{ suffix: '_total', labels: {}, value }] },
  ];
  let answer = (): void => {};
  const ask = (): Promise<readonly Family[]> =>
    new Promise((resolve) => {
      answer = () => resolve(families);
    });
  const serverProcess = { state: 'ready', ask } as unknown as ServerProcess;
  return { serverProcess, answer: () => answer() };
}

const totalOf = (families: readonly Family[] | null): unknown =>
  families?.map((family) => ('samples' in family ? family.samples.map(({ value }) => value) : []));

describe('the metrics of several server processes', () => {
  it('count once what a process counted that ends while another one is still asked', async () => {
    const metrics = new ClusterMetrics();
    const [first, second] = [processWith(5), processWith(7)];
    const scrape = metrics.families([first.serverProcess, second.serverProcess]);
    first.answer();
    await new Promise(setImmediate);
    first.serverProcess.state = 'gone';
    metrics.ended(first.serverProcess);
    second.answer();
    assert.deepEqual(totalOf(await scrape), [[12]]);
  });
});
