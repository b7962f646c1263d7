import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { BodySink, Request, RequestBody } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { Response } from '../../src/http/response.ts';
import { COMPLETE, FRAME_HEAD_BYTES } from '../../src/workers/frames.ts';
import type { Lane } from '../../src/workers/lane.ts';
import { Pool } from '../../src/workers/pool.ts';
import { idleLane } from '../support/lane.ts';
import { poolOptions } from '../support/pool.ts';

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

function makePool(t: TestContext): Pool {
  const pool = new Pool(poolOptions());
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
