import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientLink } from '../../src/http/client-link.ts';
import { ServerContext } from '../../src/http/server-context.ts';
import type { ClientSocket, Receiver } from '../../src/http/socket-reader.ts';

/** A link whose client has taken all but `waiting` bytes, and the clock that it goes by. */
function blockedLink(waiting: number) {
  const context = new ServerContext({
    handle: () => new Promise(() => {}),
    limits: {},
    onAnswered: null,
    onError() {},
  });
  const handle = { writeQueueSize: waiting };
  const socket = { _handle: handle, writableLength: waiting } as unknown as ClientSocket<Receiver>;
  const link = new ClientLink(socket, context);
  link.block();
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

describe('a client that a response waits for', () => {
  it('is late when it takes nothing for as long as the write timeout', () => {
    const { ticks, timeout } = blockedLink(100_000);
    assert.equal(ticks(timeout - 1), false);
    assert.equal(ticks(1), true);
  });

  it('has as much time again when it took a little, however slowly all of it goes', () => {
    const { handle, ticks, timeout } = blockedLink(100_000);
    for (let left = 99_999; left > 99_990; left -= 1) {
      assert.equal(ticks(timeout - 1), false);
      handle.writeQueueSize = left;
    }
    assert.equal(ticks(timeout), false);
    assert.equal(ticks(1), true);
  });

  it('has as much time again when more is written', () => {
    const { link, ticks, timeout } = blockedLink(100_000);
    assert.equal(ticks(timeout - 1), false);
    link.unblock();
    link.block();
    assert.equal(ticks(timeout - 1), false);
    assert.equal(ticks(1), true);
  });
});
