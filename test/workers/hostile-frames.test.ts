import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HAS_CONTROL, HAS_DATE, HAS_SERVER } from '../../src/http/response.ts';
import { toPromise } from '../../src/http/to-promise.ts';
import {
  ABORT,
  BLOCK,
  COMPLETE,
  EARLY_HINTS,
  END,
  FAILED,
  FILE,
  HAS_REASON,
  HEAD,
  INTERRUPTED,
  RECALLED,
  TRACE,
} from '../../src/workers/frames.ts';
import type { PendingRequest } from '../../src/workers/pending-request.ts';
import { frame, makeLane } from '../support/lane.ts';
import { chooseSeed, createRandom } from '../support/random.ts';

const HUGE = 0xffffffff;
const ids = (...numbers: number[]): Buffer => Buffer.from(Uint32Array.from(numbers).buffer);
const range = (start: bigint, end: bigint): Buffer => {
  const bytes = Buffer.alloc(20);
  bytes.writeBigInt64LE(start, 4);
  bytes.writeBigInt64LE(end, 12);
  return bytes;
};
const head = frame({ kind: HEAD, body: 'a' });

/** What a worker never says, and a part of the reason in the log. Requests 1 and 2 are in the lane, and 1 runs. */
const LIES: readonly (readonly [title: string, bytes: Buffer, reason: RegExp])[] = [
  ['a frame of an unknown kind', frame({ kind: 12 }), /unknown kind 12/],
  ['the record of a request that nobody traces', frame({ kind: TRACE, body: 'N' }), /that nobody traces/],
  ['gigabytes of a record', frame({ kind: TRACE, bodyLength: HUGE }), /a report of/],
  [
    'the end of a request that nobody interrupted',
    frame({ kind: INTERRUPTED }),
    /ended a request that nobody interrupted/,
  ],
  ['a frame of kind 0', frame({ kind: 0 }), /unknown kind 0/],
  ['text', Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n'), /./],
  ['gigabytes of fields', frame({ kind: COMPLETE, linesLength: HUGE }), /4294967295 bytes of header fields/],
  ['gigabytes of a traceback', frame({ kind: FAILED, bodyLength: HUGE }), /a report of 4294967295 bytes/],
  ['gigabytes of early hints', frame({ kind: EARLY_HINTS, status: 103, bodyLength: HUGE }), /a report of/],
  ['gigabytes of recalled ids', frame({ id: 0, kind: RECALLED, bodyLength: HUGE }), /a report of/],
  ['a response for a request of another lane', frame({ id: 9, kind: COMPLETE }), /that it was not running/],
  ['a response for a request that waits', frame({ id: 2, kind: COMPLETE }), /that it was not running/],
  ['a block without a head', frame({ kind: BLOCK, body: 'a' }), /had not started/],
  ['an end without a head', frame({ kind: END }), /had not started/],
  ['an abortion without a head', frame({ kind: ABORT }), /had not started/],
  ['two heads', Buffer.concat([head, head]), /answered a request twice/],
  ['a response after a head', Buffer.concat([head, frame({ kind: COMPLETE })]), /answered a request twice/],
  ['a file after a head', Buffer.concat([head, frame({ kind: FILE, body: range(0n, 1n) })]), /twice/],
  ['early hints after a head', Buffer.concat([head, frame({ kind: EARLY_HINTS, status: 103 })]), /twice/],
  ['status 0', frame({ kind: COMPLETE, status: 0 }), /impossible head/],
  ['status 101', frame({ kind: COMPLETE, status: 101 }), /impossible head/],
  ['status 65535', frame({ kind: HEAD, status: 65535 }), /impossible head/],
  ['early hints with status 200', frame({ kind: EARLY_HINTS, status: 200 }), /impossible head/],
  ['a Content-Length above 2^53', frame({ kind: COMPLETE, contentLength: 1n << 60n }), /impossible head/],
  ['fields without an end', frame({ kind: COMPLETE, lines: 'A: b' }), /impossible head/],
  ['fields with two heads', frame({ kind: COMPLETE, lines: 'A: b\r\n\r\nC: d\r\n' }), /impossible head/],
  ['a reason without an end', frame({ kind: COMPLETE, has: HAS_REASON }), /impossible head/],
  ['a reason with a line feed', frame({ kind: HEAD, has: HAS_REASON, lines: 'O\nK\r\n' }), /impossible head/],
  ['a reason with a carriage return', frame({ kind: HEAD, has: HAS_REASON, lines: 'O\rK\r\n' }), /impossible head/],
  ['a file of 3 bytes of description', frame({ kind: FILE, body: 'abc' }), /impossible file/],
  ['a file that ends before it starts', frame({ kind: FILE, body: range(9n, 1n) }), /impossible file/],
  ['a file that ends at 2^60', frame({ kind: FILE, body: range(0n, 1n << 60n) }), /impossible file/],
  ['a recall that nobody asked for', frame({ id: 0, kind: RECALLED, body: ids(2) }), /nobody recalled/],
  ['a recall of half an id', frame({ id: 0, kind: RECALLED, body: 'abc' }), /not a request/],
];

/** Lines that could split a response, or contradict what the frame says besides them. */
const WRONG_LINES: readonly (readonly [title: string, lines: string, contentLength?: bigint])[] = [
  ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n'],
  ['an empty line only', '\r\n'],
  ['a line feed in a value', 'A: b\nC: d\r\n'],
  ['a carriage return in a value', 'A: b\rC: d\r\n'],
  ['NUL in a value', 'A: b\0\r\n'],
  ['another control character in a value', 'A: \x1b[1m\r\n'],
  ['a folded line', 'A: b\r\n c\r\n'],
  ['a name without a colon', 'A\r\n'],
  ['no name', ': b\r\n'],
  ['a space before the colon', 'A : b\r\n'],
  ['a name outside ASCII', 'Ä: b\r\n'],
  ['a status line', 'HTTP/1.1 200 OK\r\n'],
  ['Transfer-Encoding', 'Transfer-Encoding: chunked\r\n'],
  ['transfer-encoding beside a Content-Length', 'Content-Length: 1\r\ntransfer-encoding: chunked\r\n', 1n],
  ['Connection', 'A: b\r\nConnection: close\r\n'],
  ['TE', 'TE: trailers\r\n'],
  ['Upgrade', 'UPGRADE: h2c\r\n'],
  ['Keep-Alive', 'Keep-Alive: timeout=5\r\n'],
  ['Trailer', 'trailer: A\r\n'],
  ['Proxy-Connection', 'Proxy-Connection: close\r\n'],
  ['a Content-Length that the frame does not have', 'Content-Length: 5\r\n'],
  ['another Content-Length than the frame', 'content-length: 5\r\n', 6n],
  ['no Content-Length, which the frame has', 'A: b\r\n', 6n],
  ['no lines, although the frame has a Content-Length', '', 6n],
  ['two Content-Length lines', 'Content-Length: 5\r\nContent-Length: 5\r\n', 5n],
  ['a Content-Length list', 'Content-Length: 5, 5\r\n', 5n],
  ['a signed Content-Length', 'Content-Length: +5\r\n', 5n],
];

/** Frames with field lines, as `kind` and status. */
const HEADS = [
  ['a whole response', COMPLETE, 200],
  ['the head of a stream', HEAD, 200],
  ['the head of a file', FILE, 200],
  ['early hints', EARLY_HINTS, 103],
] as const;

describe('the field lines of a worker', () => {
  for (const [title, lines, contentLength = -1n] of WRONG_LINES) {
    it(`are refused in every frame when they have ${title}`, () => {
      for (const [where, kind, status] of HEADS) {
        const hasReason = kind === EARLY_HINTS ? [0] : [0, HAS_REASON];
        for (const has of hasReason) {
          const { lane, requests, broken, receive } = makeLane([1]);
          const sent = has === 0 ? lines : `Fine\r\n${lines}`;
          receive(frame({ kind, status, has, contentLength, lines: sent, body: kind === FILE ? range(0n, 1n) : 'a' }));
          assert.match(broken.join(), /impossible head/, where);
          assert.equal(lane.state, 'closed');
          assert.equal(requests[0]?.settled, false);
        }
      }
    });
  }

  it('are refused also after the same lines came with the right Content-Length', () => {
    const { broken, answers, receive } = makeLane([1, 2]);
    receive(frame({ id: 1, kind: COMPLETE, lines: 'Content-Length: 5\r\n', contentLength: 5n, body: 'hello' }));
    receive(frame({ id: 2, kind: COMPLETE, lines: 'Content-Length: 5\r\n', body: 'hello' }));
    assert.deepEqual(answers, ['200 hello']);
    assert.match(broken.join(), /impossible head/);
  });

  it('decide what the connection adds or removes, whatever the frame says', async () => {
    for (const [lines, has] of [
      ['date: now\r\n', HAS_DATE],
      ['A: b\r\nSERVER: mine\r\n', HAS_SERVER],
      ['X-Accel-Redirect: /secret\r\n', HAS_CONTROL],
      ['x-accel-of-the-future-with-a-name-of-many-letters: 1\r\nDate: now\r\n', HAS_CONTROL | HAS_DATE],
      ['X-Sendfile: /etc/passwd\r\n', HAS_CONTROL],
      ['X-Frame-Options: DENY\r\nData: 1\r\nDated: 1\r\nServed: 1\r\nX-Accelerate: 1\r\n', 0],
    ] as const) {
      const { requests, receive } = makeLane([1]);
      receive(frame({ kind: COMPLETE, lines }));
      const response = await toPromise(requests[0] as PendingRequest);
      assert.deepEqual([response.lines, response.has], [lines, has]);
    }
  });
});

describe('a worker that says what no worker says', () => {
  for (const [title, bytes, reason] of LIES) {
    it(`is broken, and none of its requests is lost, when it sends ${title}`, () => {
      const { lane, requests, broken, receive } = makeLane([1, 2]);
      receive(bytes);
      receive(frame({ kind: COMPLETE, body: 'too late' }));
      assert.equal(broken.length, 1, broken.join());
      assert.match(broken[0] as string, reason);
      assert.equal(lane.state, 'closed');
      const unanswered = requests.filter(({ settled }) => !settled);
      assert.deepEqual(
        unanswered.filter((request) => !lane.inflight.includes(request)),
        [],
      );
    });
  }

  it('is broken when it gives back a request that it does not have, or one that it answers', () => {
    for (const [sent, given] of [
      [Buffer.alloc(0), ids(2, 3)],
      [head, ids(1)],
    ] as const) {
      const { lane, broken, receive } = makeLane([1, 2]);
      receive(sent);
      lane.recall();
      receive(frame({ id: 0, kind: RECALLED, body: given }));
      assert.match(broken.join(), /that it did not have/);
    }
  });

  it('is overdue when the rest of a frame, or the answer to a recall, does not come', () => {
    const half = makeLane([1]);
    half.receive(frame({ kind: COMPLETE, body: 'hello' }).subarray(0, 35));
    const block = makeLane([1]);
    block.receive(frame({ kind: HEAD, bodyLength: 100_000 }));
    const recalled = makeLane([1, 2]);
    recalled.lane.recall();
    for (const { lane } of [half, block, recalled]) {
      const silent = Array.from({ length: 6 }, () => lane.isSilent());
      assert.deepEqual(silent.slice(0, 4), [false, false, false, false]);
      assert.equal(silent[5], true);
    }
  });

  it('is not silent while it only runs, or waits for a client that does not read', () => {
    const running = makeLane([1]);
    const waiting = makeLane([1]);
    waiting.receive(frame({ kind: HEAD, body: 'x'.repeat(40_000), bodyLength: 100_000 }));
    for (const { lane } of [running, waiting]) {
      for (let tick = 0; tick < 20; tick += 1) assert.equal(lane.isSilent(), false);
    }
  });

  it('never makes the lane throw or lose a request, whatever it sends', (t) => {
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    const number = (below: number): number => Math.floor(random() * below);
    const kinds = [COMPLETE, HEAD, BLOCK, END, ABORT, FILE, FAILED, RECALLED, EARLY_HINTS, number(256)];
    for (let round = 0; round < 20_000; round += 1) {
      const owned = new Set<PendingRequest>();
      const test = makeLane([1, 2, 3], {
        onFailed: (_lane, request) => void owned.add(request),
        onFile: (_lane, request) => void owned.add(request),
        onRecalled: (requests) => {
          for (const request of requests) owned.add(request);
        },
      });
      const frames = Array.from({ length: 1 + number(5) }, () =>
        frame({
          id: number(4),
          kind: kinds[number(kinds.length)] as number,
          has: number(8),
          status: random() < 0.8 ? 200 : number(65536),
          lines: random() < 0.5 ? '' : 'A: b\r\n'.repeat(number(4)),
          body: Buffer.alloc(4 * number(6), number(4)),
        }),
      );
      const bytes = Buffer.concat(frames);
      if (random() < 0.3) bytes[number(bytes.length)] = number(256);
      if (random() < 0.3) test.lane.recall();
      for (let at = 0; at < bytes.length; ) {
        const end = random() < 0.5 ? bytes.length : at + 1 + number(50);
        if (test.broken.length === 0) test.receive(bytes.subarray(at, end));
        at = end;
      }
      const lost = test.requests.filter(
        (request) => !request.settled && !owned.has(request) && !test.lane.inflight.includes(request),
      );
      assert.deepEqual(lost, [], `round ${round}`);
      assert.ok(test.broken.length <= 1);
    }
  });
});
