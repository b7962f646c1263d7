import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { PassiveHealth } from '../../../src/proxy/health/passive-health.ts';
import type { Upstream } from '../../../src/proxy/upstream.ts';

const [a, b] = ['a', 'b'].map((host): Upstream => {
  const protocol = {
    active: 0,
    needsLength: false,
    send: () => assert.fail('nothing is sent'),
    stop() {},
    destroy() {},
  };
  return { backend: { host, port: 80 }, protocol, weight: 1 };
}) as [Upstream, Upstream];

let nowMs = 0;
let health: PassiveHealth;

function begin(failuresMax = 0): void {
  nowMs = 1000;
  health = new PassiveHealth({ restMs: 100, restMsMax: 350, failuresMax, now: () => nowMs });
}

/** For how long, in steps of 10 ms, it is left alone from now on. */
function restOf(upstream: Upstream): number {
  const start = nowMs;
  while (!health.awake([a, b]).includes(upstream)) nowMs += 10;
  return nowMs - start;
}

describe('a backend that cannot be connected to', () => {
  beforeEach(() => begin());

  it('is left alone, twice as long each time, up to the limit', () => {
    assert.deepEqual(health.awake([a, b]), [a, b]);
    const times = [100, 200, 350, 350].map(() => {
      assert.equal(health.failed(a, true), true);
      return restOf(a);
    });
    assert.deepEqual(times, [100, 200, 350, 350]);
  });

  it('has failed once when several requests find out together', () => {
    assert.equal(health.failed(a, true), true);
    nowMs += 50;
    assert.equal(health.failed(a, true), false);
    assert.equal(restOf(a), 50);
    health.failed(a, true);
    assert.equal(restOf(a), 200);
  });

  it('begins anew when it went well for as long as it was left alone', () => {
    health.failed(a, true);
    nowMs += 100;
    health.failed(a, true);
    nowMs += 400;
    health.failed(a, true);
    assert.equal(restOf(a), 100);
  });

  it('is the last resort when there is no other', () => {
    health.failed(a, true);
    assert.deepEqual(health.awake([a, b]), [b]);
    assert.deepEqual([health.awake([a]), health.lastResort([a])], [[], [a]]);
  });

  it('is back as soon as it answers', () => {
    health.failed(a, true);
    health.succeeded(a);
    assert.deepEqual([health.awake([a, b]), health.isResting(a)], [[a, b], false]);
  });

  it('is never left alone when told so', () => {
    const never = new PassiveHealth({ restMs: 0, restMsMax: 0, failuresMax: 1, now: () => nowMs });
    assert.equal(never.failed(a, true), false);
    assert.deepEqual(never.awake([a, b]), [a, b]);
  });

  it('gives the same array as long as nothing changes', () => {
    const all = [a, b];
    health.failed(a, true);
    assert.equal(health.awake(all), health.awake(all));
  });
});

describe('a backend that fails in other ways', () => {
  beforeEach(() => begin(3));

  it('rests behind an open circuit after so many failures in a row', () => {
    assert.deepEqual([health.failed(a, false), health.failed(a, false)], [false, false]);
    assert.deepEqual(health.awake([a, b]), [a, b]);
    assert.equal(health.failed(a, false), true);
    assert.deepEqual([health.awake([a]), health.lastResort([a]), health.isOpen(a)], [[], [], true]);
  });

  it('counts anew behind a good response', () => {
    for (let i = 0; i < 10; i += 1) {
      assert.equal(health.failed(a, false), false);
      assert.equal(health.failed(a, false), false);
      health.succeeded(a);
    }
  });

  it('is tried by one request after its rest, and gets the others when that is answered', () => {
    for (let i = 0; i < 3; i += 1) health.failed(a, false);
    assert.equal(restOf(a), 100);
    const trial = {};
    health.asks(a, trial);
    assert.deepEqual(health.awake([a, b]), [b]);
    health.gaveUp(a, {});
    assert.deepEqual(health.awake([a, b]), [b]);
    health.succeeded(a);
    assert.deepEqual(health.awake([a, b]), [a, b]);
  });

  it('is tried again when the client of the trial left, and rests longer when the trial failed', () => {
    for (let i = 0; i < 3; i += 1) health.failed(a, false);
    nowMs += 100;
    const trial = {};
    health.asks(a, trial);
    health.gaveUp(a, trial);
    assert.deepEqual(health.awake([a, b]), [a, b]);
    health.asks(a, {});
    health.failed(a, false);
    assert.equal(restOf(a), 200);
  });
});
