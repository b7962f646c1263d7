import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Load, SAMPLE_MS, Scaling, sizeWithin } from '../../src/workers/scaling.ts';

const IDLE_MS = 60_000;

/** A release with 2 to `max` workers under a load that changes from sample to sample. */
class Site {
  readonly #scaling: Scaling;
  #nowMs = 1000;
  size = 2;

  constructor(max = 4) {
    this.#scaling = new Scaling({ workersMin: 2, workersIdleMs: IDLE_MS }, max);
  }

  /** Takes samples of this load. Returns the sizes after each. */
  samples(count: number, load: Partial<Load>): number[] {
    return Array.from({ length: count }, () => {
      this.#nowMs += SAMPLE_MS;
      const idle = { nowMs: this.#nowMs, waitMs: 0, size: this.size, busyWorkers: 0, isChanging: false };
      this.size = this.#scaling.sizeFor({ ...idle, ...load });
      return this.size;
    });
  }
}

const WAITING = { waitMs: 500, busyWorkers: 4 };
const MINUTE_SAMPLES = IDLE_MS / SAMPLE_MS;

describe('the number of workers', () => {
  it('stays while nothing waits', () => {
    const sizes = new Site().samples(MINUTE_SAMPLES * 2, { busyWorkers: 2 });
    assert.deepEqual(new Set(sizes), new Set([2]));
  });

  it('grows up to the maximum while requests wait', () => {
    assert.deepEqual(new Site().samples(6, WAITING), [2, 3, 4, 4, 4, 4]);
  });

  it('does not grow for one sample with a wait, or for short waits', () => {
    const site = new Site();
    for (let i = 0; i < 5; i += 1) {
      assert.deepEqual(site.samples(1, WAITING), [2]);
      assert.deepEqual(site.samples(1, {}), [2]);
    }
    assert.deepEqual(new Set(site.samples(20, { waitMs: 5, busyWorkers: 2 })), new Set([2]));
  });

  it('does not grow while a worker starts', () => {
    const site = new Site();
    assert.deepEqual(site.samples(2, WAITING), [2, 3]);
    assert.deepEqual(new Set(site.samples(50, { ...WAITING, isChanging: true })), new Set([3]));
    assert.deepEqual(site.samples(1, WAITING), [4]);
  });

  it('falls by one after each minute in which never all were busy, and not below the minimum', () => {
    const site = new Site();
    site.samples(3, WAITING);
    assert.equal(site.size, 4);
    assert.deepEqual(new Set(site.samples(MINUTE_SAMPLES - 1, { busyWorkers: 3 })), new Set([4]));
    assert.deepEqual(site.samples(1, { busyWorkers: 2 }), [3]);
    assert.deepEqual(new Set(site.samples(MINUTE_SAMPLES - 1, {})), new Set([3]));
    assert.deepEqual(site.samples(1, {}), [2]);
    assert.deepEqual(new Set(site.samples(MINUTE_SAMPLES * 3, {})), new Set([2]));
  });

  it('does not fall when all were busy once in the minute, or something waited', () => {
    for (const need of [{ busyWorkers: 4 }, { waitMs: 1 }]) {
      const site = new Site();
      site.samples(3, WAITING);
      for (let i = 0; i < 4; i += 1) {
        assert.deepEqual(new Set(site.samples(MINUTE_SAMPLES - 1, {})), new Set([4]));
        assert.deepEqual(site.samples(1, need), [4]);
      }
    }
  });

  it('falls only between two replacements, however often workers are replaced', () => {
    const site = new Site();
    site.samples(3, WAITING);
    for (let i = 1; i < MINUTE_SAMPLES; i += 1) assert.deepEqual(site.samples(1, { isChanging: i % 2 === 0 }), [4]);
    assert.deepEqual(site.samples(1, { isChanging: true }), [4]);
    assert.deepEqual(site.samples(1, {}), [3]);
  });

  it('starts with the minimum, or with that of the release before', () => {
    const scaling = { workersMin: 2, workersIdleMs: IDLE_MS };
    assert.equal(sizeWithin({ workers: 8, scaling }, 0), 2);
    assert.equal(sizeWithin({ workers: 8, scaling }, 5), 5);
    assert.equal(sizeWithin({ workers: 8, scaling }, 12), 8);
    assert.equal(sizeWithin({ workers: 8 }, 0), 8);
    assert.equal(sizeWithin({ workers: 8 }, 12), 8);
  });
});
