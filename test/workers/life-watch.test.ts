import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { LifeWatch } from '../../src/workers/life-watch.ts';

describe('the watch for signs of life', () => {
  let now = 0;

  beforeEach(() => {
    now = 1000;
    mock.method(performance, 'now', () => now);
  });
  afterEach(() => mock.restoreAll());

  it('says how long the last answer took, and how long a missing one takes', () => {
    const life = new LifeWatch();
    assert.equal(life.delayMs, 0);
    life.tick();
    now += 7;
    assert.equal(life.delayMs, 7);
    life.answered();
    now += 5000;
    assert.equal(life.delayMs, 7);
    life.tick();
    now += 2;
    assert.equal(life.delayMs, 7, 'it may become shorter, but is not known yet');
    life.tick();
    now += 40;
    assert.equal(life.delayMs, 42);
    life.answered();
    life.answered();
    assert.equal(life.delayMs, 42);
  });

  it('ends after four ticks without an answer', () => {
    const life = new LifeWatch();
    assert.deepEqual(
      Array.from({ length: 5 }, () => life.tick()),
      [false, false, false, false, true],
    );
    life.answered();
    assert.equal(life.tick(), false);
  });
});
