import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
  RECALLED,
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
  ['a frame of an unknown kind', frame({ kind: 10 }), /unknown kind 10/],
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
  ['a file of 3 bytes of description', frame({ kind: FILE, body: 'abc' }), /impossible file/],
  ['a file that ends before it starts', frame({ kind: FILE, body: range(9n, 1n) }), /impossible file/],
  ['a file that ends at 2^60', frame({ kind: FILE, body: range(0n, 1n << 60n) }), /impossible file/],
  ['a recall that nobody asked for', frame({ id: 0, kind: RECALLED, body: ids(2) }), /nobody recalled/],
  ['a recall of half an id', frame({ id: 0, kind: RECALLED, body: 'abc' }), /not a request/],
];

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
      const overdue = Array.from({ length: 6 }, () => lane.isOverdue());
      assert.deepEqual(overdue.slice(0, 4), [false, false, false, false]);
      assert.equal(overdue[5], true);
    }
  });

  it('is not overdue while it only runs, or waits for a client that does not read', () => {
    const running = makeLane([1]);
    const waiting = makeLane([1]);
    waiting.receive(frame({ kind: HEAD, body: 'x'.repeat(40_000), bodyLength: 100_000 }));
    for (const { lane } of [running, waiting]) {
      for (let tick = 0; tick < 20; tick += 1) assert.equal(lane.isOverdue(), false);
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
