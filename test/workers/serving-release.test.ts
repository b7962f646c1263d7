import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pool } from '../../src/workers/pool.ts';
import type { Release } from '../../src/workers/release.ts';
import { ReleaseTrial } from '../../src/workers/release-trial.ts';
import { RetiredReleases } from '../../src/workers/retired-releases.ts';
import { ServingRelease } from '../../src/workers/serving-release.ts';
import { WorkerCounts } from '../../src/workers/worker-counts.ts';
import { poolOptions } from '../support/pool.ts';

function never(): never {
  assert.fail('no worker lives');
}

const log = { info: never, warn: never, error: never };

/** A release on paper. */
function releaseOf(size: number, watchMs = 0) {
  const calls: string[] = [];
  const release = {
    size,
    state: 'serving',
    workers: new Map(),
    options: { watchMs, workers: size },
    retire: (graceMs: number) => calls.push(`retire ${graceMs}`),
  };
  return { release: release as unknown as Release, calls, workers: release.workers, fields: release };
}

describe('the place of the serving release', () => {
  function place() {
    const pool = new Pool(poolOptions());
    const counts = new WorkerCounts();
    const events = { onRecycle: never, onResize: never, onReplace: never };
    return { pool, counts, serving: new ServingRelease(pool, log, counts, events) };
  }

  it('is empty at first, and remembers the number of workers and that a release has served', () => {
    const { serving } = place();
    assert.deepEqual([serving.release, serving.size, serving.hasServed], [null, 0, false]);
    serving.set(null);
    assert.equal(serving.hasServed, false);
    const { release } = releaseOf(3);
    serving.set(release);
    assert.deepEqual([serving.release, serving.size, serving.hasServed], [release, 3, true]);
    release.size = 5;
    serving.set(null);
    assert.deepEqual([serving.release, serving.size, serving.hasServed], [null, 5, true]);
  });

  it('counts outcomes only while a release serves that is watched', () => {
    const { serving, pool } = place();
    serving.set(releaseOf(1).release);
    assert.equal(pool.outcomes, null);
    serving.set(releaseOf(1, 60_000).release);
    assert.notEqual(pool.outcomes, null);
    serving.set(null);
    assert.equal(pool.outcomes, null);
  });

  it('keeps what a trial knows of the workers of its release', () => {
    const { serving, pool, counts } = place();
    const trial = new ReleaseTrial(new Pool(poolOptions()), log, counts, never);
    const before = serving.replacements;
    trial.replacements.plan(performance.now());
    serving.takeOver(trial);
    assert.equal(serving.replacements, trial.replacements);
    assert.equal(serving.workers, trial.serving);
    assert.notEqual(serving.replacements, before);
    serving.stop();
    pool.stop();
  });
});

describe('retired releases', () => {
  it('retire until their zygote is gone, and end when their last dead worker was read', () => {
    const retired = new RetiredReleases();
    const { release, calls, workers } = releaseOf(1);
    workers.set(1, {});
    retired.retire(release, 5000);
    assert.deepEqual(calls, ['retire 5000']);
    assert.deepEqual([retired.retiring, retired.ending], [[release], []]);
    retired.zygoteGone(release);
    assert.deepEqual([retired.retiring, retired.ending], [[], [release]]);
    workers.clear();
    retired.zygoteGone(releaseOf(1).release);
    assert.deepEqual(retired.ending, []);
  });

  it('do not include one that is gone already', () => {
    const retired = new RetiredReleases();
    const { release, calls, fields } = releaseOf(1);
    fields.state = 'gone';
    retired.retire(release, 5000);
    assert.deepEqual([retired.retiring, calls], [[], []]);
  });
});
