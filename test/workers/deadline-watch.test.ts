import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { type DeadlineLimits, DeadlineWatch } from '../../src/workers/deadline-watch.ts';
import { COMPLETE, END, FAILED, FILE, HEAD, INTERRUPTED } from '../../src/workers/frames.ts';
import type { LaneOwner } from '../../src/workers/lane-owner.ts';
import { LaneDeadline } from '../../src/workers/overdue.ts';
import { PendingRequest } from '../../src/workers/pending-request.ts';
import { Queue } from '../../src/workers/queue.ts';
import { frame, makeLane, type TestLane } from '../support/lane.ts';

/** The clock of the tests, in milliseconds. */
let clockMs = 0;

/** Lets `ms` pass, in steps in which the watch ticks. */
function pass(ms: number): void {
  for (let end = clockMs + ms; clockMs < end; ) {
    clockMs += 100;
    mock.timers.tick(100);
  }
}

describe('the overdue requests of a lane', () => {
  it('are answered once each, also those that left the lane before later ones were overdue', () => {
    const { requests } = makeLane([1, 2, 3, 4]);
    const deadline = new LaneDeadline();
    for (const pending of requests) {
      deadline.begin(pending, 0, 1000);
      if (pending.id < 4) deadline.end();
    }
    assert.deepEqual(
      [3, 1, 4, 2].map((id) => deadline.answer(id)?.pending.id),
      [3, 1, 4, 2],
    );
    for (const id of [1, 2, 3, 4, 5]) assert.equal(deadline.answer(id), null);
  });
});

