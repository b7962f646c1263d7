import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameReader } from '../../../src/http/http2/frame-reader.ts';
import { CallLog, callsOf } from '../../support/http2-calls.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FRAME_SIZE_ERROR,
  frame,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  priorityUpdate,
  RST_STREAM,
  reset,
  SETTINGS,
  settings,
  WINDOW_UPDATE,
  windowUpdate,
  word,
} from '../../support/http2-frames.ts';

const SECTION_BYTES_MAX = 100_000;
const octets = (...bytes: readonly number[]): Buffer => Buffer.from(bytes);
/** `content` with the octet of the padding's length before it, and the padding behind it. */
const padded = (padding: number, content = ''): Buffer =>
  Buffer.concat([octets(padding), Buffer.from(content), Buffer.alloc(padding)]);
const violation = (code: number): string => `violation ${code}`;

/** Frames, and the calls that they make. */
const FRAMES: readonly (readonly [string, Buffer, readonly string[]])[] = [
  ['DATA', frame(DATA, 0, 1, 'abc'), ['data 1 of 3', 'content 1 "abc"', 'over 1 padding 0']],
  ['the last DATA', frame(DATA, END_STREAM, 1, 'a'), ['data 1 of 1', 'content 1 "a"', 'over 1 padding 0 end']],
  ['empty DATA', frame(DATA, 0, 1), ['data 1 of 0', 'over 1 padding 0']],
  ['the last, empty DATA', frame(DATA, END_STREAM, 1), ['data 1 of 0', 'over 1 padding 0 end']],
  [
    'padded DATA',
    frame(DATA, PADDED | END_STREAM, 1, padded(5, 'abc')),
    ['data 1 of 9', 'content 1 "abc"', 'over 1 padding 6 end'],
  ],
  ['DATA of padding only', frame(DATA, PADDED, 1, padded(255)), ['data 1 of 256', 'over 1 padding 256']],
  ['DATA with a padding of 0', frame(DATA, PADDED, 1, padded(0)), ['data 1 of 1', 'over 1 padding 1']],
  [
    'DATA with a padding of 0 and content',
    frame(DATA, PADDED, 1, padded(0, 'a')),
    ['data 1 of 2', 'content 1 "a"', 'over 1 padding 1'],
  ],
  [
    'the longest DATA',
    frame(DATA, 0, 1, 'x'.repeat(16_384)),
    ['data 1 of 16384', `content 1 "${'x'.repeat(16_384)}"`, 'over 1 padding 0'],
  ],
  ['DATA with unknown flags', frame(DATA, 0xf6, 1, 'a'), ['data 1 of 1', 'content 1 "a"', 'over 1 padding 0']],
  ['HEADERS', frame(HEADERS, END_HEADERS, 3, 'abc'), ['headers 3 "abc" -1']],
  ['the last HEADERS', frame(HEADERS, END_HEADERS | END_STREAM, 3, 'abc'), ['headers 3 "abc" -1 end']],
  ['empty HEADERS', frame(HEADERS, END_HEADERS, 3), ['headers 3 "" -1']],
  ['padded HEADERS', frame(HEADERS, END_HEADERS | PADDED, 3, padded(5, 'abc')), ['headers 3 "abc" -1']],
  ['HEADERS of padding only', frame(HEADERS, END_HEADERS | PADDED, 3, padded(9)), ['headers 3 "" -1']],
  [
    'HEADERS with a priority',
    frame(HEADERS, END_HEADERS | HAS_PRIORITY, 3, Buffer.concat([word(0x80000007), octets(9), Buffer.from('abc')])),
    ['headers 3 "abc" 7'],
  ],
  [
    'padded HEADERS with a priority',
    frame(HEADERS, END_HEADERS | HAS_PRIORITY | PADDED, 3, padded(2, '\0\0\0\x07\x09abc')),
    ['headers 3 "abc" 7'],
  ],
  [
    'HEADERS that continue',
    Buffer.concat([
      frame(HEADERS, END_STREAM | PADDED, 3, padded(2, 'ab')),
      frame(CONTINUATION, 0, 3, 'c'),
      frame(CONTINUATION, 0, 3),
      frame(CONTINUATION, END_HEADERS, 3, 'd'),
    ]),
    ['headers 3 "abcd" -1 end'],
  ],
  ['PRIORITY', frame(PRIORITY, 0, 5, Buffer.concat([word(0x80000007), octets(9)])), ['priority 5 7']],
  ['short PRIORITY', frame(PRIORITY, 0, 5, 'abc'), ['invalid priority 5']],
  ['long PRIORITY', frame(PRIORITY, 0, 5, 'abcdef'), ['invalid priority 5']],
  ['RST_STREAM', reset(7, 0xfffffff0), ['reset 7 4294967280']],
  ['SETTINGS', settings([1, 2], [4, 0xffffffff]), ['settings 000100000002 0004ffffffff']],
  ['empty SETTINGS', frame(SETTINGS, 0, 0), ['settings']],
  ['the acknowledgement of SETTINGS', frame(SETTINGS, ACK, 0), ['settings ack']],
  ['PING', frame(PING, 0, 0, '12345678'), ['ping 12345678']],
  ['the answer to PING', frame(PING, ACK, 0, '12345678'), ['ping 12345678 ack']],
  ['GOAWAY', frame(GOAWAY, 0, 0, Buffer.concat([word(0x80000009), word(3)])), ['goaway 9 3']],
  ['GOAWAY with data', frame(GOAWAY, 0, 0, Buffer.concat([word(9), word(3), Buffer.from('because')])), ['goaway 9 3']],
  ['WINDOW_UPDATE', windowUpdate(0, 5), ['window 0 5']],
  ['WINDOW_UPDATE of a stream, with the reserved bit', windowUpdate(9, 0x80000005), ['window 9 5']],
  ['PRIORITY_UPDATE', priorityUpdate(9, 'u=1, i'), ['priority update 9 "u=1, i"']],
  ['empty PRIORITY_UPDATE', priorityUpdate(9, ''), ['priority update 9 ""']],
  ['a frame of an unknown type', frame(0xee, 0xff, 9, 'abc'), ['unknown']],
  [
    'a stream with the reserved bit',
    frame(DATA, 0, 0x80000001, 'a'),
    ['data 1 of 1', 'content 1 "a"', 'over 1 padding 0'],
  ],
  ['DATA on a stream without a frame', frame(DATA, 0, 0, 'a'), [violation(PROTOCOL_ERROR)]],
  ['padded DATA without a length', frame(DATA, PADDED, 1), [violation(FRAME_SIZE_ERROR)]],
  ['DATA with as much padding as payload', frame(DATA, PADDED, 1, octets(2, 0)), [violation(PROTOCOL_ERROR)]],
  ['padded HEADERS without a length', frame(HEADERS, PADDED | END_HEADERS, 1), [violation(FRAME_SIZE_ERROR)]],
  [
    'HEADERS with as much padding as payload',
    frame(HEADERS, PADDED | END_HEADERS, 1, octets(1)),
    [violation(PROTOCOL_ERROR)],
  ],
  [
    'HEADERS whose padding covers the priority',
    frame(HEADERS, PADDED | HAS_PRIORITY | END_HEADERS, 1, octets(1, 0, 0, 0, 0, 0)),
    [violation(PROTOCOL_ERROR)],
  ],
  [
    'HEADERS that are too short for the priority',
    frame(HEADERS, HAS_PRIORITY | END_HEADERS, 1, 'abcd'),
    [violation(FRAME_SIZE_ERROR)],
  ],
  ['HEADERS of no stream', frame(HEADERS, END_HEADERS, 0), [violation(PROTOCOL_ERROR)]],
  ['PRIORITY of no stream', frame(PRIORITY, 0, 0, '12345'), [violation(PROTOCOL_ERROR)]],
  ['RST_STREAM of no stream', reset(0), [violation(PROTOCOL_ERROR)]],
  ...[0, 3, 5].map(
    (n) => [`RST_STREAM of ${n}`, frame(RST_STREAM, 0, 1, Buffer.alloc(n)), [violation(FRAME_SIZE_ERROR)]] as const,
  ),
  ...[1, 5, 7].map(
    (n) => [`SETTINGS of ${n}`, frame(SETTINGS, 0, 0, Buffer.alloc(n)), [violation(FRAME_SIZE_ERROR)]] as const,
  ),
  ['SETTINGS of a stream', frame(SETTINGS, 0, 1), [violation(PROTOCOL_ERROR)]],
  ['an acknowledgement with settings', frame(SETTINGS, ACK, 0, Buffer.alloc(6)), [violation(FRAME_SIZE_ERROR)]],
  ['PUSH_PROMISE', frame(PUSH_PROMISE, END_HEADERS, 1, '\0\0\0\x02'), [violation(PROTOCOL_ERROR)]],
  ...[0, 7, 9].map((n) => [`PING of ${n}`, frame(PING, 0, 0, Buffer.alloc(n)), [violation(FRAME_SIZE_ERROR)]] as const),
  ['PING of a stream', frame(PING, 0, 1, '12345678'), [violation(PROTOCOL_ERROR)]],
  ['short GOAWAY', frame(GOAWAY, 0, 0, '1234567'), [violation(FRAME_SIZE_ERROR)]],
  ['GOAWAY of a stream', frame(GOAWAY, 0, 1, '12345678'), [violation(PROTOCOL_ERROR)]],
  ...[0, 3, 5].map(
    (n) =>
      [`WINDOW_UPDATE of ${n}`, frame(WINDOW_UPDATE, 0, 1, Buffer.alloc(n)), [violation(FRAME_SIZE_ERROR)]] as const,
  ),
  ['CONTINUATION alone', frame(CONTINUATION, END_HEADERS, 1), [violation(PROTOCOL_ERROR)]],
  ['PRIORITY_UPDATE of a stream', frame(PRIORITY_UPDATE, 0, 1, '1234'), [violation(PROTOCOL_ERROR)]],
  ['short PRIORITY_UPDATE', frame(PRIORITY_UPDATE, 0, 0, '123'), [violation(FRAME_SIZE_ERROR)]],
  ['a frame beyond the largest', frame(0xee, 0, 1, Buffer.alloc(16_385)), [violation(FRAME_SIZE_ERROR)]],
  ...[DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, PRIORITY_UPDATE, 0xee].map(
    (type) =>
      [
        `a frame of type ${type} within a section`,
        Buffer.concat([frame(HEADERS, 0, 1, 'a'), frame(type, 0, 1, '123456')]),
        [violation(PROTOCOL_ERROR)],
      ] as const,
  ),
  [
    'CONTINUATION of another stream',
    Buffer.concat([frame(HEADERS, 0, 1, 'a'), frame(CONTINUATION, 0, 3)]),
    [violation(PROTOCOL_ERROR)],
  ],
  [
    'CONTINUATION after the end of a section',
    Buffer.concat([frame(HEADERS, 4, 1, 'a'), frame(CONTINUATION, 4, 1)]),
    ['headers 1 "a" -1', violation(PROTOCOL_ERROR)],
  ],
  [
    'too many CONTINUATION frames',
    Buffer.concat([frame(HEADERS, 0, 1, 'a'), ...Array.from({ length: 9 }, () => frame(CONTINUATION, 0, 1, 'b'))]),
    [violation(ENHANCE_YOUR_CALM)],
  ],
  [
    'too long a section',
    Buffer.concat([
      frame(HEADERS, 0, 1),
      ...Array.from({ length: 7 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16_384))),
    ]),
    [violation(ENHANCE_YOUR_CALM)],
  ],
];

