import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codecOf } from '../../../src/handlers/compression/codings.ts';
import { CompressedBody } from '../../../src/handlers/compression/compressed-body.ts';
import type { BodySource } from '../../../src/http/message.ts';
import { BlockSource } from '../../support/block-source.ts';
import { decode, TESTED_CODINGS } from '../../support/codings.ts';
import { chooseSeed, createRandom, noise } from '../../support/random.ts';

describe('a compressed body', () => {
  for (const coding of TESTED_CODINGS) {
    it(`can be decompressed to the original with any blocks and any pace of the client, in ${coding}`, async (test) => {
      const seed = chooseSeed();
      test.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
      const random = createRandom(seed);
      for (let round = 0; round < 25; round += 1) {
        const blocks = randomBlocks(random);
        const got = await collect(
          new CompressedBody(pushed(blocks, random), { codec: codecOf(coding), flushes: random() < 0.5, length: -1 }),
          random,
        );
        ok(decode(coding, got).equals(Buffer.concat(blocks)), `seed ${seed}, round ${round}`);
      }
    });
  }

  it('holds only a few blocks when the client does not read', { timeout: 30_000 }, async () => {
    for (const coding of TESTED_CODINGS) {
      const source = new BlockSource();
      const compressed = new CompressedBody(source, { codec: codecOf(coding), flushes: true, length: -1 });
      let got = 0;
      let reads = false;
      const write = (block: Uint8Array) => {
        got += block.length;
        if (!reads) compressed.pause();
      };
      compressed.start({ write, end: assertNothing, fail: assertNothing });
      const sink = await source.sink;
      const random = createRandom(3);
      let given = 0;
      while (!source.paused) {
        sink.write(noise(random, 4096));
        given += 4096;
        ok(given < 4_000_000, `${coding} takes everything`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      ok(given - got < 1_000_000, `${coding} holds ${given - got} bytes`);
      reads = true;
      compressed.resume();
      await source.until(({ paused }) => !paused);
      compressed.cancel();
    }
  });

  it('frees its compressor when it is cancelled before the start, during the work and afterwards', async () => {
    for (const coding of TESTED_CODINGS) {
      const codec = codecOf(coding);
      for (const [started, written] of [
        [false, false],
        [true, false],
        [true, true],
      ]) {
        const made: { destroyed: boolean }[] = [];
        const createCompressor = () => {
          const compressor = codec.createCompressor();
          made.push(compressor);
          return compressor;
        };
        const source = new BlockSource();
        const compressed = new CompressedBody(source, {
          codec: { ...codec, createCompressor },
          flushes: true,
          length: -1,
        });
        const none = () => assertNothing();
        if (started) compressed.start({ write: none, end: none, fail: none });
        if (written) (await source.sink).write(Buffer.alloc(500_000));
        compressed.cancel();
        compressed.cancel();
        equal(source.cancelled, 1);
        deepEqual(
          made.map(({ destroyed }) => destroyed),
          started ? [true] : [],
        );
      }
    }
  });

  it('fails and frees the source when there is no memory for a compressor', async () => {
    const source = new BlockSource();
    const createCompressor = () => {
      throw new Error('no memory');
    };
    const codec = { ...codecOf('gzip'), createCompressor };
    const compressed = new CompressedBody(source, { codec, flushes: true, length: -1 });
    const failures: string[] = [];
    compressed.start({ write: assertNothing, end: assertNothing, fail: ({ message }) => failures.push(message) });
    compressed.cancel();
    deepEqual(failures, ['no memory']);
    equal(source.cancelled, 1);
  });
});

function assertNothing(): never {
  throw new Error('nothing is called after cancel');
}

function randomBlocks(random: () => number): Buffer[] {
  return Array.from({ length: Math.floor(random() * 12) }, () => {
    const length = Math.floor(10 ** (random() * 5.3)) - 1;
    return random() < 0.5 ? noise(random, length) : Buffer.alloc(length, `${random()}`);
  });
}

/** A source that pushes `blocks` at once, later, or both, and obeys pause and resume. */
function pushed(blocks: readonly Buffer[], random: () => number): BodySource {
  let next = 0;
  let paused = false;
  let push: () => void = () => {};
  return {
    start(sink) {
      push = () => {
        while (!paused && next < blocks.length) {
          sink.write(blocks[next] as Buffer);
          next += 1;
          if (random() < 0.4) {
            setImmediate(push);
            return;
          }
        }
        if (paused || next > blocks.length) return;
        next += 1;
        sink.end();
      };
      push();
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      setImmediate(() => push());
    },
    cancel: () => {},
  };
}

/** All bytes of `source`, for a receiver that pauses it at random. */
function collect(source: BodySource, random: () => number): Promise<Buffer> {
  const got: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    source.start({
      write: (block) => {
        got.push(block);
        if (random() < 0.7) return;
        source.pause();
        setImmediate(() => source.resume());
      },
      end: () => resolve(Buffer.concat(got)),
      fail: reject,
    });
  });
}
