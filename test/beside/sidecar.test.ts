import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { Keeper, ProgramEvents } from '../../src/beside/keeper.ts';
import type { SidecarOptions } from '../../src/beside/options.ts';
import { Sidecars } from '../../src/beside/sidecars.ts';
import type { Log } from '../../src/log/log.ts';

function optionsOf(name: string, change: Partial<SidecarOptions> = {}): SidecarOptions {
  const program = { command: [name], directory: '/', environment: {}, stopSignal: 'SIGTERM', graceMs: 1000 } as const;
  return { name, program, restart: 'always', reload: 'restart', ...change };
}

interface Started extends ProgramEvents {
  readonly command: string;
  stopped: boolean;
}

/** Sidecars whose programs start and end when the test says so, with a clock that it moves. */
function start(t: { after(end: () => void): void }, ...names: string[]) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  t.after(() => mock.timers.reset());
  const programs: Started[] = [];
  const lines: string[] = [];
  const keeper = {
    start(_python: string, options: { command: readonly string[] }, events: ProgramEvents) {
      const program = { ...events, command: options.command[0] ?? '', stopped: false };
      programs.push(program);
      return {
        stop: () => {
          program.stopped = true;
        },
      };
    },
  } as unknown as Keeper;
  const note = (message: string) => void lines.push(message);
  const sidecars = new Sidecars(keeper, { info: note, warn: note, error: note } as unknown as Log);
  const use = (...all: SidecarOptions[]) => sidecars.use({ python: 'python3', sidecars: all, schedules: [] });
  use(...names.map((name) => optionsOf(name)));
  const last = () => programs.at(-1) as Started;
  const states = () => sidecars.status().map(({ state }) => state);
  return { sidecars, programs, lines, use, last, states };
}

describe('a sidecar', () => {
  it('that dies young is started again after longer and longer pauses, and the log says no more than this', (t) => {
    const { sidecars, programs, lines, last } = start(t, 'a');
    for (const delay of [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000]) {
      const count = programs.length;
      last().onFailed('no');
      mock.timers.tick(delay - 1);
      assert.equal(programs.length, count);
      mock.timers.tick(1);
      assert.equal(programs.length, count + 1, `${delay}`);
    }
    assert.equal(lines.length, 9);
    assert.match(lines[7] ?? '', /is started again in 10000 ms/);
    assert.match(lines[8] ?? '', /further attempts follow every 10 s/);
    assert.equal(sidecars.status()[0]?.restarts, 11);
    last().onStarted(77);
    assert.equal(lines.length, 9, 'one that has started may die again');
    mock.timers.tick(5000);
    assert.match(lines[9] ?? '', /sidecar a \(pid 77\) runs again, after 11 failed attempts/);
    last().onEnded(-9, 'of SIGKILL');
    assert.match(lines[10] ?? '', /sidecar a \(pid 77\) ended of SIGKILL; it is started again now/);
  });

  it('is new after a reload when the old one has ended', (t) => {
    const { programs, use, last, states } = start(t, 'a');
    last().onStarted(7);
    use(optionsOf('a'));
    assert.deepEqual([programs.length, last().stopped, states()], [1, true, ['restarting']]);
    last().onEnded(0, 'with exit code 0');
    assert.deepEqual([programs.length, states()], [2, ['starting']]);
  });

  it('is kept by a reload unless its table has changed', (t) => {
    const { programs, use, last } = start(t);
    use(optionsOf('a', { reload: 'keep' }));
    last().onStarted(7);
    use(optionsOf('a', { reload: 'keep' }));
    assert.ok(!last().stopped);
    use(optionsOf('a', { reload: 'keep', restart: 'never' }));
    assert.ok(last().stopped);
    assert.equal(programs.length, 1);
  });

  it('that a reload removes and the next one brings back never runs twice', async (t) => {
    const { programs, sidecars, use, last, states } = start(t, 'a');
    last().onStarted(7);
    use();
    assert.deepEqual(states(), ['stopping']);
    use(optionsOf('a'));
    assert.deepEqual([programs.length, states()], [1, ['restarting']]);
    last().onEnded(-15, 'of SIGTERM');
    await Promise.resolve();
    assert.deepEqual([programs.length, states()], [2, ['starting']]);
    use();
    last().onEnded(-15, 'of SIGTERM');
    await new Promise(setImmediate);
    assert.deepEqual(sidecars.status(), []);
  });

  it('that waits for its next attempt is started by a reload at once, and not by a stop', async (t) => {
    const { programs, sidecars, use, last, states } = start(t, 'a');
    last().onFailed('no');
    use(optionsOf('a'));
    assert.equal(programs.length, 2);
    last().onFailed('no');
    sidecars.freeze();
    mock.timers.tick(60_000);
    await sidecars.stop();
    assert.deepEqual([programs.length, states()], [2, ['ended']]);
  });

  it('that ends while the server drains is not started again', (t) => {
    const { programs, sidecars, last } = start(t, 'a');
    last().onStarted(7);
    sidecars.freeze();
    assert.ok(!last().stopped);
    last().onEnded(1, 'with exit code 1');
    mock.timers.tick(60_000);
    assert.equal(programs.length, 1);
  });
});
