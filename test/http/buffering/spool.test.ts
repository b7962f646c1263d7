import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Spool } from '../../../src/http/buffering/spool.ts';
import type { BodySink, BodySource } from '../../../src/http/message.ts';
import { createRandom, noise } from '../../support/random.ts';

describe('a spool', () => {
  it('delivers in order what it received when source and sink have different speeds', async () => {
    const random = createRandom(11);
    for (let run = 0; run < 60; run += 1) {
      const memoryBytesMax = Math.floor(random() * 3000);
      const bytesMax = 1 + Math.floor(random() * 20_000);
      const blocks = Array.from({ length: 60 }, () => noise(random, 1 + Math.floor(random() * 2000)));
      const source = pausable(blocks, random);
      const spool = new Spool(source, { memoryBytesMax, bytesMax });
      spool.fill();
      const taken: Buffer[] = [];
      await new Promise<void>((resolve, reject) => {
        const sink: BodySink = {
          write(block) {
            taken.push(Buffer.from(block));
            if (random() < 0.5) return;
            spool.pause();
            setImmediate(() => spool.resume());
          },
          end: resolve,
          fail: reject,
        };
        setImmediate(() => spool.start(sink));
      });
      assert.deepEqual(Buffer.concat(taken), Buffer.concat(blocks), `run ${run}`);
    }
  });
});

/** A source that delivers blocks at random moments, and stops while it is paused. */
function pausable(blocks: readonly Buffer[], random: () => number): BodySource {
  let next = 0;
  let paused = false;
  let sink: BodySink | null = null;
  const deliver = (): void => {
    if (paused || sink === null) return;
    const block = blocks[next];
    next += 1;
    if (block === undefined) {
      sink.end();
      return;
    }
    sink.write(block);
    if (random() < 0.5) deliver();
    else setImmediate(deliver);
  };
  return {
    start(newSink) {
      sink = newSink;
      deliver();
    },
    pause() {
      paused = true;
    },
    resume() {
      if (!paused) return;
      paused = false;
      setImmediate(deliver);
    },
    cancel() {
      sink = null;
    },
  };
}
