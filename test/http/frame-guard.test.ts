import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Budget } from '../../src/http/http2/budget.ts';
import { FrameGuard } from '../../src/http/http2/frame-guard.ts';
import { RecentIds } from '../../src/http/http2/recent-ids.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PING,
  RST_STREAM,
  request,
  windowUpdate,
} from '../support/http2-frames.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const PING_BYTES = '12345678';
const TICK_MS = 1000;

function guard(sectionBytesMax = 1000) {
  const told: string[] = [];
  const watcher = {
    onWindowUpdate: (id: number) => void told.push(`update ${id}`),
    onOverflow: (id: number) => void told.push(`overflow ${id}`),
    onReset: (id: number) => void told.push(`reset ${id}`),
  };
  return { told, guard: new FrameGuard(watcher, sectionBytesMax, TICK_MS) };
}

/** Gives `bytes` to a guard in pieces of `size`, what it leaves before the next, and returns what it let pass. */
function inPieces(watched: FrameGuard, bytes: Buffer, size: number): Buffer {
  const passed: Buffer[] = [];
  let rest = Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.concat([rest, bytes.subarray(at, at + size)]);
    const count = watched.scan(piece, 0);
    passed.push(piece.subarray(0, count));
    rest = piece.subarray(count);
  }
  return Buffer.concat(passed);
}

