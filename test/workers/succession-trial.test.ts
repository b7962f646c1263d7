import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import type { Pool } from '../../src/workers/pool.ts';
import type { PaperRelease } from '../support/paper-python.ts';
import { openSuccession } from '../support/succession.ts';

type Site = ReturnType<typeof openSuccession>;

const WORSE = new ViaductError('WORKER', 'Cannot use the new release: it is worse');
/** Longer than any pause before dead processes are replaced. */
const PAUSE_MS_MAX = 10_000;

const poolOf = ({ succession }: Site): Pool => {
  assert.ok(succession.trial !== null);
  return succession.trial.pool;
};

describe('a release that is prepared for a trial', () => {
  const trialOf = (site: Site): PaperRelease => site.prepare({ ...site.options.release, hasTrial: true });

  it('answers probes alone, and clients when it serves', (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = trialOf(site);
    const pool = poolOf(site);
    const probe = site.ask(pool);
    site.ask(site.pool);
    assert.deepEqual([old.running, next.running], [1, 1]);
    next.answers();
    assert.equal(probe.status, 200);
    site.post({ kind: 'commit' });
    assert.deepEqual([site.succession.serving.release, site.succession.trial], [next.release, null]);
    site.ask(site.pool);
    site.ask(pool);
    assert.deepEqual([old.running, next.running], [1, 2]);
  });

  it('leaves its probes to nobody else when it is abandoned', (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    trialOf(site);
    const probe = site.overload(poolOf(site));
    site.post({ kind: 'abandon', error: WORSE });
    assert.deepEqual([probe.status, old.running, site.succession.isPrepared], [503, 0, false]);
    assert.equal(site.succession.trialFailure, WORSE, 'those who watch it learn why');
  });

  it('has no trial when it commits by itself', (t) => {
    const site = openSuccession(t);
    site.start({ ...site.options.release, hasTrial: true }, true);
    assert.equal(site.succession.trial, null);
  });

  it('is not tried out before it is ready, without a trial, or when it has lost a worker', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    site.post({ kind: 'try-out' });
    site.prepare();
    site.post({ kind: 'try-out' });
    assert.deepEqual([site.succession.isPrepared, site.succession.trial], [true, null]);
    site.post({ kind: 'abandon', error: WORSE });
    const { paper } = site.start({ ...site.options.release, hasTrial: true });
    site.post({ kind: 'try-out' });
    assert.equal(site.succession.trial?.release, null);
    paper.loads();
    paper.getsReady();
    await paper.workerEnds(paper.worker(), 3);
    site.post({ kind: 'try-out' });
    assert.deepEqual([site.succession.trial, site.succession.serving.release], [null, old.release]);
    assert.equal(site.succession.trialFailure?.message, 'Cannot start a worker: it died with exit code 3');
  });
});