/** Ways in which a connection may start, and the calls that it makes. */
const STARTS: readonly (readonly [string, Buffer, readonly string[]])[] = [
  ['the preface alone', PREFACE, []],
  ['the preface and SETTINGS', Buffer.concat([PREFACE, settings([4, 1])]), ['settings 000400000001']],
  ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\n\r\n'), [violation(PROTOCOL_ERROR)]],
  ['the start of HTTP/1.1', Buffer.from('G'), [violation(PROTOCOL_ERROR)]],
  ['a preface with a wrong end', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r'), [violation(PROTOCOL_ERROR)]],
  ['an acknowledgement first', Buffer.concat([PREFACE, frame(SETTINGS, ACK, 0)]), [violation(PROTOCOL_ERROR)]],
  ['PING first', Buffer.concat([PREFACE, frame(PING, 0, 0, '12345678')]), [violation(PROTOCOL_ERROR)]],
  ['DATA first', Buffer.concat([PREFACE, frame(DATA, 0, 1, 'a')]), [violation(PROTOCOL_ERROR)]],
];

describe('the reader of HTTP/2 frames', () => {
  const read = (bytes: Buffer, cuts: readonly number[] = []): readonly string[] =>
    callsOf(bytes, cuts, SECTION_BYTES_MAX, false);
  const first = frame(SETTINGS, 0, 0);
  const after = frame(PING, 0, 0, 'behind  ');

  for (const [what, bytes, calls] of FRAMES) {
    it(`reads ${what} in one piece, at every split and octet by octet`, () => {
      const whole = Buffer.concat([first, bytes, after]);
      const isViolation = calls.at(-1)?.startsWith('violation') === true;
      const expected = ['settings', ...calls, ...(isViolation ? [] : ['ping behind  '])];
      assert.deepEqual(read(whole), expected);
      const step = whole.length > 2000 ? 997 : 1;
      for (let cut = 1; cut < whole.length; cut += step)
        assert.deepEqual(read(whole, [cut]), expected, `cut at ${cut}`);
      if (step === 1) assert.deepEqual(read(whole, [...whole.keys()]), expected);
    });
  }

  for (const [what, bytes, calls] of STARTS) {
    it(`takes ${what} as the start of a connection, in one piece and octet by octet`, () => {
      const isViolation = calls.at(-1)?.startsWith('violation') === true;
      const whole = isViolation ? Buffer.concat([bytes, first, after]) : bytes;
      assert.deepEqual(callsOf(whole, [], SECTION_BYTES_MAX, true), calls);
      for (let cut = 1; cut < whole.length; cut += 1)
        assert.deepEqual(callsOf(whole, [cut], SECTION_BYTES_MAX, true), calls);
      assert.deepEqual(callsOf(whole, [...whole.keys()], SECTION_BYTES_MAX, true), calls);
    });
  }

  it('passes content on before the whole frame is here', () => {
    const log = new CallLog();
    const reader = new FrameReader(log, SECTION_BYTES_MAX, false);
    const bytes = Buffer.concat([first, frame(DATA, 0, 1, 'abcdef').subarray(0, 12)]);
    reader.receive(bytes, bytes.length);
    assert.deepEqual(log.merged(), ['settings', 'data 1 of 6', 'content 1 "abc"']);
  });

  it('says whether a section has started', () => {
    const reader = new FrameReader(new CallLog(), SECTION_BYTES_MAX, false);
    const receive = (bytes: Buffer): boolean => {
      reader.receive(bytes, bytes.length);
      return reader.inHeaders;
    };
    assert.equal(receive(first), false);
    assert.equal(receive(frame(HEADERS, 0, 1, 'a').subarray(0, 5)), true);
    assert.equal(receive(frame(HEADERS, 0, 1, 'a').subarray(5)), true);
    assert.equal(receive(frame(CONTINUATION, 0, 1, 'a')), true);
    assert.equal(receive(frame(CONTINUATION, END_HEADERS, 1, 'a')), false);
    assert.equal(receive(frame(DATA, 0, 1, 'a').subarray(0, 5)), false);
  });

  it('makes no call after stop, also in the middle of DATA', () => {
    const log = new CallLog();
    const reader = new FrameReader(log, SECTION_BYTES_MAX, false);
    log.onCall = (call) => {
      if (call.startsWith('content')) reader.stop();
    };
    const bytes = Buffer.concat([first, frame(DATA, PADDED, 1, padded(5, 'abc')), after]);
    reader.receive(bytes, bytes.length);
    reader.receive(bytes, bytes.length);
    assert.deepEqual(log.merged(), ['settings', 'data 1 of 9', 'content 1 "abc"']);
  });
});
