import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { BodySink, Request, RequestBody } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { Response } from '../../src/http/response.ts';
import { COMPLETE, FRAME_HEAD_BYTES } from '../../src/workers/frames.ts';
import type { Lane } from '../../src/workers/lane.ts';
import { Outcomes } from '../../src/workers/outcomes.ts';
import type { PendingRequest } from '../../src/workers/pending-request.ts';
import { Pool } from '../../src/workers/pool.ts';
import type { PoolOptions } from '../../src/workers/pool-options.ts';
import { frame, idleLane, makeLane as testLane } from '../support/lane.ts';
import { poolOptions } from '../support/pool.ts';
import { eventually } from '../support/wait.ts';

describe('a pool whose worker died', () => {
  it('starts no request again that the worker had started, when a later one can be recovered', (t) => {
    const pool = makePool(t);
    const lane = makeLane();
    pool.add(lane);
    const statuses = ask(pool, 3);
    pool.remove(lane);
    lane.recover(copyOf(2)); // the response to 1 was sent, but lost with the socket
    const other = makeLane();
    pool.add(other);
    pool.settleDeadLane(lane, 2);
    assert.deepEqual(statuses, [502, 200]);
    assert.deepEqual(
      other.inflight.map(({ id }) => id),
      [3],
    );
  });
});

describe('a request that was answered in a lane before it was started', () => {
  it('does not run after its worker has died', (t) => {
    const pool = makePool(t);
    const lane = makeLane();
    pool.add(lane);
    const statuses = ask(pool, 3);
    lane.inflight[1]?.refuse(Response.text(504, 'too late'), 'took too long');
    const other = makeLane();
    pool.add(other);
    pool.settleDeadLane(lane, 1);
    assert.deepEqual(statuses, [502, 504]);
    assert.deepEqual(
      other.inflight.map(({ id }) => id),
      [3],
    );
  });
});

describe('a pool that was stopped', () => {
  it('answers a request with 503 when its content is complete only now', (t) => {
    const pool = makePool(t);
    const body = new SlowBody();
    const statuses: number[] = [];
    settle(pool, makeRequest(body), statuses);
    pool.stop();
    body.sink?.end();
    assert.deepEqual(statuses, [503]);
  });

  it('answers requests with 503 when a lane gives them back', (t) => {
    const pool = makePool(t);
    const lane = makeLane();
    pool.add(lane);
    const statuses = ask(pool, 2);
    pool.stop();
    pool.settleDeadLane(lane, 1);
    assert.deepEqual(statuses, [502, 503]);
  });
});

describe('a pool that has handed over', () => {
  function makePools(t: TestContext): { pool: Pool; heir: Pool; lane: Lane } {
    const [pool, heir, lane] = [makePool(t), makePool(t), makeLane()];
    heir.add(lane);
    return { pool, heir, lane };
  }

  it('gives its heir what waits, and all that comes', (t) => {
    const { pool, heir, lane } = makePools(t);
    ask(pool, 2);
    assert.equal(pool.waiting, 2);
    pool.handOver(heir);
    ask(pool, 1);
    assert.deepEqual([pool.waiting, lane.inflight.length], [0, 3]);
  });

  it('gives its heir a request whose content is complete only now', (t) => {
    const { pool, heir, lane } = makePools(t);
    const body = new SlowBody();
    settle(pool, makeRequest(body), []);
    pool.handOver(heir);
    body.sink?.end();
    assert.equal(lane.inflight.length, 1);
  });

  it('gives its heir what its own lanes give back', (t) => {
    const { pool, heir, lane } = makePools(t);
    const own = makeLane();
    pool.add(own);
    const statuses = ask(pool, 2);
    pool.handOver(heir);
    pool.settleDeadLane(own, 1);
    assert.deepEqual(statuses, [502]);
    assert.deepEqual([pool.waiting, lane.inflight.length], [0, 1]);
  });

  it('leaves a lane that moves to another pool its requests', (t) => {
    const { pool, heir } = makePools(t);
    const own = makeLane();
    pool.add(own);
    const statuses = ask(pool, 2);
    heir.adopt(own, pool);
    pool.handOver(heir);
    heir.settleDeadLane(own, 1);
    assert.deepEqual(statuses, [502]);
  });

  it('sends nothing to a lane of it that was out of use', (t) => {
    const { pool, heir, lane } = makePools(t);
    const own = makeLane();
    pool.add(own);
    pool.remove(own);
    heir.adopt(own, pool);
    heir.remove(lane);
    ask(heir, 1);
    assert.deepEqual([heir.waiting, own.inflight.length], [1, 0]);
  });

  it('leaves deadlines of requests to its heir, which had no request so far', async (t) => {
    const limits = { requestTimeoutMs: 1, requestGraceMs: 60_000 };
    const [pool, heir, lane] = [makePool(t, limits), makePool(t, limits), idleLane()];
    pool.add(lane);
    const statuses = ask(pool, 1);
    heir.adopt(lane, pool);
    pool.handOver(heir);
    await eventually('it is answered', () => statuses.length === 1);
    assert.deepEqual(statuses, [504]);
  });

  it('leaves deadlines of requests that wait to its heir, which has no lane so far', async (t) => {
    const limits = { queueWaitMaxMs: 1 };
    const [pool, heir] = [makePool(t, limits), makePool(t, limits)];
    const statuses = ask(pool, 1);
    pool.handOver(heir);
    await eventually('it is answered', () => statuses.length === 1);
    assert.deepEqual(statuses, [503]);
  });
});

