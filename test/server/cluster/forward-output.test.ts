import { equal } from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { forwardOutput } from '../../../src/server/cluster/forward-output.ts';

describe('forwarded output', () => {
  it('keeps the lines of two processes whole, however their blocks are split', async () => {
    const [first, second] = [new PassThrough(), new PassThrough()];
    const { output, sink } = collect();
    forwardOutput(first, sink);
    forwardOutput(second, sink);
    for (const [from, text] of [
      [first, 'first '],
      [second, 'second\nthi'],
      [first, 'line\nfou'],
      [second, 'rd\n'],
      [first, 'rth\n'],
    ] as const) {
      from.write(text);
      await new Promise(setImmediate);
    }
    equal(output(), 'second\nfirst line\nthird\nfourth\n');
  });

  it('adds the missing end of the last line', async () => {
    const from = new PassThrough();
    const { output, sink } = collect();
    forwardOutput(from, sink);
    from.end('dies in the midd');
    await once(from, 'close');
    equal(output(), 'dies in the midd\n');
  });

  it('forwards a line of any length in bounded memory', async () => {
    const from = new PassThrough({ highWaterMark: 4_000_000 });
    const { output, sink } = collect();
    forwardOutput(from, sink);
    for (let i = 0; i < 3; i += 1) from.write(Buffer.alloc(600_000, 'x'));
    await new Promise(setImmediate);
    equal(output().length, 1_200_000);
    from.end('\n');
    await once(from, 'close');
    equal(output().length, 1_800_001);
  });

  it('waits while the reader is slow, and continues when it is ready', async () => {
    const from = new PassThrough();
    const waiting: (() => void)[] = [];
    const sink = new Writable({ highWaterMark: 1, write: (_block, _encoding, done) => void waiting.push(done) });
    forwardOutput(from, sink);
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
  return { sink, output: () => blocks.join('') };
}
