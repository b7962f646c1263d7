import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LaneMemory } from '../../src/workers/worker-header-cache.ts';

describe('what a lane knows of recurring sections', () => {
  it('is what it learned last: the first makes room', () => {
    const memory = new LaneMemory();
    for (let number = 1; number <= 128; number += 1) memory.learn(number);
    assert.equal(memory.knows(1), true);
    memory.learn(129);
    assert.deepEqual([memory.knows(1), memory.knows(2), memory.knows(129)], [false, true, true]);
  });

  it('is nothing after requests came back', () => {
    const memory = new LaneMemory();
    memory.learn(7);
    memory.forget();
    assert.equal(memory.knows(7), false);
  });
});
