import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PAPER_PID, type PaperRelease } from '../support/paper-python.ts';
import { openSuccession } from '../support/succession.ts';

/** The ids of the requests that the workers of a release have. */
const idsOf = ({ release }: PaperRelease): number[] =>
  [...release.workers.values()].flatMap(({ lanes }) => lanes.flatMap(({ inflight }) => inflight.map(({ id }) => id)));

describe('the factory of releases', () => {
  it('numbers them, and starts none', (t) => {
    const { factory, options, newest } = openSuccession(t);
    const made = [2, 5].map((size) => factory.create(options.release, size, false));
    assert.deepEqual(
      made.map(({ release: { number, size, state, workers }, trial }) => [number, size, state, workers.size, trial]),
      [
        [1, 2, 'starting', 0, null],
        [2, 5, 'starting', 0, null],
      ],
    );
    assert.throws(newest, /no release is starting/);
  });

  it('counts the workers of all of them together', async (t) => {
    const site = openSuccession(t);
    const { counts } = site.factory;
    const old = site.serve();
    const next = site.tryOut();
    assert.deepEqual([counts.started, counts.died, counts.finished], [4, 0, 0]);
    await next.workerEnds(next.worker(), -9);
    await old.workerEnds(old.worker(), 1);
    assert.deepEqual([counts.started, counts.died, counts.finished], [4, 2, 0]);
    site.post({ kind: 'commit' });
    await old.ends();
    assert.deepEqual([counts.started, counts.died, counts.finished], [4, 2, 1]);
  });

  it('gives one without a trial the pool of the application, and one with a trial a pool of its own', (t) => {
    const site = openSuccession(t);
    site.serve();
    assert.equal(site.pool.lanes, 2);
    site.tryOut();
    assert.notEqual(site.succession.trial?.pool, site.pool);
    assert.deepEqual([site.pool.lanes, site.succession.trial?.pool.lanes], [2, 2]);
    const trials = [1, 2].map(() => site.factory.create(site.options.release, 1, true).trial?.pool);
    assert.equal(new Set(trials).size, 2, 'each trial');
  });

  it('lets the requests of the pools meet: no two have the same id, and they are counted once', (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.tryOut();
    const { pool } = site.succession.trial ?? assert.fail('there is no trial');
    for (const each of [site.pool, pool, site.pool, pool]) site.ask(each);
    const ids = [...idsOf(old), ...idsOf(next)];
    assert.equal(new Set(ids).size, 4, String(ids));
    const { entered } = site.pool.queueCounters;
    site.overload(pool);
    assert.equal(site.pool.queueCounters.entered, entered + 1);
  });

  it('counts what the application counts in all of them, and warns of what cannot be read', async (t) => {
    const site = openSuccession(t, { applicationMetrics: true });
    for (const number of [1, 2]) {
      writeFileSync(join(site.directory, `release-${number}.series`), 'damaged\n');
      writeFileSync(join(site.directory, `release-${number}.values`), Buffer.alloc(8192));
      site.serve();
    }
    await site.factory.metrics.read();
    assert.deepEqual(site.lines, Array(2).fill(`Some metrics of process ${PAPER_PID} are damaged and not reported`));
  });

  it('keeps the last traceback of a trial, and answers as without one', (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.prepare({ ...site.options.release, hasTrial: true });
    const { trial } = site.succession;
    assert.ok(trial !== null);
    const byOld = site.ask(site.pool);
    old.answers('KeyError: 1');
    assert.deepEqual([byOld.status, trial.traceback], [500, ''], 'another release has no trial');
    const probe = site.ask(trial.pool);
    next.answers('KeyError: 2');
    assert.deepEqual([probe.status, trial.traceback], [500, 'KeyError: 2']);
    assert.deepEqual(site.lines.slice(-2), ['KeyError: 1', 'KeyError: 2']);
    site.post({ kind: 'try-out' });
    assert.equal(trial.traceback, '', 'that of a probe says nothing of clients');
    site.ask(trial.pool);
    next.answers('KeyError: 3');
    assert.equal(trial.traceback, 'KeyError: 3');
  });
});