describe('a pool whose outcomes are counted', () => {
  it('counts each answer, by the application or by this server, but none for a client that has left', (t) => {
    const pool = makePool(t);
    ask(pool, 1);
    pool.outcomes = new Outcomes();
    const request = makeRequest(null) as { -readonly [Key in keyof Request]: Request[Key] };
    settle(pool, request, []);
    request.gone = true;
    request.onGone?.();
    ask(pool, 2);
    pool.stop();
    assert.deepEqual([pool.outcomes.requests, pool.outcomes.failures], [2, 2]);
  });
});

describe('a client that asks for more than its share', () => {
  it('is refused alone, when its own requests would wait for too long', (t) => {
    let nowMs = 1_000_000;
    t.mock.method(performance, 'now', () => nowMs);
    const pool = makePool(t, { queueMax: 10_000, queueDelayMs: 1000, laneDepthMax: 1 });
    const { lane, receive } = testLane([]);
    pool.add(lane);
    const reasons = { polite: [] as string[], greedy: [] as string[] };
    const send = (client: 'polite' | 'greedy', remoteAddress: string): void => {
      const request = makeRequest(null);
      Object.assign(request.peer, { remoteAddress });
      (pool.handle(request) as PendingRequest).then(
        () => reasons[client].push(request.record.reason),
        () => {},
      );
    };
    const step = (greedy: number): void => {
      nowMs += 10;
      send('polite', `192.0.2.${(nowMs / 10) % 50}`);
      for (let i = 0; i < greedy; i += 1) send('greedy', '198.51.100.1');
      for (let i = 0; i < 2 && lane.inflight.length > 0; i += 1) {
        receive(frame({ kind: COMPLETE, id: lane.inflight[0]?.id ?? 0 }));
        pool.pump();
      }
    };
    for (let i = 0; i < 1000; i += 1) step(i < 800 ? 4 : 0);
    assert.equal(reasons.polite.length, 1000);
    assert.deepEqual([...new Set(reasons.polite)], ['']);
    assert.deepEqual([...new Set(reasons.greedy)].sort(), ['', 'client queue full']);
    const answered = reasons.greedy.filter((reason) => reason === '').length;
    assert.ok(answered > 800 && answered < 1200, `${answered} of the greedy client were answered`);
  });
});

describe('a single client that asks for too much', () => {
  /** Sends 4 requests in each of `steps` steps, then none in 500. Half of them can be answered. */
  function overload(t: TestContext, steps: number, onStep: (pool: Pool, step: number) => void = () => {}) {
    let nowMs = 1_000_000;
    t.mock.method(performance, 'now', () => nowMs);
    const log: string[] = [];
    const pool = makePool(t, {
      queueMax: 10_000,
      queueDelayMs: 1000,
      laneDepthMax: 1,
      onOverload: () => log.push('overload'),
      onOverloadEnd: (count) => log.push(`${count} were refused`),
    });
    const { lane, receive } = testLane([]);
    pool.add(lane);
    const statuses: number[] = [];
    let sent = 0;
    for (let step = 0; step < steps + 500; step += 1) {
      nowMs += 10;
      for (let k = 0; step < steps && k < 4; k += 1, sent += 1) settle(pool, makeRequest(null), statuses, sent);
      for (let k = 0; k < 2 && lane.inflight.length > 0; k += 1) {
        receive(frame({ kind: COMPLETE, id: lane.inflight[0]?.id ?? 0 }));
        pool.pump();
      }
      onStep(pool, step);
    }
    const refused = statuses.filter((status) => status === 503).length;
    return { log, refused, answered: statuses.filter((status) => status === 200).length };
  }

  it('is answered all the time, and the log says once that it was overloaded, and how many were refused', (t) => {
    const { log, refused, answered } = overload(t, 1000);
    assert.equal(refused + answered, 4000);
    assert.ok(answered > 2000, `${answered} were answered`);
    assert.deepEqual(log, ['overload', `${refused} were refused`]);
  });

  it('leaves an overload behind when its pool hands over, and the log says so', (t) => {
    const heir = makePool(t);
    const { log } = overload(t, 600, (pool, step) => {
      if (step === 599) pool.handOver(heir);
    });
    assert.deepEqual(
      log.map((line) => line.replace(/\d+/, 'some')),
      ['overload', 'some were refused'],
    );
  });
});

