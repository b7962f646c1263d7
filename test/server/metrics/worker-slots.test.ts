import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerSlots } from '../../../src/server/metrics/worker-slots.ts';

describe('the slot of a worker', () => {
  it('stays the same for as long as the worker lives, and is the lowest that is free', () => {
    const slots = new WorkerSlots();
    assert.deepEqual(slots.assign([7, 8, 9]), [1, 2, 3]);
    assert.deepEqual(slots.assign([9, 7, 8]), [3, 1, 2]);
    assert.deepEqual(slots.assign([7, 9, 10]), [1, 3, 2]);
    assert.deepEqual(slots.assign([7, 9, 10, 11]), [1, 3, 2, 4]);
    assert.deepEqual(slots.assign([]), []);
    assert.deepEqual(slots.assign([20]), [1]);
  });
});
