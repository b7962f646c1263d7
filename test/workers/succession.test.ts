import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import type { PaperRelease } from '../support/paper-python.ts';
import { openSuccession, START_TIMEOUT_MS, type Started } from '../support/succession.ts';

type Site = ReturnType<typeof openSuccession>;

/** Longer than any pause before dead processes are replaced. */
const PAUSE_MS_MAX = 10_000;

/** Fails unless this start has failed with an error that has these properties. */
function failed({ ended }: Pick<Started, 'ended'>, expected: object): void {
  assert.throws(() => {
    throw ended;
  }, expected);
}

describe('the start of a release', () => {
  it('ends when all workers are ready, and the release serves after a commit', (t) => {
    const site = openSuccession(t);
    const { succession, pool } = site;
    const start = site.start();
    start.paper.loads();
    start.paper.workerGetsReady(start.paper.worker('starting'));
    assert.deepEqual([start.ended, succession.isPrepared], [null, false]);
    const answer = site.ask(pool);
    start.paper.getsReady();
    assert.deepEqual([start.ended, succession.isPrepared], ['ready', true]);
    assert.deepEqual([succession.serving.release, pool.waiting], [null, 1], 'it waits for the commit');
    site.post({ kind: 'commit' });
    assert.equal(succession.serving.release, start.paper.release);
    assert.deepEqual([succession.isPrepared, start.paper.running, pool.lanes], [false, 1, 2]);
    start.paper.answers();
    assert.equal(answer.status, 200);
  });

  it('leads to service at once when it commits', (t) => {
    const site = openSuccession(t);
    const { ended, paper } = site.start(null, true);
    assert.equal(ended, null);
    paper.loads();
    paper.getsReady();
    assert.equal(site.succession.serving.release, paper.release);
  });

  it('changes nothing until then, and then the old release finishes its requests and ends', async (t) => {
    const hooks = { after_fork: [], before_exit: [], on_ready: ['app:warm'], on_reload: ['app:tell'] };
    const site = openSuccession(t, { hooks });
    const old = site.serve();
    const running = site.ask(site.pool);
    const next = site.prepare();
    assert.equal(site.succession.serving.release, old.release);
    assert.deepEqual([old.hooks, next.hooks], [['on_ready'], []]);
    site.post({ kind: 'commit' });
    assert.deepEqual([old.hooks, next.hooks], [['on_ready', 'on_reload'], ['on_ready']]);
    assert.deepEqual([site.numbers(), old.states], [[2, 1], 'retiring retiring']);
    site.ask(site.pool);
    assert.deepEqual([old.running, next.running], [1, 1]);
    old.answers();
    assert.equal(running.status, 200);
    await old.ends();
    assert.deepEqual(site.numbers(), [2]);
  });

  it('is refused while another one starts or is prepared, which goes on', (t) => {
    const site = openSuccession(t);
    const first = site.start();
    const refused = { message: 'Cannot start a release: another release is starting' };
    failed(site.start(), refused);
    first.paper.loads();
    first.paper.getsReady();
    assert.equal(first.ended, 'ready');
    failed(site.start(), refused);
    site.post({ kind: 'commit' });
    assert.equal(site.succession.serving.release, first.paper.release);
  });

  it('has as many workers as there are, if its options allow', (t) => {
    const scaling = { workersMin: 1, workersIdleMs: 60_000 };
    const site = openSuccession(t, { workers: 3, scaling });
    assert.equal(site.serve().release.size, 1);
    site.post({ kind: 'resize', size: 3, reason: 'requests wait' });
    assert.equal(site.serve().release.size, 3);
    assert.equal(site.serve({ ...site.options.release, workers: 2 }).release.size, 2);
    assert.equal(site.serve().release.options.workers, 2, 'the last options apply to later ones');
  });
});

