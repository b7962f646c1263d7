import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Upstream } from '../../src/upstream/protocol.ts';
import { RestTimes } from '../../src/upstream/rest-times.ts';

const [a, b] = ['a', 'b'].map((host): Upstream => {
  const protocol = { active: 0, send: () => assert.fail('nothing is sent'), stop() {}, destroy() {} };
  return { backend: { host, port: 80 }, protocol };
}) as [Upstream, Upstream];

describe('a backend that cannot be connected to', () => {
  let nowMs = 0;
  let rests: RestTimes;

  beforeEach(() => {
    nowMs = 1000;
    rests = new RestTimes({ restMs: 100, restMsMax: 350, now: () => nowMs });
  });

  /** For how long, in steps of 10 ms, it is left alone from now on. */
  function restOf(upstream: Upstream): number {
    const start = nowMs;
    while (!rests.awake([a, b]).includes(upstream)) nowMs += 10;
    return nowMs - start;
  }

  it('is left alone, twice as long each time, up to the limit', () => {
    assert.deepEqual(rests.awake([a, b]), [a, b]);
    const times = [100, 200, 350, 350].map(() => {
      rests.failed(a);
      return restOf(a);
    });
    assert.deepEqual(times, [100, 200, 350, 350]);
  });

  it('has failed once when several requests find out together', () => {
    rests.failed(a);
    nowMs += 50;
    rests.failed(a);
    assert.equal(restOf(a), 50);
    rests.failed(a);
    assert.equal(restOf(a), 200);
  });

  it('begins anew when it went well for as long as it was left alone', () => {
    rests.failed(a);
    nowMs += 100;
    rests.failed(a);
    nowMs += 400;
    rests.failed(a);
    assert.equal(restOf(a), 100);
  });

  it('is asked all the same when there is no other', () => {
    rests.failed(a);
    assert.deepEqual(rests.awake([a]), [a]);
    assert.deepEqual(rests.awake([a, b]), [b]);
    rests.failed(b);
    assert.deepEqual(rests.awake([a, b]), [a, b]);
  });

  it('is never left alone when told so', () => {
    const never = new RestTimes({ restMs: 0, restMsMax: 0, now: () => nowMs });
    never.failed(a);
    assert.deepEqual(never.awake([a, b]), [a, b]);
  });
});
