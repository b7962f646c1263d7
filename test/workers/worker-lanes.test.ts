import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { LaneOwner } from '../../src/workers/lane-owner.ts';
import { Pool } from '../../src/workers/pool.ts';
import { WorkerLanes } from '../../src/workers/worker-lanes.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { poolOptions } from '../support/pool.ts';

const NOWHERE = '/nowhere/worker-1.scoreboard';

describe('the lanes of a worker', () => {
  const eachTest = eachTestLifetime();
  const owner = { pid: 1, sectionsMax: 1, requests: 0 } as unknown as LaneOwner;

  /** Two lanes of a worker with two threads, and their other ends. */
  async function twoLanes() {
    const pool = new Pool(poolOptions());
    const lanes = new WorkerLanes(pool, 2, NOWHERE);
    const closed: string[] = [];
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const ends: Socket[] = [];
    for (const index of [0, 1]) {
      const end = connect((listener.address() as AddressInfo).port, '127.0.0.1');
      ends.push(end);
      const [accepted] = (await once(listener, 'connection')) as [Socket];
      assert.equal(lanes.areComplete, false);
      lanes.add(accepted, 1, index, owner, () => closed.push(`${index}: ${lanes.areRead ? 'read' : 'not read'}`));
    }
    listener.close();
    eachTest.after(() => {
      lanes.destroy('the worker ended');
      for (const end of ends) end.destroy();
      pool.stop();
    });
    return { pool, lanes, closed, ends };
  }

  it('are one for each thread', async () => {
    const { lanes } = await twoLanes();
    assert.equal(lanes.areComplete, true);
    assert.deepEqual([lanes.expects(0), lanes.expects(2)], [false, false]);
    assert.equal(new WorkerLanes(lanes.pool, 3, NOWHERE).expects(2), true);
  });

  it('are in the pool only from their admission to their withdrawal', async () => {
    const { pool, lanes } = await twoLanes();
    assert.equal(pool.lanes, 0);
    lanes.admit();
    assert.equal(pool.lanes, 2);
    lanes.withdraw();
    assert.equal(pool.lanes, 0);
  });

  it('move to another pool, and get requests there only if they were admitted and are used', async () => {
    for (const [admits, areUsed, count] of [
      [true, true, 2],
      [true, false, 0],
      [false, true, 0],
    ] as const) {
      const { lanes } = await twoLanes();
      if (admits) lanes.admit();
      const other = new Pool(poolOptions());
      lanes.moveTo(other, areUsed);
      assert.equal(other.lanes, count);
      other.stop();
    }
  });

  it('keep the last one in use when all are in doubt', async () => {
    const { pool, lanes } = await twoLanes();
    lanes.admit();
    lanes.doubt(0);
    assert.equal(pool.lanes, 1);
    lanes.doubt(1);
    assert.equal(pool.lanes, 1);
  });

  it('are read when the last one is closed', async () => {
    const { pool, lanes, closed, ends } = await twoLanes();
    lanes.admit();
    const gone = lanes.all.map(({ socket }) => once(socket, 'close'));
    ends[1]?.destroy();
    await gone[1];
    assert.equal(pool.lanes, 1);
    ends[0]?.destroy();
    await gone[0];
    assert.deepEqual(closed, ['1: not read', '0: read']);
  });

  it('say why there is no scoreboard', () => {
    const lanes = new WorkerLanes(new Pool(poolOptions()), 1, NOWHERE);
    assert.match(lanes.openScoreboard(), /^its scoreboard cannot be read: /);
    lanes.settle('the worker ended');
  });
});
