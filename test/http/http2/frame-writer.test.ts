import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameBlocks } from '../../../src/http/http2/frame-blocks.ts';
import { FrameWriter } from '../../../src/http/http2/frame-writer.ts';
import { HoldingSink, writtenBy } from '../../support/frame-sink.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  framesOf,
  HEADERS,
} from '../../support/http2-frames.ts';
import { createRandom, noise } from '../../support/random.ts';

const FRAME_BYTES_MAX = 16_384;
const bytes = (length: number): Buffer => noise(createRandom(length + 1), length);

/** The frames that `writer` has. */
function taken(writer: FrameWriter): readonly Frame[] {
  const expected = writer.bytes;
  const all = Buffer.concat(writtenBy(writer));
  assert.equal(all.length, expected, '`bytes` counts what waits');
  assert.equal(writer.bytes, 0);
  const { frames, rest } = framesOf(all);
  assert.equal(rest.length, 0, 'frames are complete');
  return frames;
}

const brief = ({ type, flags, id, payload }: Frame): string => `${type} ${flags} ${id} ${payload.length}`;

describe('the writer of HTTP/2 frames', () => {
  it('gathers small frames in one block, in order', () => {
    const writer = new FrameWriter();
    writer.settings([
      [1, 2],
      [0xff, 0xffffffff],
    ]);
    writer.settingsAck();
    writer.ping(Buffer.from('..12345678'), 2, false);
    writer.ping(Buffer.from('12345678'), 0, true);
    writer.reset(3, 8);
    writer.windowUpdate(0, 0x7fffffff);
    writer.goaway(0x7fffffff, 2);
    writer.headers(5, Buffer.from('-abc-'), 1, 3, false);
    writer.data(5, Buffer.from('-xyz-'), 1, 4, true);
    const chunks = writtenBy(writer);
    assert.equal(chunks.length, 1);
    const { frames } = framesOf(chunks[0] as Buffer);
    assert.deepEqual(frames.map(brief), [
      '4 0 0 12',
      '4 1 0 0',
      '6 0 0 8',
      '6 1 0 8',
      '3 0 3 4',
      '8 0 0 4',
      '7 0 0 8',
      '1 4 5 3',
      '0 1 5 3',
    ]);
    assert.deepEqual(
      frames.map(({ payload }) => payload.toString('hex')),
      [
        '00010000000200ffffffffff',
        '',
        '3132333435363738',
        '3132333435363738',
        '00000008',
        '7fffffff',
        '7fffffff00000002',
        '616263',
        '78797a',
      ],
    );
    assert.deepEqual(writtenBy(writer), []);
  });

  for (const length of [0, 1, 16_383, 16_384, 16_385, 32_768, 32_769, 100_000]) {
    it(`cuts a section of ${length} bytes into HEADERS and CONTINUATION, with nothing between`, () => {
      const writer = new FrameWriter();
      const block = bytes(length + 2);
      writer.windowUpdate(0, 1);
      writer.headers(7, block, 1, length, true);
      writer.windowUpdate(0, 2);
      const frames = taken(writer);
      const section = frames.slice(1, -1);
      assert.equal(section.length, Math.max(1, Math.ceil(length / FRAME_BYTES_MAX)));
      for (const [i, { type, flags, id, payload }] of section.entries()) {
        const last = i === section.length - 1;
        assert.equal(id, 7);
        assert.equal(type, i === 0 ? HEADERS : CONTINUATION);
        assert.equal(flags, (i === 0 ? END_STREAM : 0) | (last ? END_HEADERS : 0));
        assert.ok(payload.length <= FRAME_BYTES_MAX);
      }
      assert.deepEqual(Buffer.concat(section.map(({ payload }) => payload)), block.subarray(1, length + 1));
    });
  }

  for (const length of [0, 1, 8192, 8193, 16_384]) {
    it(`writes ${length} bytes of content with a copy, between other frames`, () => {
      const writer = new FrameWriter();
      const content = bytes(length);
      const original = Buffer.from(content);
      writer.windowUpdate(0, 1);
      writer.data(1, content, 0, length, false);
      content.fill(0);
      writer.windowUpdate(0, 2);
      const frames = taken(writer);
      assert.deepEqual(frames.map(brief), ['8 0 0 4', `0 0 1 ${length}`, '8 0 0 4']);
      assert.deepEqual(frames[1]?.payload, original);
    });

    it(`ends a stream with its last ${length} bytes when nothing came after them`, () => {
      const writer = new FrameWriter();
      writer.windowUpdate(0, 1);
      writer.data(1, bytes(length), 0, length, false);
      writer.end(1);
      assert.deepEqual(taken(writer).map(brief), ['8 0 0 4', `0 1 1 ${length}`]);
    });

    const between: readonly (readonly [string, string, (writer: FrameWriter) => void])[] = [
      ['another frame', '8 0 0 4', (writer) => writer.windowUpdate(0, 1)],
      ['the reset of another stream', '3 0 9 4', (writer) => writer.reset(9, 0)],
      ['short content of another stream', '0 0 9 3', (writer) => writer.data(9, bytes(3), 0, 3, false)],
      ['long content of another stream', '0 0 9 9000', (writer) => writer.data(9, bytes(9000), 0, 9000, false)],
    ];
    for (const [what, described, write] of between) {
      it(`ends a stream with an empty frame when ${what} came after its ${length} bytes`, () => {
        const writer = new FrameWriter();
        writer.data(1, bytes(length), 0, length, false);
        write(writer);
        writer.end(1);
        assert.deepEqual(taken(writer).map(brief), [`0 0 1 ${length}`, described, '0 1 1 0']);
      });
    }

    it(`ends a stream with an empty frame when its ${length} bytes are taken`, () => {
      const writer = new FrameWriter();
      writer.data(1, bytes(length), 0, length, false);
      taken(writer);
      writer.end(1);
      writer.end(3);
      assert.deepEqual(taken(writer).map(brief), ['0 1 1 0', '0 1 3 0']);
    });
  }

  it('leaves what a socket has not written yet as it is, also when sockets have more than it lends', () => {
    const writer = new FrameWriter();
    const sink = new HoldingSink();
    const random = createRandom(3);
    const expected: Buffer[] = [];
    for (let round = 0; round < 2000; round += 1) {
      const content = bytes(Math.floor(random() * FRAME_BYTES_MAX));
      expected.push(content);
      writer.data(1, content, 0, content.length, false);
      if (random() < 0.2) writer.writeTo(sink);
    }
    writer.writeTo(sink);
    assert.equal(FrameBlocks.lent, 64);
    const { frames } = framesOf(Buffer.concat(sink.finish()));
    assert.ok(frames.every(({ type }) => type === DATA));
    assert.deepEqual(Buffer.concat(frames.map(({ payload }) => payload)), Buffer.concat(expected));
    assert.equal(FrameBlocks.lent, 0);
  });

  for (const [what, random] of [
    ['short', 200],
    ['of all lengths', FRAME_BYTES_MAX],
  ] as const) {
    it(`keeps the order and the ends of streams whose frames are ${what}, however much one turn writes`, () => {
      const next = createRandom(random);
      for (let turn = 0; turn < 100; turn += 1) {
        const writer = new FrameWriter();
        const expected: string[] = [];
        for (let id = 1; id < 2 + next() * 100; id += 2) {
          const content = bytes(Math.floor(next() * random));
          writer.data(id, content, 0, content.length, false);
          writer.end(id);
          expected.push(content.toString('latin1'));
        }
        const frames = taken(writer);
        assert.ok(frames.every(({ flags }) => flags === END_STREAM));
        assert.deepEqual(
          frames.map(({ payload }) => payload.toString('latin1')),
          expected,
        );
      }
      assert.equal(FrameBlocks.lent, 0);
    });
  }

  it('takes little memory for a short event to thousands of connections', () => {
    const before = process.memoryUsage().arrayBuffers;
    const writers = Array.from({ length: 2000 }, () => new FrameWriter());
    for (const writer of writers) writer.data(1, Buffer.from('data: 1\n\n'), 0, 9, false);
    const taken = process.memoryUsage().arrayBuffers - before;
    for (const writer of writers) assert.equal(writtenBy(writer).length, 1);
    assert.ok(taken < 20_000_000, `${taken} bytes`);
  });
});
