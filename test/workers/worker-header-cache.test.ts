import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sectionsMaxOf, WorkerHeaderCache } from '../../src/workers/worker-header-cache.ts';

const ROOM = 128;

describe('WorkerHeaderCache', () => {
  it('gives a new section the slot of the oldest one when connections come and go', () => {
    const cache = new WorkerHeaderCache(4096);
    for (let number = 1; number <= 10_000; number += 1) assert.ok(cache.learn(number) <= ROOM);
    assert.equal(cache.find(10_000 - ROOM), 0);
    const slots = new Set(range(10_001 - ROOM, 10_000).map((number) => cache.find(number)));
    assert.equal(slots.size, ROOM, 'each has a slot of its own');
    assert.equal(slots.has(0), false);
  });

  it('knows all sections of connections that come back, up to its limit', () => {
    const cache = new WorkerHeaderCache(4096);
    for (let round = 0; round < 3; round += 1) ask(cache, 2000);
    assert.equal(ask(cache, 2000), 2000);
    const slots = new Set(range(1, 2000).map((number) => cache.find(number)));
    assert.equal(slots.size, 2000);
    assert.ok(Math.max(...slots) <= 2200, 'there are hardly more slots than connections');
  });

  it('keeps most sections when more connections come back than it may have slots', () => {
    const cache = new WorkerHeaderCache(ROOM);
    for (let round = 0; round < 10; round += 1) ask(cache, 200);
    assert.ok(ask(cache, 200) > 50, 'in turns, the oldest would always be the next');
    assert.ok(Math.max(...range(1, 200).map((number) => cache.find(number))) <= ROOM);
  });

  it('finds slots for new connections after it was full of connections that ended', () => {
    const cache = new WorkerHeaderCache(ROOM);
    for (let round = 0; round < 10; round += 1) ask(cache, 1000);
    let known = 0;
    for (let round = 0; round < 20; round += 1) known = ask(cache, 100, 5000);
    assert.equal(known, 100);
  });

  it('is empty after requests came back', () => {
    const cache = new WorkerHeaderCache(ROOM);
    cache.learn(7);
    cache.forget();
    assert.equal(cache.find(7), 0);
    assert.equal(cache.learn(8), 1);
  });

  it('shares the room of a worker between its threads', () => {
    assert.deepEqual([1, 4, 64].map(sectionsMaxOf), [4096, 1024, ROOM]);
  });
});

/** Each of `count` connections asks once. Returns how many sections were known. */
function ask(cache: WorkerHeaderCache, count: number, first = 1): number {
  let known = 0;
  for (const number of range(first, first + count - 1)) {
    if (cache.find(number) > 0) known += 1;
    else cache.learn(number);
  }
  return known;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
