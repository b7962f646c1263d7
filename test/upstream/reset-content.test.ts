import assert from 'node:assert/strict';
import { it } from 'node:test';
import { resetSocket } from '../../src/http/transport/reset-socket.ts';
import { ask } from '../support/http-client.ts';
import { ProxyFront } from '../support/proxy-front.ts';
import { RawBackend } from '../support/raw-backend.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n';
/** A reset is only taken for an end when it comes in the same turn as bytes: often, but not always. */
const TIMES = 100;

it('breaks a response without length off when the backend resets it right behind some content', async (t) => {
  const backend = await RawBackend.start(({ socket }) => {
    socket.write(HEAD + 'x'.repeat(70_000), () => resetSocket(socket));
  });
  const front = await ProxyFront.start([backend.backend]);
  t.after(() => {
    front.stop();
    backend.stop();
  });
  for (let i = 0; i < TIMES; i += 1) {
    const { status, whole } = await ask(front.port, '/');
    assert.ok(status === 502 || !whole, `response ${i} looks whole`);
  }
});

it('ends one that the backend ends, also when it then takes no more', async (t) => {
  const backend = await RawBackend.start(({ socket }) => {
    socket.end(HEAD + 'x'.repeat(70_000), () => socket.destroy());
  });
  const front = await ProxyFront.start([backend.backend]);
  t.after(() => {
    front.stop();
    backend.stop();
  });
  for (let i = 0; i < TIMES; i += 1) {
    const { status, whole, body } = await ask(front.port, '/');
    assert.deepEqual([status, whole, body.length], [200, true, 70_000]);
  }
});