describe('a start that fails', () => {
  const failures: Readonly<
    Record<string, readonly [(site: Site, next: PaperRelease) => void | Promise<void>, object]>
  > = {
    'its import fails': [
      (_, next) => next.breaks('no module', 'Traceback …'),
      { code: 'APPLICATION_BROKEN', message: 'Cannot import "shop:app": no module', cause: 'Traceback …' },
    ],
    'its process dies during the import': [
      (_, next) => {
        next.connects();
        return next.dies();
      },
      { code: 'APPLICATION_BROKEN', message: 'Cannot import "shop:app": Python ended during the import: SIGKILL' },
    ],
    'one of its workers dies': [
      (_, next) => {
        next.loads();
        return next.workerEnds(next.worker('starting'), -9);
      },
      { code: 'WORKER', message: 'Cannot start a worker: it died of SIGKILL' },
    ],
    'it is not ready in time': [
      (site, next) => {
        next.loads();
        site.tick(START_TIMEOUT_MS);
      },
      { message: 'Cannot start the application: it was not ready after 60 s, and its import had not ended' },
    ],
    'the private directory is gone': [
      (site, next) => {
        site.files.areGone = true;
        next.loads();
        site.files.areGone = false;
      },
      { code: 'USAGE', message: 'Cannot make a private directory: it is gone' },
    ],
    'it is abandoned': [
      (site) => site.post({ kind: 'abandon', error: new ViaductError('WORKER', 'a later reload') }),
      { code: 'WORKER', message: 'a later reload' },
    ],
  };
  for (const [how, [fail, expected]] of Object.entries(failures)) {
    it(`leaves the serving release as it is when ${how}`, async (t) => {
      const site = openSuccession(t);
      const old = site.serve();
      const start = site.start({ ...site.options.release, workers: 1 });
      await fail(site, start.paper);
      failed(start, expected);
      assert.equal(start.ended instanceof ViaductError, true);
      assert.deepEqual([site.succession.isPrepared, site.numbers(), old.states], [false, [1], 'ready ready']);
      site.ask(site.pool);
      assert.equal(old.running, 1);
      assert.equal(site.serve().release.size, 2, 'the options of the failed one are forgotten');
    });
  }

  it('fails at once when its zygote cannot be started', (t) => {
    const site = openSuccession(t);
    site.files.areGone = true;
    failed(site.start(), { code: 'USAGE' });
  });

  it('kills what it has started', (t) => {
    const site = openSuccession(t);
    const { paper } = site.start();
    paper.breaks('no module');
    assert.deepEqual(paper.process.signals, ['SIGKILL']);
  });
});

describe('a release that is prepared', () => {
  it('waits no more when a worker of it has died', async (t) => {
    const site = openSuccession(t);
    const old = site.serve();
    const next = site.prepare();
    await next.workerEnds(next.worker(), 1);
    assert.equal(site.succession.isPrepared, false);
    site.post({ kind: 'commit' });
    assert.equal(site.succession.serving.release, old.release);
  });

  it('is needed for a commit', (t) => {
    const site = openSuccession(t);
    site.post({ kind: 'commit' });
    assert.equal(site.succession.serving.release, null);
    const old = site.serve();
    site.post({ kind: 'commit' });
    site.start();
    site.post({ kind: 'commit' });
    assert.deepEqual([site.succession.serving.release, old.states], [old.release, 'ready ready']);
  });
});

describe('the serving release', () => {
  it('gets new workers for those that die, and the log says so', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    await serving.workerEnds(serving.worker(), -11);
    assert.match(site.lines.at(-1) ?? '', /died of SIGSEGV; a new one follows/);
    site.tick(PAUSE_MS_MAX);
    assert.equal(serving.states, 'ready starting');
    serving.getsReady();
    assert.equal(site.pool.lanes, 2);
  });

  it('replaces a worker that is recycled', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    const worker = serving.worker();
    site.post({ kind: 'recycle', recycle: { worker, reason: 'it is old', cause: 'max_lifetime_ms' } });
    serving.getsReady();
    await serving.workerEnds(worker, 0);
    assert.deepEqual([serving.states, site.factory.counts.recycled.max_lifetime_ms], ['ready ready', 1]);
  });

  it('reports an import that fails in a later worker, and serves on', (t) => {
    const site = openSuccession(t);
    site.serve();
    site.post({
      kind: 'broken',
      release: 1,
      failure: { reason: 'no module', traceback: 'Traceback …', exception: '' },
    });
    assert.equal(site.lines.at(-1), 'Cannot import the application: no module\nTraceback …');
    assert.equal(site.pool.lanes, 2);
  });

  it('is started again with as many workers when its zygote dies, and its requests wait', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    site.post({ kind: 'resize', size: 5, reason: 'a command asked for it' });
    await serving.dies();
    assert.equal(site.succession.serving.release, null);
    assert.ok(site.lines.includes('The zygote ended (SIGKILL); the application is restarted'));
    const answer = site.ask(site.pool);
    site.tick(PAUSE_MS_MAX);
    const next = site.newest();
    next.loads();
    assert.equal(next.release.workers.size, 5);
    next.getsReady();
    assert.equal(site.succession.serving.release, next.release);
    next.answers();
    assert.equal(answer.status, 200);
  });

  it('is started again until that succeeds', async (t) => {
    const site = openSuccession(t);
    await site.serve().dies();
    for (let round = 0; round < 3; round += 1) {
      site.tick(PAUSE_MS_MAX);
      site.newest().breaks('no module');
      assert.equal(site.lines.at(-1), 'Cannot import "shop:app": no module');
      assert.deepEqual(site.numbers(), []);
    }
    site.tick(PAUSE_MS_MAX);
    const next = site.newest();
    next.loads();
    next.getsReady();
    assert.equal(site.succession.serving.release, next.release);
  });

  it('is not started again before its first start has succeeded', (t) => {
    const site = openSuccession(t);
    site.start().paper.breaks('no module');
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual(site.numbers(), []);
  });

  it('is followed by a release that is prepared when its zygote dies, and started again if that one is not used', async (t) => {
    for (const isUsed of [true, false]) {
      const site = openSuccession(t);
      const serving = site.serve();
      const next = site.prepare();
      await serving.dies();
      site.tick(PAUSE_MS_MAX);
      assert.deepEqual(site.numbers(), [2], 'no third one starts');
      site.post(isUsed ? { kind: 'commit' } : { kind: 'abandon', error: new ViaductError('WORKER', 'not used') });
      site.tick(PAUSE_MS_MAX);
      assert.deepEqual(site.numbers(), [isUsed ? 2 : 3]);
      if (isUsed) assert.equal(site.succession.serving.release, next.release);
      site.succession.destroy();
      t.mock.timers.reset();
    }
  });

  it('needs no restart any more when another one is wanted meanwhile', async (t) => {
    const site = openSuccession(t);
    await site.serve().dies();
    site.tick(PAUSE_MS_MAX);
    const restart = site.newest();
    const { ended, paper } = site.start();
    assert.equal(ended, null);
    assert.deepEqual(restart.process.signals, ['SIGKILL']);
    paper.loads();
    paper.getsReady();
    site.post({ kind: 'commit' });
    assert.equal(site.succession.serving.release, paper.release);
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual(site.numbers(), [3]);
  });
});