describe('a full queue', () => {
  it('refuses one of a lower priority for a request with content only when all of that has come', (t) => {
    const pool = makePool(t, { queueMax: 2, laneDepthMax: 1 });
    pool.add(idleLane());
    const statuses: number[] = [];
    for (let index = 0; index < 3; index += 1) settle(pool, makeRequest(null), statuses, index);
    const body = new SlowBody();
    settle(pool, { ...makeRequest(body), priority: 'high' }, statuses, 3);
    assert.deepEqual(statuses, []);
    body.sink?.end();
    assert.deepEqual(Object.entries(statuses), [['2', 503]]);
  });

  it('has room for a higher priority, and counts who was refused and who left', (t) => {
    const pool = makePool(t, { queueMax: 2, laneDepthMax: 1 });
    pool.add(idleLane());
    const requests = (['normal', 'low', 'low', 'low', 'high', 'high', 'high'] as const).map((priority) => ({
      ...makeRequest(null),
      priority,
    }));
    const statuses: number[] = [];
    for (const [index, request] of requests.entries()) settle(pool, request, statuses, index);
    assert.deepEqual(Object.entries(statuses), [
      ['1', 503],
      ['2', 503],
      ['3', 503],
      ['6', 503],
    ]);
    const last = requests[5];
    assert.ok(last !== undefined);
    last.gone = true;
    last.onGone?.();
    assert.deepEqual([statuses[5], last.record.reason], [499, 'client left the queue']);
    const { entered, left, shed } = pool.queueCounters;
    assert.deepEqual([entered, left, shed.queueMax], [4, 1, 4]);
    assert.equal(
      Object.values(shed).reduce((sum, count) => sum + count),
      4,
    );
  });
});

function makePool(t: TestContext, changes: Partial<PoolOptions> = {}): Pool {
  const pool = new Pool(poolOptions(changes));
  t.after(() => pool.stop());
  return pool;
}

/** A lane that has measured short requests, so that it takes several at once. */
function makeLane(): Lane {
  const lane = idleLane();
  lane.averageNs = 1000;
  return lane;
}

/** Sends `count` requests. Returns the statuses of those that are answered, in the order of the requests. */
function ask(pool: Pool, count: number): number[] {
  const statuses: number[] = [];
  for (let i = 0; i < count; i += 1) settle(pool, makeRequest(null), statuses, i);
  return statuses;
}

function settle(pool: Pool, request: Request, statuses: number[], index = statuses.length): void {
  const result = pool.handle(request);
  if (result instanceof Response) assert.fail(`the pool answered at once: ${result.status}`);
  result.then(
    ({ status }) => {
      statuses[index] = status;
    },
    () => assert.fail('the pool failed'),
  );
}

function makeRequest(body: RequestBody | null): Request {
  return {
    method: 'POST',
    path: '/',
    query: '',
    protocol: 'HTTP/1.1',
    headers: [],
    headersRepeat: false,
    headerCacheId: 0,
    scriptName: '',
    host: '',
    body,
    peer: { remoteAddress: '', remotePort: 0, listener: 0, secure: false, serverPort: '' },
    upgrades: false,
    record: newRecord(),
    gone: false,
    onGone: null,
    sendInterim() {},
  };
}

/** Content that ends when the test says so. */
class SlowBody implements RequestBody {
  readonly length = 0;
  readonly trailers = [];
  sink: BodySink | null = null;

  start(sink: BodySink): void {
    this.sink = sink;
  }

  pause(): void {}
  resume(): void {}
  cancel(): void {}
}

/** The scoreboard's copy of an empty response. */
function copyOf(request: number): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES);
  frame.writeUInt32LE(request, 0);
  frame[4] = COMPLETE;
  frame.writeUInt16LE(200, 6);
  frame.writeBigInt64LE(-1n, 16);
  return frame;
}
