import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LaneMemory } from '../../src/app/lane-memory.ts';

describe('what a lane knows of recurring sections', () => {
  it('gives the slot of the oldest to a new one when all are taken', () => {
    const memory = new LaneMemory();
    for (let number = 1; number <= 128; number += 1) memory.learn(number);
    assert.equal(memory.find(1), 0);
    assert.equal(memory.learn(129), 0);
    assert.equal(memory.find(1), undefined);
    assert.equal(memory.find(2), 1);
  });

  it('knows nothing after requests came back', () => {
    const memory = new LaneMemory();
    memory.learn(7);
    memory.forget();
    assert.equal(memory.find(7), undefined);
  });
});
