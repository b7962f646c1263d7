import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { Keeper, ProgramEvents } from '../../src/beside/keeper.ts';
import { Schedule } from '../../src/beside/schedule.ts';
import type { Log } from '../../src/log/log.ts';

const OPTIONS = {
  name: 'job',
  program: { command: ['true'], directory: '/', environment: {}, stopSignal: 'SIGTERM', graceMs: 0 },
  when: { everyMs: 60_000 },
  timeoutMs: 600_000,
} as const;

/** A schedule for each minute, with a clock that stands still between ticks. */
function start(t: { after(end: () => void): void }) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let nowMs = 0;
  const runs: ProgramEvents[] = [];
  const stops: number[] = [];
  const lines: string[] = [];
  const keeper = {
    start: (_python: string, _options: object, events: ProgramEvents) => {
      runs.push(events);
      return { stop: () => stops.push(runs.length) };
    },
  } as unknown as Keeper;
  const note = (message: string) => void lines.push(message);
  const log = { info: note, warn: note, error: note } as unknown as Log;
  const schedule = new Schedule(
    OPTIONS,
    (afterMs) => afterMs + 60_000,
    'python3',
    keeper,
    log,
    () => nowMs,
  );
  schedule.start();
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 10_000) {
      nowMs += Math.min(left, 10_000);
      mock.timers.tick(Math.min(left, 10_000));
    }
  };
  const jump = (ms: number) => {
    nowMs += ms;
  };
  return { schedule, runs, stops, lines, pass, jump };
}

describe('Schedule', () => {
  it('runs at its times, and not before', (t) => {
    const { schedule, runs, pass } = start(t);
    pass(59_000);
    assert.equal(runs.length, 0);
    pass(1000);
    assert.equal(runs.length, 1);
    runs[0]?.onStarted(77);
    assert.deepEqual([schedule.status().state, schedule.status().pid], ['running', 77]);
    runs[0]?.onEnded(0, 'with exit code 0');
    assert.equal(schedule.status().last_run?.result, 'success');
    pass(60_000);
    assert.equal(runs.length, 2);
  });

  it('leaves out a run while the one before still runs', (t) => {
    const { schedule, runs, lines, pass } = start(t);
    pass(180_000);
    assert.equal(runs.length, 1);
    assert.equal(schedule.status().skipped, 2);
    assert.ok(lines.every((line) => line === 'A run of schedule job is left out: the run before still runs'));
    runs[0]?.onFailed('no');
    pass(60_000);
    assert.equal(runs.length, 2);
  });

  it('does not run what it has missed while the machine slept', (t) => {
    const { schedule, runs, lines, pass, jump } = start(t);
    jump(3_600_000);
    pass(30_000);
    assert.equal(runs.length, 0);
    assert.equal(schedule.status().skipped, 1);
    assert.match(lines[0] ?? '', /was missed at 1970-01-01T00:01:00\.000Z/);
    pass(60_000);
    assert.equal(runs.length, 1);
  });

  it('stops a run that takes too long, whatever its exit code is', (t) => {
    const { schedule, runs, stops, pass } = start(t);
    pass(60_000);
    pass(600_000);
    assert.deepEqual(stops, [1]);
    runs[0]?.onEnded(0, 'with exit code 0');
    assert.equal(schedule.status().last_run?.result, 'timeout');
  });

  it('stops when its run has ended, and then starts no other', async (t) => {
    const { schedule, runs, stops, pass } = start(t);
    pass(60_000);
    const stopped = schedule.stop();
    assert.deepEqual(stops, [1]);
    runs[0]?.onEnded(-15, 'of SIGTERM');
    await stopped;
    pass(600_000);
    assert.equal(runs.length, 1);
    assert.equal(schedule.status().state, 'ended');
  });
});