describe('a release on trial', () => {
  it('takes requests beside the serving one, and then instead of it', async (t) => {
    const hooks = { after_fork: [], before_exit: [], on_ready: ['app:warm'], on_reload: ['app:tell'] };
    const site = openSuccession(t, { hooks });
    const old = site.serve();
    const next = site.tryOut();
    const pool = poolOf(site);
    assert.deepEqual([site.numbers(), site.succession.trial?.release], [[1, 2], next.release]);
    assert.deepEqual([old.hooks, next.hooks], [['on_ready'], ['on_ready']]);
    const [byOld, byNext] = [site.ask(site.pool), site.ask(pool)];
    assert.deepEqual([old.running, next.running], [1, 1]);
    const waiting = site.overload(pool);
    site.post({ kind: 'commit' });
    assert.deepEqual([site.succession.serving.release, old.states], [next.release, 'retiring retiring']);
    assert.deepEqual([old.hooks, next.hooks], [['on_ready', 'on_reload'], ['on_ready']]);
    assert.deepEqual([pool.waiting, site.pool.lanes], [0, 2]);
    old.answers();
    next.answers();
    next.answers();
    assert.deepEqual([byOld.status, byNext.status, waiting.status], [200, 200, 200]);
    await old.ends();
    assert.deepEqual(site.numbers(), [2]);
  });

  it('keeps other releases from starting', (t) => {
    const site = openSuccession(t);
    site.serve();
    site.tryOut();
    const { ended } = site.start();
    assert.equal((ended as ViaductError).message, 'Cannot start a release: another release is starting');
    assert.equal(site.succession.isPrepared, true);
  });

  it('gets new workers for those that die, which count, and keeps doing so when it serves', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.tryOut();
    const { trial } = site.succession;
    await next.workerEnds(next.worker(), -9);
    assert.equal(trial?.crashes, 1);
    await old.workerEnds(old.worker(), -9);
    assert.equal(trial?.crashes, 1, 'those of the serving release do not count');
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual([old.states, next.states], ['ready starting', 'ready starting']);
    next.getsReady();
    assert.equal(poolOf(site).lanes, 2);
    await next.workerEnds(next.worker(), -9);
    site.post({ kind: 'commit' });
    site.tick(PAUSE_MS_MAX);
    assert.equal(next.states, 'ready starting');
    next.getsReady();
    assert.equal(site.pool.lanes, 2);
  });

  it('does not count the end of a worker that was asked to leave', async (t) => {
    const site = openSuccession(t);
    site.serve();
    const next = site.tryOut();
    const worker = next.worker();
    site.post({ kind: 'recycle', recycle: { worker, reason: 'it is old', cause: 'max_requests' } });
    next.getsReady();
    assert.equal(worker.state, 'retiring');
    await next.workerEnds(worker, 0);
    assert.deepEqual([site.succession.trial?.crashes, next.states], [0, 'ready ready']);
  });

  it('finishes what it runs when it is abandoned, and the serving one gets the rest', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.tryOut();
    const pool = poolOf(site);
    const running = site.ask(pool);
    const waiting = site.overload(pool);
    site.post({ kind: 'abandon', error: WORSE });
    assert.deepEqual([site.succession.trial, site.succession.trialFailure], [null, WORSE]);
    assert.deepEqual([site.numbers(), next.states, old.running], [[1, 2], 'retiring retiring', 1]);
    site.ask(pool);
    assert.equal(old.running, 2, 'also what still comes');
    next.answers();
    old.answers();
    assert.deepEqual([running.status, waiting.status], [200, 200]);
    await next.ends();
    assert.deepEqual([site.numbers(), old.states], [[1], 'ready ready']);
    assert.equal(site.tryOut().release, site.succession.trial?.release, 'the next one can be tried out');
    assert.equal(site.succession.trialFailure, null);
  });

  it('is abandoned when its zygote dies', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.tryOut();
    const pool = poolOf(site);
    const waiting = site.overload(pool);
    await next.dies();
    const message = 'Cannot use the new release: its zygote ended (SIGKILL)';
    assert.equal(site.succession.trialFailure?.message, message);
    assert.deepEqual([site.succession.isPrepared, site.numbers()], [false, [1]]);
    old.answers();
    old.answers();
    assert.equal(waiting.status, 200);
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual(site.numbers(), [1], 'it is not started again');
  });

  it('takes all requests when the serving one dies, and stays', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.tryOut();
    await old.dies();
    assert.ok(site.lines.includes('The zygote ended (SIGKILL); the new release takes its place'));
    const answer = site.ask(site.pool);
    assert.equal(next.running, 1);
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual(site.numbers(), [2]);
    site.post({ kind: 'commit' });
    site.ask(site.pool);
    assert.deepEqual([site.succession.serving.release, next.running], [next.release, 2]);
    next.answers();
    assert.equal(answer.status, 200);
  });

  it('takes all requests when the serving one has died before the trial', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.prepare({ ...site.options.release, hasTrial: true });
    await old.dies();
    const waiting = site.ask(site.pool);
    site.post({ kind: 'try-out' });
    site.ask(site.pool);
    assert.equal(next.running, 2);
    next.answers();
    assert.equal(waiting.status, 200);
  });

  it('is followed by the last one that served when both have died', async (t) => {
    for (const order of [
      ['old', 'next'],
      ['next', 'old'],
    ] as const) {
      const site = openSuccession(t);
      const releases = { old: site.serve(), next: site.tryOut() };
      for (const name of order) await releases[name].dies();
      const waiting = site.ask(site.pool);
      site.tick(PAUSE_MS_MAX);
      const restarted = site.newest();
      assert.equal(restarted.release.options.hasTrial, undefined, 'not the one that has failed');
      restarted.loads();
      restarted.getsReady();
      restarted.answers();
      assert.equal(waiting.status, 200);
      site.succession.destroy();
      t.mock.timers.reset();
    }
  });

  it('leaves the number of workers of the serving one alone', (t) => {
    const site = openSuccession(t, { workers: 2, scaling: { workersMin: 1, workersIdleMs: 0 } });
    const old = site.serve();
    site.post({ kind: 'resize', size: 2, reason: 'requests wait' });
    old.getsReady();
    site.tryOut();
    site.tick(60_000);
    assert.equal(old.states, 'ready ready', 'although they are idle');
    site.post({ kind: 'abandon', error: WORSE });
    site.tick(1000);
    assert.equal(old.states, 'ready retiring');
  });

  it('and the serving one finish their requests at a stop', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.tryOut();
    const [byOld, byNext] = [site.ask(site.pool), site.ask(poolOf(site))];
    const waiting = site.overload(poolOf(site));
    let isStopped = false;
    const stopped = (): void => {
      isStopped = true;
    };
    site.post({ kind: 'stop', stopped });
    assert.deepEqual([site.ask(site.pool).status, byOld.status, byNext.status], [503, 0, 0]);
    assert.equal(site.succession.trialFailure?.message, 'Cannot use the new release: the server is stopping');
    old.answers();
    next.answers();
    old.answers();
    assert.deepEqual([byOld.status, byNext.status, waiting.status], [200, 200, 200]);
    await old.ends();
    assert.equal(isStopped, false);
    await next.ends();
    assert.equal(isStopped, true);
  });

  it('ends with the serving one when everything is destroyed', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.tryOut();
    for (const release of [old, next]) await release.workerEnds(release.worker(), -9);
    const waiting = site.overload(poolOf(site));
    site.succession.destroy();
    assert.deepEqual([old.process.signals, next.process.signals, waiting.status], [['SIGKILL'], ['SIGKILL'], 503]);
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual([old.states, next.states], ['ready', 'ready'], 'no worker is replaced any more');
  });
});