describe('a stop of the releases', () => {
  const stop = (site: Site): { isOver: boolean } => {
    const state = { isOver: false };
    const stopped = (): void => {
      state.isOver = true;
    };
    site.post({ kind: 'stop', stopped });
    return state;
  };

  it('is over at once when there is none', (t) => {
    assert.equal(stop(openSuccession(t)).isOver, true);
  });

  it('lets requests finish, refuses others, and is over when all processes have ended', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    const running = site.ask(site.pool);
    const stopping = stop(site);
    assert.equal(site.succession.serving.release, null);
    assert.equal(site.ask(site.pool).status, 503);
    serving.answers();
    assert.deepEqual([running.status, stopping.isOver], [200, false]);
    await serving.ends();
    assert.deepEqual([stopping.isOver, site.numbers()], [true, []]);
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual(site.numbers(), [], 'nothing is started again');
  });

  it('is over for each who asked for it', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    const all = [stop(site), stop(site)];
    assert.deepEqual(all, [{ isOver: false }, { isOver: false }]);
    await serving.ends();
    assert.deepEqual(all, [{ isOver: true }, { isOver: true }]);
  });

  it('ends a start, and allows no other', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    const start = site.start();
    const stopping = stop(site);
    const expected = { message: 'Cannot start a release: the server is stopping' };
    failed(start, expected);
    assert.deepEqual(start.paper.process.signals, ['SIGKILL']);
    failed(site.start(), expected);
    assert.equal(stopping.isOver, false);
    await serving.ends();
    assert.equal(stopping.isOver, true);
  });

  it('ends a release whose zygote dies meanwhile, without a restart', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    const stopping = stop(site);
    await serving.dies();
    assert.equal(stopping.isOver, true);
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual(site.numbers(), []);
  });

  it('waits for no restart of a release that has died', async (t) => {
    const site = openSuccession(t);
    await site.serve().dies();
    assert.equal(stop(site).isOver, true);
    site.tick(PAUSE_MS_MAX);
    assert.deepEqual(site.numbers(), []);
  });
});

describe('the destruction of the releases', () => {
  it('ends all processes at once, and fails a start', async (t) => {
    const site = openSuccession(t);
    const serving = site.serve();
    const start = site.start();
    await serving.workerEnds(serving.worker(), -9);
    const waiting = site.overload(site.pool);
    site.succession.destroy();
    failed(start, { message: 'Cannot start the application: the server was stopped' });
    assert.deepEqual([serving.process.signals, start.paper.process.signals], [['SIGKILL'], ['SIGKILL']]);
    assert.deepEqual([waiting.status, site.ask(site.pool).status], [503, 503]);
    site.tick(PAUSE_MS_MAX);
    assert.equal(serving.states, 'ready', 'no worker is replaced any more');
  });
});
