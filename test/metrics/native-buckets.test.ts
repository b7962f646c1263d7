import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketOf, NATIVE_SLOTS, NATIVE_ZERO_MAX, nativeSlot } from '../../src/metrics/native-buckets.ts';
import { createRandom } from '../support/random.ts';

describe('the bucket of a native histogram', () => {
  it('has its value between its bounds', () => {
    const random = createRandom(20_261_130);
    for (let i = 0; i < 20_000; i += 1) {
      const value = 2 ** (random() * 31.9 - 19.9);
      const bucket = bucketOf(nativeSlot(value));
      // The first 20 bits of the fraction decide: a millionth.
      assert.ok(value > 2 ** ((bucket - 1) / 8) * (1 - 2e-6), `${value} is below bucket ${bucket}`);
      assert.ok(value <= 2 ** (bucket / 8) * (1 + 2e-6), `${value} is above bucket ${bucket}`);
    }
  });

  it('has a power of two as its upper bound', () => {
    for (let exponent = -19; exponent < 12; exponent += 1) {
      assert.equal(bucketOf(nativeSlot(2 ** exponent)), exponent * 8);
      assert.equal(bucketOf(nativeSlot(2 ** exponent * (1 + Number.EPSILON))), exponent * 8 + 1);
    }
  });

  it('is that for zero when the value is tiny, and the last one when it is huge', () => {
    for (const value of [0, -1, NATIVE_ZERO_MAX, Number.NaN]) assert.equal(nativeSlot(value), 0);
    for (const value of [4096, 5000, 1e9, Number.POSITIVE_INFINITY]) assert.equal(nativeSlot(value), NATIVE_SLOTS - 1);
    assert.equal(nativeSlot(NATIVE_ZERO_MAX * 1.01), 1);
  });
});
