import { equal } from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { passLines } from '../../../src/server/cluster/forward-output.ts';

describe('output that is passed on', () => {
  it('keeps the lines of two processes whole, however they come', async () => {
    const [one, two] = [new PassThrough(), new PassThrough()];
    const { written, sink } = collect();
    passLines(one, sink);
    passLines(two, sink);
    for (const [from, text] of [
      [one, 'first '],
      [two, 'second\nthi'],
      [one, 'line\nfou'],
      [two, 'rd\n'],
      [one, 'rth\n'],
    ] as const) {
      from.write(text);
      await new Promise(setImmediate);
    }
    equal(written(), 'second\nfirst line\nthird\nfourth\n');
  });

  it('ends a last line that its process could not', async () => {
    const from = new PassThrough();
    const { written, sink } = collect();
    passLines(from, sink);
    from.end('dies in the midd');
    await once(from, 'close');
    equal(written(), 'dies in the midd\n');
  });

  it('passes a line of any length on, in bounded memory', async () => {
    const from = new PassThrough({ highWaterMark: 4_000_000 });
    const { written, sink } = collect();
    passLines(from, sink);
    for (let i = 0; i < 3; i += 1) from.write(Buffer.alloc(600_000, 'x'));
    await new Promise(setImmediate);
    equal(written().length, 1_200_000);
    from.end('\n');
    await once(from, 'close');
    equal(written().length, 1_800_001);
  });

  it('waits while the reader is slow, and goes on when it is ready', async () => {
    const from = new PassThrough();
    const waiting: (() => void)[] = [];
    const sink = new Writable({ highWaterMark: 1, write: (_block, _encoding, done) => void waiting.push(done) });
    passLines(from, sink);
    from.write('one\n');
    await new Promise(setImmediate);
    equal(from.isPaused(), true);
    const drained = once(sink, 'drain');
    waiting.shift()?.();
    await drained;
    equal(from.isPaused(), false);
    from.destroy();
  });
});

function collect() {
  const blocks: string[] = [];
  const sink = new Writable({
    write: (block, _encoding, done) => {
      blocks.push(String(block));
      done();
    },
  });
  return { sink, written: () => blocks.join('') };
}
