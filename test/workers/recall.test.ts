import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { Lane, type LaneOwner } from '../../src/workers/lane.ts';
import type { Job } from '../../src/workers/pending-request.ts';
import { RecallWatch } from '../../src/workers/recall.ts';
import { within } from '../support/socket-client.ts';

const PATIENCE_MS = 10_000;

describe('RecallWatch', () => {
  it('asks back what waits behind a slow request', async () => {
    const { lane, recalled } = laneWith(2);
    const watch = new RecallWatch([lane]);
    watch.start();
    await within(PATIENCE_MS, 'the recall', () => recalled);
    watch.stop();
  });

  it('asks back what waits in a lane that gets no more requests', async () => {
    const { lane, recalled } = laneWith(2);
    const watch = new RecallWatch([]);
    watch.keep(lane);
    await within(PATIENCE_MS, 'the recall', () => recalled);
    watch.stop();
  });

  it('leaves alone what nothing waits behind', async () => {
    const alone = laneWith(1);
    const other = laneWith(2);
    const watch = new RecallWatch([alone.lane, other.lane]);
    watch.start();
    await within(PATIENCE_MS, 'the recall of the other', () => other.recalled);
    watch.stop();
    assert.equal(alone.lane.state, 'open');
  });
});

/** A lane whose first of `count` requests has run for ages. */
function laneWith(count: number): { readonly lane: Lane; readonly recalled: Promise<void> } {
  let tell: () => void = () => {};
  const recalled = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const owner: LaneOwner = {
    responseBufferBytesMax: 1,
    onRoom() {},
    onFailed() {},
    onFile() {},
    onAbandoned() {},
    onRecall: () => tell(),
    onRecalled() {},
    onBroken() {},
  };
  const lane = new Lane(new PassThrough() as unknown as Socket, { worker: 1, busyLanes: 1 }, 0, owner);
  for (let id = 1; id <= count; id += 1) lane.inflight.push({ id } as Job);
  lane.headSinceMs = -Infinity;
  return { lane, recalled };
}
