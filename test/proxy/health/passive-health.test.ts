import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { PassiveHealth } from '../../../src/proxy/health/passive-health.ts';
import type { Upstream } from '../../../src/proxy/upstream.ts';

const [a, b] = ['a', 'b'].map((host): Upstream => {
  const client = {
    active: 0,
    needsLength: false,
    mayRefuse: false,
    send: () => assert.fail('nothing is sent'),
    requests: () => [],
    stop() {},
    destroy() {},
  };
  return { backend: { host, port: 80 }, client, weight: 1 };
}) as [Upstream, Upstream];

let nowMs = 0;
let health: PassiveHealth;

function reset(failuresMax = 0): void {
  nowMs = 1000;
  health = new PassiveHealth({ retryAfterMs: 100, retryAfterMsMax: 350, failuresMax, now: () => nowMs });
}

/** How long the upstream is down from now on, in steps of 10 ms. */
function restOf(upstream: Upstream): number {
  const start = nowMs;
  while (!health.available([a, b]).includes(upstream)) nowMs += 10;
  return nowMs - start;
}

describe('a backend that cannot be reached', () => {
  beforeEach(() => reset());

  it('is down, each time twice as long, up to the limit', () => {
    assert.deepEqual(health.available([a, b]), [a, b]);
    const times = [100, 200, 350, 350].map(() => {
      assert.equal(health.failed(a, true), true);
      return restOf(a);
    });
    assert.deepEqual(times, [100, 200, 350, 350]);
  });

  it('counts one failure when concurrent requests fail together', () => {
    assert.equal(health.failed(a, true), true);
    nowMs += 50;
    assert.equal(health.failed(a, true), false);
    assert.equal(restOf(a), 50);
    health.failed(a, true);
    assert.equal(restOf(a), 200);
  });

  it('starts again with the shortest time after it was up for as long as it was down', () => {
    health.failed(a, true);
    nowMs += 100;
    health.failed(a, true);
    nowMs += 400;
    health.failed(a, true);
    assert.equal(restOf(a), 100);
  });

  it('is the last resort when no other backend is left', () => {
    health.failed(a, true);
    assert.deepEqual(health.available([a, b]), [b]);
    assert.deepEqual([health.available([a]), health.lastResort([a])], [[], [a]]);
  });

  it('is up again as soon as it answers', () => {
    health.failed(a, true);
    health.succeeded(a);
    assert.deepEqual([health.available([a, b]), health.isDown(a)], [[a, b], false]);
  });

  it('is never down when the time is 0', () => {
    const never = new PassiveHealth({ retryAfterMs: 0, retryAfterMsMax: 0, failuresMax: 1, now: () => nowMs });
    assert.equal(never.failed(a, true), false);
    assert.deepEqual(never.available([a, b]), [a, b]);
  });

  it('leaves the array of available backends identical while nothing changes', () => {
    const all = [a, b];
    health.failed(a, true);
    assert.equal(health.available(all), health.available(all));
  });
});

describe('a backend that fails in other ways', () => {
  beforeEach(() => reset(3));

  it('is down with an open circuit after the maximum number of failures in a row', () => {
    assert.deepEqual([health.failed(a, false), health.failed(a, false)], [false, false]);
    assert.deepEqual(health.available([a, b]), [a, b]);
    assert.equal(health.failed(a, false), true);
    assert.deepEqual([health.available([a]), health.lastResort([a]), health.isOpen(a)], [[], [], true]);
  });

  it('counts from zero again after a good response', () => {
    for (let i = 0; i < 10; i += 1) {
      assert.equal(health.failed(a, false), false);
      assert.equal(health.failed(a, false), false);
      health.succeeded(a);
    }
  });

  it('receives one trial request after it was down, and other requests when the trial succeeded', () => {
    for (let i = 0; i < 3; i += 1) health.failed(a, false);
    assert.equal(restOf(a), 100);
    const trial = {};
    health.sending(a, trial);
    assert.deepEqual(health.available([a, b]), [b]);
    health.cancelled(a, {});
    assert.deepEqual(health.available([a, b]), [b]);
    health.succeeded(a);
    assert.deepEqual(health.available([a, b]), [a, b]);
  });

  it('receives another trial when the client of the trial left, and is down longer when the trial failed', () => {
    for (let i = 0; i < 3; i += 1) health.failed(a, false);
    nowMs += 100;
    const trial = {};
    health.sending(a, trial);
    health.cancelled(a, trial);
    assert.deepEqual(health.available([a, b]), [a, b]);
    health.sending(a, {});
    health.failed(a, false);
    assert.equal(restOf(a), 200);
  });
});
