import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientLink } from '../../../src/http/transport/client-socket-control.ts';
import type { HttpLimits } from '../../../src/http/transport/limits.ts';
import { ServerContext } from '../../../src/http/transport/server-context.ts';
import type { ClientSocket, Receiver } from '../../../src/http/transport/socket-reader.ts';

/** A link whose client has taken all but `waiting` bytes, and the clock that it goes by. */
function blockedLink(waiting: number, limits: Partial<HttpLimits>) {
  const context = new ServerContext({
    handle: () => new Promise(() => {}),
    limits,
    onAnswered: null,
    onError() {},
  });
  const handle = { writeQueueSize: waiting };
  const socket = { _handle: handle, writableLength: waiting } as unknown as ClientSocket<Receiver>;
  const link = new ClientLink(socket, context);
  link.block(waiting);
  const ticks = (count: number): boolean => {
    let late = false;
    for (let i = 0; i < count && !late; i += 1) {
      context.tick += 1;
      late = link.sweep();
    }
    return late;
  };
  return { link, handle, ticks, timeout: context.writeTicks };
}

const ANY = { writeRateBytesMin: 0 };
/** A tick is a second with the default time-outs. */
const THOUSAND = { writeRateBytesMin: 1000 };

describe('a client that a response waits for', () => {
  it('is late when it takes nothing for as long as the write timeout', () => {
    for (const limits of [ANY, THOUSAND]) {
      const { ticks, timeout } = blockedLink(100_000, limits);
      assert.equal(ticks(timeout - 1), false);
      assert.equal(ticks(1), true);
    }
  });

  it('has as much time again when it took a little, however slowly all of it goes, where there is no minimum rate', () => {
    const { handle, ticks, timeout } = blockedLink(100_000, ANY);
    for (let left = 99_999; left > 99_990; left -= 1) {
      assert.equal(ticks(timeout - 1), false);
      handle.writeQueueSize = left;
    }
    assert.equal(ticks(timeout), false);
    assert.equal(ticks(1), true);
  });

  it('has as much time again when it took all and more is written', () => {
    for (const limits of [ANY, THOUSAND]) {
      const { link, ticks, timeout } = blockedLink(100_000, limits);
      assert.equal(ticks(timeout - 1), false);
      link.unblock();
      link.block(100_000);
      assert.equal(ticks(timeout - 1), false);
      assert.equal(ticks(1), true);
    }
  });

  it('is served to the end when it takes as much as the minimum rate', () => {
    const { handle, ticks } = blockedLink(300_000, THOUSAND);
    for (let left = 299_000; left > 0; left -= 1000) {
      handle.writeQueueSize = left;
      assert.equal(ticks(1), false);
    }
  });

  it('is late when it takes less than the minimum rate for long, although it never rests', () => {
    const { handle, ticks, timeout } = blockedLink(300_000, THOUSAND);
    let lasted = 0;
    while (!ticks(1)) {
      handle.writeQueueSize -= 500;
      lasted += 1;
    }
    assert.ok(lasted >= 2 * timeout - 4 && lasted <= 2 * timeout, `${lasted} of ${2 * timeout} ticks`);
  });

  it('saves no more time by being quick than the write timeout', () => {
    const { handle, ticks, timeout } = blockedLink(10_000_000, THOUSAND);
    handle.writeQueueSize = 1000;
    assert.equal(ticks(1), false);
    assert.equal(ticks(timeout - 1), false);
    assert.equal(ticks(1), true);
  });

  it('gets no time back for being written to', () => {
    const { link, handle, ticks, timeout } = blockedLink(1000, THOUSAND);
    assert.equal(ticks(timeout - 1), false);
    link.unblock();
    handle.writeQueueSize = 100_000;
    link.block(100_000);
    assert.equal(ticks(1), false);
    assert.equal(ticks(1), true);
  });
});
