import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lane } from '../../src/workers/lane.ts';
import { RecallWatch } from '../../src/workers/recall.ts';
import { makeLane } from '../support/lane.ts';
import { within } from '../support/wait.ts';

const TIMEOUT_MS = 10_000;

describe('RecallWatch', () => {
  it('recalls requests that wait behind a slow one', async () => {
    const { lane, recalled } = laneWith(2);
    const watch = new RecallWatch();
    watch.watch(lane);
    await within(TIMEOUT_MS, 'the recall', () => recalled);
    watch.stop();
  });

  it('leaves a lane alone when no request waits in it', async () => {
    const alone = laneWith(1);
    const other = laneWith(2);
    const watch = new RecallWatch();
    for (const { lane } of [alone, other]) watch.watch(lane);
    await within(TIMEOUT_MS, 'the recall of the other lane', () => other.recalled);
    watch.stop();
    assert.equal(alone.lane.state, 'open');
  });
});

/** A lane whose first of `count` requests has run for a very long time. */
function laneWith(count: number): { readonly lane: Lane; readonly recalled: Promise<void> } {
  let resolveRecall: () => void = () => {};
  const recalled = new Promise<void>((resolve) => {
    resolveRecall = resolve;
  });
  const { lane } = makeLane(
    Array.from({ length: count }, (_, index) => index + 1),
    { onRecall: () => resolveRecall() },
  );
  lane.headSinceMs = -Infinity;
  return { lane, recalled };
}