describe('FrameGuard', () => {
  const lawful = [
    request(1),
    frame(HEADERS, 0, 3, 'x'.repeat(500)),
    frame(CONTINUATION, END_HEADERS, 3, 'y'.repeat(300)),
    frame(DATA, 0, 3, 'z'.repeat(700)),
    windowUpdate(3, 70_000),
    frame(DATA, END_STREAM, 3),
    frame(RST_STREAM, 0, 1, '\0\0\0\x08'),
    frame(PING, 0, 0, PING_BYTES),
  ];
  for (const size of [1, 2, 8, 9, 10, 13, 100, 5000]) {
    it(`passes what is lawful unchanged, in pieces of ${size} bytes`, () => {
      const { guard: watched, told } = guard();
      const bytes = Buffer.concat([PREFACE, ...lawful]);
      assert.deepEqual(inPieces(watched, Buffer.from(bytes), size), bytes);
      assert.equal(watched.violation, null);
      assert.deepEqual(told, ['update 3', 'reset 1']);
      assert.equal(watched.lastId, 3);
    });
  }

  it('stops before the frame that is one too many', () => {
    const { guard: watched } = guard();
    const ping = frame(PING, 0, 0, PING_BYTES);
    const bytes = Buffer.concat([PREFACE, ...Array.from({ length: 101 }, () => ping)]);
    assert.equal(watched.scan(bytes, 0), bytes.length - ping.length);
    assert.deepEqual(watched.violation, { code: 11, reason: 'there were too many PING frames' });
  });

  it('allows as many again when time has passed', () => {
    const { guard: watched } = guard();
    const pings = Buffer.concat(Array.from({ length: 100 }, () => frame(PING, 0, 0, PING_BYTES)));
    watched.scan(PREFACE, 0);
    assert.equal(watched.scan(pings, 0), pings.length);
    assert.equal(watched.scan(pings, 10), pings.length);
    assert.equal(watched.scan(pings.subarray(0, 17), 10), 0);
  });

  it('hides an answer to no PING from the engine, as a frame of an unknown kind', () => {
    const { guard: watched } = guard();
    const bytes = Buffer.concat([PREFACE, frame(PING, ACK, 0, PING_BYTES)]);
    assert.equal(watched.scan(bytes, 0), bytes.length);
    assert.equal(bytes[PREFACE.length + 3], 0xfe);
  });

  it('limits a header section, all its frames together', () => {
    const { guard: watched } = guard(1000);
    const first = Buffer.concat([PREFACE, frame(HEADERS, 0, 1, 'x'.repeat(600))]);
    assert.equal(watched.scan(first, 0), first.length);
    assert.equal(watched.inHeaders, true);
    assert.equal(watched.scan(frame(CONTINUATION, END_HEADERS, 1, 'x'.repeat(401)), 0), 0);
    assert.equal(watched.violation?.code, 11);
  });

  const wrong: [string, Buffer[], number][] = [
    ['DATA on a stream that was ended', [request(1), frame(DATA, 0, 1, 'x')], 5],
    ['HEADERS on a stream that was ended', [request(1), request(1)], 5],
    [
      'DATA on a stream that was reset',
      [request(1, [], END_HEADERS), frame(RST_STREAM, 0, 1, '0000'), frame(DATA, 0, 1, 'x')],
      5,
    ],
    ['a stream before the last one', [request(5), request(3)], 1],
    ['a window of the connection past its limit', [windowUpdate(0, 2 ** 31 - 1)], 3],
    ['PRIORITY for no stream', [frame(2, 0, 0, '\0\0\0\x01\x10')], 1],
    ['a stream that depends on itself', [frame(2, 0, 1, '\0\0\0\x01\x10')], 1],
  ];
  for (const [what, frames, code] of wrong) {
    it(`refuses ${what}`, () => {
      const { guard: watched } = guard();
      const before = Buffer.concat([PREFACE, ...frames.slice(0, -1)]);
      assert.equal(watched.scan(before, 0), before.length);
      assert.equal(watched.scan(frames.at(-1) as Buffer, 0), 0);
      assert.equal(watched.violation?.code, code);
    });
  }

  it('lets pass what was on its way when the server ended a stream', () => {
    const { guard: watched } = guard();
    watched.scan(Buffer.concat([PREFACE, request(1, [], END_HEADERS)]), 0);
    assert.ok(watched.isOpen(1));
    watched.leave(1);
    const late = Buffer.concat([frame(DATA, 0, 1, 'x'), frame(HEADERS, END_HEADERS | END_STREAM, 1, '')]);
    assert.equal(watched.scan(late, 0), late.length);
    assert.equal(watched.violation, null);
  });

  it("tells of a stream's window past its limit, counting what was sent", () => {
    const { guard: watched, told } = guard();
    watched.scan(Buffer.concat([PREFACE, request(1)]), 0);
    watched.scan(windowUpdate(1, 2 ** 30), 0);
    watched.countSent(2 ** 30);
    watched.scan(windowUpdate(1, 2 ** 30), 0);
    assert.deepEqual(told, ['update 1', 'update 1']);
    watched.scan(windowUpdate(1, 2 ** 30), 0);
    assert.deepEqual(told, ['update 1', 'update 1', 'overflow 1']);
    assert.equal(watched.violation, null);
  });

  it('allows more window updates to who gets more', () => {
    const { guard: watched } = guard();
    watched.scan(PREFACE, 0);
    for (let i = 0; i < 10_000; i += 1) {
      watched.countSent(128);
      watched.scan(windowUpdate(1, 64), 0);
      watched.scan(windowUpdate(0, 64), 0);
    }
    assert.equal(watched.violation, null);
  });
});

describe('Budget', () => {
  it('gives what it has, and again with time, never more than at first', () => {
    const budget = new Budget({ burst: 3, perSecond: 2 }, 500);
    const take = (count: number, tick: number) => Array.from({ length: count }, () => budget.take(tick));
    assert.deepEqual(take(4, 0), [true, true, true, false]);
    assert.deepEqual(take(2, 3), [true, true]);
    assert.deepEqual(take(4, 1000), [true, true, true, false]);
  });
});

describe('RecentIds', () => {
  it('knows the last ones only', () => {
    const ids = new RecentIds(2);
    for (const id of [1, 3, 5]) ids.add(id);
    assert.deepEqual(
      [1, 3, 5].map((id) => ids.has(id)),
      [false, true, true],
    );
  });
});
