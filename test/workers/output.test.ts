import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { passOn } from '../../src/workers/output.ts';

describe('output that is passed on', () => {
  it('may come from many processes without a warning about listeners, and none stays when they have ended', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const to = new PassThrough();
    const listenersMax = to.getMaxListeners();
    const listeners = to.listenerCount('close');
    const sources = Array.from({ length: 20 }, () => new PassThrough());
    for (const from of sources) passOn(from, to);
    await new Promise(setImmediate);
    process.off('warning', note);
    assert.deepEqual(warnings, []);
    for (const from of sources) from.end('x');
    await Promise.all(sources.map((from) => once(from, 'close')));
    assert.deepEqual([to.listenerCount('close'), to.getMaxListeners()], [listeners, listenersMax]);
    assert.equal(await text(to.end()), 'x'.repeat(20));
  });
});
