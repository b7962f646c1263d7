import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lane } from '../../src/workers/lane.ts';
import { LaneTable } from '../../src/workers/lane-table.ts';
import type { PendingRequest } from '../../src/workers/pending-request.ts';
import { idleLane } from '../support/lane.ts';

const DEPTH_MAX = 64;
const MANY = 1000;

describe('the table of lanes, when requests are very short', () => {
  it('fills one lane before it wakes a second worker, if there is one processor', () => {
    const { table, lanes } = tableOf({ workers: 16, threads: 4, ns: 6000, processors: 1 });
    assert.deepEqual(take(table, 64), [64]);
    assert.equal(lanes.filter(({ inflight }) => inflight.length > 0).length, 1);
  });

  it('wakes as many workers as there are processors, each for what is worth waking it', () => {
    const { table } = tableOf({ workers: 16, threads: 1, ns: 6000, processors: 4 });
    assert.deepEqual(take(table, 20), [5, 5, 5, 5]);
  });

  it('leaves a lane alone that is slow, full, closed or gone', () => {
    const { table, lanes } = tableOf({ workers: 4, threads: 1, ns: 6000, processors: 1 });
    const [recalling, closed, gone] = lanes as [Lane, Lane, Lane];
    recalling.recall();
    closed.close();
    assert.equal(table.remove(gone), true);
    assert.equal(table.remove(gone), false);
    assert.deepEqual(take(table, MANY), [DEPTH_MAX]);
  });
});

describe('the table of lanes, when requests are not short', () => {
  it('takes an idle worker before an idle thread of a busy worker', () => {
    const { table, lanes } = tableOf({ workers: 4, threads: 4, ns: 5_000_000, processors: 1 });
    take(table, 4);
    assert.deepEqual(new Set(busy(lanes).map(({ worker }) => worker)).size, 4);
  });

  it('gives each lane one request, and then none, when they take a millisecond', () => {
    const { table } = tableOf({ workers: 2, threads: 2, ns: 1_000_000, processors: 2 });
    assert.deepEqual(take(table, MANY), [1, 1, 1, 1]);
  });

  it('gives each lane as many as wait for less than a millisecond', () => {
    const { table } = tableOf({ workers: 2, threads: 2, ns: 300_000, processors: 2 });
    assert.deepEqual(take(table, MANY), [4, 4, 4, 4]);
  });

  it('gives each lane one request before anything was measured', () => {
    const { table } = tableOf({ workers: 2, threads: 2, ns: 0, processors: 2 });
    assert.deepEqual(take(table, MANY), [1, 1, 1, 1]);
  });

  it('forgets one slow request among short ones, but not that all have become slow', () => {
    const { table, lanes } = tableOf({ workers: 1, threads: 1, ns: 10_000, processors: 1 });
    const [lane] = lanes as [Lane];
    lane.entry?.measure(20_000_000);
    assert.equal(take(table, MANY).length, 1);
    assert.equal(lane.inflight.length, DEPTH_MAX);
    for (let i = 0; i < 20; i += 1) lane.entry?.measure(20_000_000);
    lane.inflight.length = 1;
    lane.entry?.update();
    assert.equal(table.choose(), null);
  });
});

describe('the table of lanes, when each worker has a busy lane', () => {
  it('puts a short request behind another one rather than wake a second thread of its worker', () => {
    const { table } = tableOf({ workers: 1, threads: 4, ns: 20_000, processors: 8 });
    assert.deepEqual(take(table, 5), [5]);
    assert.deepEqual(take(table, 1), [5, 1]);
  });
});

function tableOf(given: { workers: number; threads: number; ns: number; processors: number }): {
  readonly table: LaneTable;
  readonly lanes: readonly Lane[];
} {
  const table = new LaneTable(DEPTH_MAX, given.processors);
  const lanes = Array.from({ length: given.workers * given.threads }, (_, index) =>
    idleLane(1 + (index % given.workers)),
  );
  for (const lane of lanes) {
    lane.averageNs = given.ns;
    table.add(lane);
    if (given.ns > 0) lane.entry?.measure(given.ns);
  }
  all.set(table, lanes);
  return { table, lanes };
}

const all = new WeakMap<LaneTable, readonly Lane[]>();

/** Lets the table choose up to `count` times. Returns the numbers of requests of the lanes that have some, highest first. */
function take(table: LaneTable, count: number): number[] {
  for (let i = 0; i < count; i += 1) {
    const lane = table.choose();
    if (lane === null) break;
    lane.inflight.push({} as PendingRequest);
    lane.entry?.update();
  }
  return busy(all.get(table) as Lane[])
    .map(({ inflight }) => inflight.length)
    .sort((a, b) => b - a);
}

function busy(lanes: readonly Lane[]): Lane[] {
  return lanes.filter(({ inflight }) => inflight.length > 0);
}
