import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameWriter } from '../../../src/http/http2/frame-writer.ts';
import type { Priority } from '../../../src/http/http2/priority.ts';
import { fieldsOf } from '../../../src/http/http2/response-fields.ts';
import { SendQueue } from '../../../src/http/http2/send-queue.ts';
import { StreamOutput } from '../../../src/http/http2/stream-output.ts';
import { Response } from '../../../src/http/response.ts';
import { writtenBy } from '../../support/frame-sink.ts';
import { framesOf } from '../../support/http2-frames.ts';

const FRAME = 16_384;
const FIELDS = fieldsOf(Response.text(200, ''), 0);
const share = (urgency = 3): Priority => ({ urgency, incremental: true });
const alone = (urgency = 3): Priority => ({ urgency, incremental: false });

/** A queue, and outputs whose content it sends. */
class Sender {
  readonly writer = new FrameWriter();
  readonly queue = new SendQueue(this.writer);
  readonly ended: number[] = [];

  /** An output with `bytes` of content, which is the last of its stream. */
  add(id: number, bytes: number, priority: Priority, window = 1_000_000): StreamOutput {
    const output = new StreamOutput(id, window, priority, FIELDS, {
      writeHead() {},
      onPending: (pending) => this.queue.add(pending),
      onSent() {},
      onDrained() {},
      onEnded: () => this.ended.push(id),
    });
    output.write(Buffer.alloc(bytes));
    output.end();
    return output;
  }

  /** Sends what may be sent in one turn. Returns `stream:bytes` for each frame. */
  turn(): readonly string[] {
    this.queue.pump();
    const { frames } = framesOf(Buffer.concat(writtenBy(this.writer)));
    return frames.map(({ id, payload, flags }) => `${id}:${payload.length}${flags === 1 ? ' end' : ''}`);
  }
}

describe('the queue of outputs of an HTTP/2 connection', () => {
  it('sends the most urgent first', () => {
    const sender = new Sender();
    sender.queue.window = 1_000_000;
    sender.add(1, 10, share(7));
    sender.add(3, 20, alone(0));
    sender.add(5, 30, share(3));
    sender.add(7, 40, alone(3));
    assert.deepEqual(sender.turn(), ['3:20 end', '5:30 end', '7:40 end', '1:10 end']);
    assert.deepEqual(sender.ended, [3, 5, 7, 1]);
    assert.equal(sender.queue.isWaiting, false);
  });

  it('lets incremental ones take turns, and the others finish in the order of their streams', () => {
    const sender = new Sender();
    sender.queue.window = 1_000_000;
    for (const id of [1, 3]) sender.add(id, 2 * FRAME, share());
    assert.deepEqual(sender.turn(), [`1:${FRAME}`, `3:${FRAME}`, `1:${FRAME} end`, `3:${FRAME} end`]);
    for (const id of [7, 5]) sender.add(id, 2 * FRAME, alone());
    assert.deepEqual(sender.turn(), [`5:${FRAME}`, `5:${FRAME} end`, `7:${FRAME}`, `7:${FRAME} end`]);
    sender.add(11, 2 * FRAME, alone());
    sender.add(9, 2 * FRAME, alone());
    sender.add(13, 2 * FRAME, share());
    assert.deepEqual(
      sender.turn(),
      [9, 9, 13, 11, 13, 11].map((id, i) => `${id}:${FRAME}${[1, 4, 5].includes(i) ? ' end' : ''}`),
    );
  });

  it('keeps to the windows of the streams and of the connection', () => {
    const sender = new Sender();
    sender.queue.window = 100;
    const first = sender.add(1, 90, share(), 60);
    const second = sender.add(3, 90, share(), 0);
    sender.add(5, 90, share(), -5);
    assert.deepEqual(sender.turn(), ['1:60']);
    assert.equal(sender.queue.isWaiting, false, 'no output may send');
    assert.equal(sender.queue.window, 40);
    second.window = 50;
    sender.queue.add(second);
    assert.deepEqual(sender.turn(), ['3:40']);
    first.window = 50;
    sender.queue.add(first);
    assert.deepEqual(sender.turn(), [], 'the window of the connection is closed');
    sender.queue.window = 1000;
    assert.deepEqual(sender.turn(), ['3:10', '1:30 end']);
    assert.deepEqual(sender.ended, [1]);
  });

  it('sends nothing while the socket is full, and a limited amount in a turn', () => {
    const sender = new Sender();
    sender.queue.window = 10_000_000;
    sender.add(1, 1_000_000, share());
    sender.queue.blocked = true;
    assert.deepEqual(sender.turn(), []);
    sender.queue.blocked = false;
    assert.equal(sender.turn().length, 8);
    assert.equal(sender.queue.isWaiting, true);
  });

  it('takes content at once only if nothing waits that may be sent', () => {
    const sender = new Sender();
    assert.equal(sender.queue.takesNow(65_535), true);
    assert.equal(sender.queue.takesNow(65_536), false);
    const output = sender.add(1, 10, share(), 0);
    assert.equal(sender.queue.takesNow(10), true, 'it waits for its own window');
    output.window = 10;
    sender.queue.add(output);
    assert.equal(sender.queue.takesNow(10), false);
    sender.queue.remove(output);
    sender.queue.remove(output);
    assert.equal(sender.queue.takesNow(10), true);
    sender.queue.blocked = true;
    assert.equal(sender.queue.takesNow(10), false);
  });
});
