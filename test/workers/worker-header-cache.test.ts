import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerHeaderCache } from '../../src/workers/worker-header-cache.ts';

describe('WorkerHeaderCache', () => {
  it('drops the section that was added first when it is full', () => {
    const cache = new WorkerHeaderCache();
    for (let number = 1; number <= 128; number += 1) cache.learn(number);
    assert.equal(cache.knows(1), true);
    cache.learn(129);
    assert.deepEqual([cache.knows(1), cache.knows(2), cache.knows(129)], [false, true, true]);
  });

  it('is empty after requests came back', () => {
    const cache = new WorkerHeaderCache();
    cache.learn(7);
    cache.forget();
    assert.equal(cache.knows(7), false);
  });
});
