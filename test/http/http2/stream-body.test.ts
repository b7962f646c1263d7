import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentMemory } from '../../../src/http/buffering/content-memory.ts';
import { StreamBody } from '../../../src/http/http2/stream-body.ts';
import type { BodySink } from '../../../src/http/message.ts';
import { RequestBodyError } from '../../../src/http/refusal.ts';
import { DEFAULT_LIMITS } from '../../../src/http/transport/limits.ts';

const GONE = new RequestBodyError(0, 'gone');

/** A body whose stream and application write down what happens. */
class Setup implements BodySink {
  readonly log: string[] = [];
  content = '';
  taken = 0;
  dropped = 0;
  onWrite: () => void = () => {};
  readonly body: StreamBody;

  constructor(length = -1, bodyBytesMax = 1000) {
    const limits = { ...DEFAULT_LIMITS, bodyBytesMax, trailerBytesMax: 50 };
    this.body = new StreamBody(length, limits, {
      onBodyWanted: () => this.log.push('wanted'),
      onBodyTaken: (bytes) => {
        this.taken += bytes;
      },
      onBodyDropped: (bytes) => {
        this.dropped += bytes;
      },
      onBodyRefused: ({ status, reason }) => {
        this.log.push(`refused ${status}`);
        this.body.fail(new RequestBodyError(status, reason));
      },
    });
  }

  write(block: Uint8Array): void {
    this.content += Buffer.from(block).toString('latin1');
    this.onWrite();
  }

  end(): void {
    this.log.push('end');
  }

  fail(): void {
    this.log.push('fail');
  }

  /** Content arrives, in memory that is used again. */
  arrive(content: string): boolean {
    const bytes = Buffer.from(`..${content}..`);
    const fits = this.body.receive(bytes, 2, bytes.length - 2);
    bytes.fill('#');
    return fits;
  }
}

describe('the content of a stream', () => {
  const held = contentMemory.held;
  const assertReleased = (): void => assert.equal(contentMemory.held, held);

  it('is held until the application starts, then passed on', () => {
    const setup = new Setup();
    setup.arrive('abc');
    setup.arrive('def');
    assert.ok(contentMemory.held > held);
    assert.equal(setup.taken, 0);
    setup.body.start(setup);
    assert.equal(setup.content, 'abcdef');
    assert.equal(setup.taken, 6);
    assertReleased();
    setup.arrive('ghi');
    assert.ok(setup.body.end());
    assert.equal(setup.content, 'abcdefghi');
    assert.deepEqual(setup.log, ['wanted', 'end']);
    assert.equal(setup.dropped, 0);
  });

  it('ends at once when it was complete before its start', () => {
    const setup = new Setup(3);
    setup.arrive('abc');
    assert.ok(setup.body.end());
    setup.body.start(setup);
    assert.equal(setup.content, 'abc');
    assert.equal(setup.log.at(-1), 'end');
    assertReleased();
  });

  it('stops at each block when the application pauses, and counts no block of a pause as taken', () => {
    const setup = new Setup();
    for (const block of ['a', 'b', 'c']) setup.arrive(block);
    setup.onWrite = () => setup.body.pause();
    setup.body.start(setup);
    assert.equal(setup.content, 'a');
    assert.equal(setup.taken, 0, 'the application has not asked for more');
    setup.body.resume();
    assert.equal(setup.content, 'ab');
    assert.equal(setup.taken, 1);
    setup.arrive('d');
    setup.body.end();
    assert.equal(setup.content, 'ab');
    for (let i = 0; i < 3; i += 1) setup.body.resume();
    assert.equal(setup.content, 'abcd');
    assert.equal(setup.log.at(-1), 'end');
    assert.equal(setup.taken, 4);
    assertReleased();
  });

  it('can be paused and resumed within a block', () => {
    const setup = new Setup();
    for (const block of ['a', 'b', 'c']) setup.arrive(block);
    setup.onWrite = () => {
      setup.body.pause();
      setup.body.resume();
    };
    setup.body.start(setup);
    assert.equal(setup.content, 'abc');
    assert.equal(setup.taken, 3);
  });

  for (const [what, state] of [
    ['before its start', (_: Setup) => {}],
    ['while it flows', (setup: Setup) => setup.body.start(setup)],
    [
      'in a pause',
      (setup: Setup) => {
        setup.onWrite = () => setup.body.pause();
        setup.body.start(setup);
      },
    ],
  ] as const) {
    it(`gives everything back when it is cancelled ${what}`, () => {
      const setup = new Setup();
      for (const block of ['abc', 'def']) setup.arrive(block);
      state(setup);
      setup.body.cancel();
      setup.body.cancel();
      setup.arrive('ghi');
      assert.ok(setup.body.end());
      assert.equal(setup.taken + setup.dropped, 9);
      assert.ok(!setup.log.includes('end'));
      assertReleased();
    });

    it(`gives everything back when it fails ${what}, and says so once`, () => {
      const setup = new Setup();
      for (const block of ['abc', 'def']) setup.arrive(block);
      state(setup);
      setup.body.fail(GONE);
      setup.body.fail(GONE);
      setup.arrive('ghi');
      setup.body.start(setup);
      setup.body.start(setup);
      assert.equal(setup.taken + setup.dropped, 9);
      assert.equal(setup.log.filter((entry) => entry === 'fail').length, 1);
      assert.ok(setup.body.over);
      assertReleased();
    });
  }

  it('may fail while it is passed on', () => {
    const setup = new Setup();
    for (const block of ['abc', 'def', 'ghi']) setup.arrive(block);
    setup.onWrite = () => setup.body.fail(GONE);
    setup.body.start(setup);
    assert.equal(setup.content, 'abc');
    assert.equal(setup.taken + setup.dropped, 9);
    assertReleased();
  });

  it('must have its announced length', () => {
    const setup = new Setup(3);
    assert.ok(setup.arrive('ab'));
    assert.ok(!setup.body.end(), 'too short');
    assert.ok(setup.arrive('c'));
    assert.ok(setup.body.end());
    assert.ok(!setup.arrive('d'), 'too long');
    setup.body.fail(GONE);
    assertReleased();
  });

  it('is refused with 413 when it is too large, once', () => {
    const setup = new Setup(-1, 5);
    setup.body.start(setup);
    setup.arrive('abcde');
    assert.deepEqual(setup.log, ['wanted']);
    setup.arrive('f');
    setup.arrive('g');
    assert.deepEqual(setup.log, ['wanted', 'refused 413', 'fail']);
    assert.equal(setup.taken, 5);
    assert.equal(setup.dropped, 2);
  });

  it('has its trailers at its end, without those that frame or route', () => {
    const setup = new Setup();
    assert.ok(setup.body.readTrailers(['x-sum', '42']));
    assert.deepEqual(setup.body.trailers, ['x-sum', '42']);
    assert.ok(!new Setup().body.readTrailers(['content-length', '1']));
    assert.ok(!new Setup().body.readTrailers(['host', 'a']));
    const long = new Setup();
    assert.ok(!long.body.readTrailers(['x-sum', 'a'.repeat(50)]));
    assert.deepEqual(long.log, ['refused 431']);
  });
});