describe('the watch of deadlines', () => {
  beforeEach(() => {
    clockMs = 1_000_000;
    mock.timers.enable({ apis: ['setInterval'] });
    // The timers of Node 24's mock never return from an interval that calls its setImmediate.
    mock.method(globalThis, 'setImmediate', (run: () => void) => run());
    mock.method(performance, 'now', () => clockMs);
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });

  const queue = new Queue<PendingRequest>();
  const refused: number[] = [];

  function watchOf(limits: Partial<DeadlineLimits>): DeadlineWatch {
    refused.length = 0;
    return new DeadlineWatch(
      { requestTimeoutMs: 1000, queueWaitMaxMs: 0, streamTimeoutMs: 0, requestGraceMs: 500, ...limits },
      queue,
      ({ id }) => refused.push(id),
    );
  }

  function running(limits: Partial<DeadlineLimits>, ids = [1], owner: Partial<LaneOwner> = {}): TestLane {
    const lane = makeLane(ids, owner);
    lane.lane.headSinceMs = clockMs;
    const watch = watchOf(limits);
    watch.add(lane.lane);
    watch.wake();
    return lane;
  }

  it('answers the client of a request that runs for too long with 504, and no earlier', () => {
    const { answers } = running({});
    pass(900);
    assert.deepEqual(answers, []);
    pass(200);
    assert.match(answers[0] ?? '', /^504 /);
  });

  it('counts the time in the queue', () => {
    const lane = running({});
    (lane.requests[0] as PendingRequest).queuedAtMs = clockMs - 800;
    pass(300);
    assert.match(lane.answers[0] ?? '', /^504 /);
    const { queuedMs, ranMs } = lane.lane.deadline.find(1) ?? {};
    assert.deepEqual([queuedMs, ranMs], [800, 200]);
  });

  it('has no deadline when it is 0, for the application or for the request', () => {
    const without = running({ requestTimeoutMs: 0 });
    const own = running({});
    (own.requests[0]?.request as { timeoutMs?: number }).timeoutMs = 0;
    pass(5000);
    assert.deepEqual([without.answers, own.answers], [[], []]);
  });

  it('recalls what waits behind the request', () => {
    const recalled: number[] = [];
    running({}, [1, 2, 3], { onRecall: () => recalled.push(clockMs) });
    pass(1200);
    assert.equal(recalled.length, 1);
  });

  it('gives the thread up after the grace, once', () => {
    const stuck: number[] = [];
    running({}, [1], { onStuck: () => stuck.push(clockMs) });
    pass(1400);
    assert.deepEqual(stuck, []);
    pass(1000);
    assert.equal(stuck.length, 1);
  });

  for (const [name, bytes] of [
    ['says so', frame({ kind: INTERRUPTED })],
    ['answers nevertheless', frame({ kind: COMPLETE, body: 'late' })],
    ['fails', frame({ kind: FAILED, body: 'Traceback' })],
    ['answers with blocks', Buffer.concat([frame({ kind: HEAD, body: 'late' }), frame({ kind: END })])],
    ['answers and says so', Buffer.concat([frame({ kind: COMPLETE }), frame({ kind: INTERRUPTED })])],
    ['was in the middle and says so', Buffer.concat([frame({ kind: HEAD, body: 'a' }), frame({ kind: INTERRUPTED })])],
  ] as const) {
    it(`lets the lane go on when its thread ${name}`, () => {
      const { lane, answers, broken, receive } = running({});
      pass(1200);
      receive(bytes);
      assert.deepEqual([broken, lane.inflight.length, lane.state], [[], 0, 'open']);
      assert.equal(answers.length, 1);
      pass(2000);
      assert.equal(lane.deadline.current, null);
    });
  }

  it('does not open a file twice as an answer', () => {
    const files: number[] = [];
    const { receive } = running({}, [1], { onFile: (_lane, { settled }) => files.push(Number(settled)) });
    pass(1200);
    receive(frame({ kind: FILE, body: Buffer.alloc(20) }));
    assert.deepEqual(files, [1]);
  });

  it('breaks off a stream of which nothing arrives, and only then', () => {
    const { lane, receive, broken } = running({ streamTimeoutMs: 1000 });
    receive(frame({ kind: HEAD, body: 'a' }));
    pass(900);
    assert.equal(lane.deadline.find(1), null);
    pass(400);
    assert.equal(lane.deadline.find(1)?.isStream, true);
    assert.deepEqual(broken, []);
  });

  it('refuses what waited for too long', () => {
    const watch = watchOf({});
    const request = { peer: { remoteAddress: '127.0.0.1' }, gone: false, onGone: null } as unknown as Request;
    const waiting = [1, 2].map((id) => new PendingRequest(id, request));
    waiting.forEach((pending, index) => {
      pending.queuedAtMs = clockMs + index * 600;
      queue.push(pending);
      watch.queued(pending);
    });
    pass(1100);
    assert.deepEqual([refused, queue.length], [[1], 1]);
    pass(700);
    assert.deepEqual([refused, queue.length], [[1, 2], 0]);
  });

  it('refuses by the limit of the route, wherever such a request waits', () => {
    const watch = watchOf({});
    const waiting = [0, 300, 2000, 300].map((timeoutMs, index) => {
      const peer = { remoteAddress: index < 3 ? '192.0.2.1' : '192.0.2.2' };
      const pending = new PendingRequest(index + 1, { peer, timeoutMs, onGone: null } as unknown as Request);
      pending.queuedAtMs = clockMs;
      return pending;
    });
    for (const pending of waiting) {
      queue.push(pending);
      watch.queued(pending);
    }
    pass(400);
    assert.deepEqual(refused, [2, 4]);
    pass(1800);
    assert.deepEqual([refused, queue.length], [[2, 4, 3], 1]);
    queue.clear();
  });

  it('rests when there is nothing to watch', () => {
    const watch = watchOf({});
    watch.wake();
    assert.equal(watch.isResting, false);
    pass(3000);
    assert.equal(watch.isResting, true);
  });

  it('does not count the time in which this process was stopped', () => {
    const { answers } = running({});
    pass(500);
    clockMs += 60_000;
    pass(300);
    assert.deepEqual(answers, []);
    pass(500);
    assert.match(answers[0] ?? '', /^504 /);
  });
});
