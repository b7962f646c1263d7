import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SlowLimit, SlowLimits } from '../../src/trace/slow-limit.ts';
import { createRandom } from '../support/random.ts';

describe('SlowLimit', () => {
  it('calls no request slow before it knows a hundred', () => {
    const limit = new SlowLimit();
    for (let i = 0; i < 99; i += 1) assert.equal(limit.isSlow(i === 98 ? 1e9 : 100), false);
  });

  it('is the 99th percentile or at most a quarter above it', () => {
    const random = createRandom(7);
    for (const scale of [3, 50, 1000, 123_456]) {
      const limit = new SlowLimit();
      const times = Array.from({ length: 5000 }, () => 1 + Math.floor(random() * scale * 100));
      for (const us of times) limit.isSlow(us);
      const exact = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
      assert.ok(limit.limitUs >= exact * 0.97 && limit.limitUs <= exact * 1.3, `${limit.limitUs} for ${exact}`);
    }
  });

  it('calls about one of a hundred requests slow, or fewer', () => {
    const random = createRandom(11);
    const limit = new SlowLimit();
    let slow = 0;
    for (let i = 0; i < 20_000; i += 1) if (limit.isSlow(1000 / (random() + 0.001))) slow += 1;
    assert.ok(slow > 50 && slow < 400, `${slow}`);
  });

  it('follows an application that becomes slower or faster', () => {
    const limit = new SlowLimit();
    for (const us of [100, 10_000, 100]) for (let i = 0; i < 60_000; i += 1) limit.isSlow(us);
    assert.ok(limit.limitUs < 200, `${limit.limitUs}`);
  });

  it('takes any time', () => {
    const limit = new SlowLimit();
    for (let round = 0; round < 50; round += 1) for (const us of [-1, 0, 0.5, 1, 2 ** 40]) limit.isSlow(us);
    assert.ok(limit.limitUs > 0);
  });
});

describe('SlowLimits', () => {
  it('has a limit for each route, and a bounded number of them', () => {
    const limits = new SlowLimits();
    for (let i = 0; i < 10_000; i += 1) limits.isSlow(`route ${i}`, 5);
    assert.ok(limits.routes <= 1000);
    for (let i = 0; i < 200; i += 1) {
      limits.isSlow('fast', 10);
      limits.isSlow('slow', 10_000);
    }
    assert.equal(limits.isSlow('fast', 5000), true);
    assert.equal(limits.isSlow('slow', 5000), false);
  });
});
