import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientSocketControl } from '../../../src/http/transport/client-socket-control.ts';
import type { HttpLimits } from '../../../src/http/transport/limits.ts';
import { ServerContext } from '../../../src/http/transport/server-context.ts';
import type { ClientSocket, Receiver } from '../../../src/http/transport/socket-reader.ts';

/** A socket control whose client has not taken `waiting` bytes, and functions to advance its clock. */
function blockedControl(waiting: number, limits: Partial<HttpLimits>) {
  const context = new ServerContext({
    handle: () => new Promise(() => {}),
    limits,
    onAnswered: null,
    onError() {},
  });
  const handle = { writeQueueSize: waiting };
  const socket = { _handle: handle, writableLength: waiting } as unknown as ClientSocket<Receiver>;
  const control = new ClientSocketControl(socket, context);
  control.block(waiting);
  const ticks = (count: number): boolean => {
    let late = false;
    for (let i = 0; i < count && !late; i += 1) {
      context.tick += 1;
      late = control.sweep();
    }
    return late;
  };
  return { control, handle, ticks, timeout: context.writeTicks };
}

const ANY = { writeRateBytesMin: 0 };
/** A tick is a second with the default timeouts. */
const THOUSAND = { writeRateBytesMin: 1000 };

describe('a client while a response waits for it', () => {
  it('is late when it takes nothing during the write timeout', () => {
    for (const limits of [ANY, THOUSAND]) {
      const { ticks, timeout } = blockedControl(100_000, limits);
      assert.equal(ticks(timeout - 1), false);
      assert.equal(ticks(1), true);
    }
  });

  it('gets the full time again after each byte when there is no minimum rate', () => {
    const { handle, ticks, timeout } = blockedControl(100_000, ANY);
    for (let left = 99_999; left > 99_990; left -= 1) {
      assert.equal(ticks(timeout - 1), false);
      handle.writeQueueSize = left;
    }
    assert.equal(ticks(timeout), false);
    assert.equal(ticks(1), true);
  });

  it('gets the full time again when it has taken everything and more is written', () => {
    for (const limits of [ANY, THOUSAND]) {
      const { control, ticks, timeout } = blockedControl(100_000, limits);
      assert.equal(ticks(timeout - 1), false);
      control.unblock();
      control.block(100_000);
      assert.equal(ticks(timeout - 1), false);
      assert.equal(ticks(1), true);
    }
  });

  it('is served to the end when it reads at the minimum rate', () => {
    const { handle, ticks } = blockedControl(300_000, THOUSAND);
    for (let left = 299_000; left > 0; left -= 1000) {
      handle.writeQueueSize = left;
      assert.equal(ticks(1), false);
    }
  });

  it('is late when it reads steadily but below the minimum rate for long', () => {
    const { handle, ticks, timeout } = blockedControl(300_000, THOUSAND);
    let lasted = 0;
    while (!ticks(1)) {
      handle.writeQueueSize -= 500;
      lasted += 1;
    }
    assert.ok(lasted >= 2 * timeout - 4 && lasted <= 2 * timeout, `${lasted} of ${2 * timeout} ticks`);
  });

  it('cannot save up more time than the write timeout by being quick', () => {
    const { handle, ticks, timeout } = blockedControl(10_000_000, THOUSAND);
    handle.writeQueueSize = 1000;
    assert.equal(ticks(1), false);
    assert.equal(ticks(timeout - 1), false);
    assert.equal(ticks(1), true);
  });

  it('does not get more time when more is written to it', () => {
    const { control, handle, ticks, timeout } = blockedControl(1000, THOUSAND);
    assert.equal(ticks(timeout - 1), false);
    control.unblock();
    handle.writeQueueSize = 100_000;
    control.block(100_000);
    assert.equal(ticks(1), false);
    assert.equal(ticks(1), true);
  });
});
