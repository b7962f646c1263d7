import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameWriter } from '../../../src/http/http2/frame-writer.ts';
import { NO_PRIORITY } from '../../../src/http/http2/priority.ts';
import { SendQueue } from '../../../src/http/http2/send-queue.ts';
import { StreamOutput } from '../../../src/http/http2/stream-output.ts';
import { writtenBy } from '../../support/frame-sink.ts';

const FIELDS = { status: 200, addedLength: -1, has: 0, fields: [] };

/** An output in a queue of its own, and what its owner learned. */
function outputOf(window: number) {
  const writer = new FrameWriter();
  const queue = new SendQueue(writer);
  const events: string[] = [];
  const output: StreamOutput = new StreamOutput(1, window, NO_PRIORITY, FIELDS, {
    writeHead: () => events.push('head'),
    onPending(pending) {
      queue.add(pending);
      queue.pump();
    },
    onSent: (bytes) => events.push(`sent ${bytes}`),
    onDrained: () => events.push('drained'),
    onEnded: () => events.push('ended'),
  });
  const open = (bytes: number) => {
    output.window += bytes;
    queue.add(output);
    queue.pump();
  };
  /** The content of all frames so far, and whether the last one ends the stream. */
  const received = () => {
    const bytes = Buffer.concat(writtenBy(writer));
    let content = '';
    let ends = false;
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUIntBE(at, 3);
      ends = bytes[at + 4] === 1;
      content += bytes.toString('latin1', at + 9, at + 9 + length);
      at += 9 + length;
    }
    return { content, ends };
  };
  return { output, events, open, received };
}

describe('the output of a stream', () => {
  it('sends a block at once when the window is open', () => {
    const { output, events, received } = outputOf(100);
    assert.equal(output.write(Buffer.from('block')), true);
    assert.deepEqual(received(), { content: 'block', ends: false });
    assert.deepEqual(events, ['sent 5']);
  });

  it('keeps the order of blocks that come although it asked its source to pause', () => {
    const { output, events, open, received } = outputOf(3);
    assert.equal(output.write(Buffer.from('first ')), false);
    assert.equal(output.write(Buffer.from('second ')), false);
    assert.equal(output.write(Buffer.from('third')), false);
    output.end();
    open(5);
    assert.deepEqual(received(), { content: 'first se', ends: false });
    open(100);
    assert.deepEqual(received(), { content: 'cond third', ends: true });
    assert.equal(events.at(-1), 'ended');
    assert.equal(events.includes('drained'), false);
  });

  it('reports each block when it is written, and that it is drained after the last one', async () => {
    const { output, events, open } = outputOf(0);
    output.write(Buffer.from('a'), () => events.push('a'));
    output.write(Buffer.from('b'), () => events.push('b'));
    assert.deepEqual(events, []);
    open(2);
    assert.deepEqual(events, ['sent 1', 'a', 'sent 1', 'b', 'drained']);
  });

  it('sends nothing after it was discarded', () => {
    const { output, open, received } = outputOf(0);
    output.write(Buffer.from('a'));
    output.write(Buffer.from('b'));
    output.discard();
    open(100);
    assert.deepEqual(received(), { content: '', ends: false });
  });
});
