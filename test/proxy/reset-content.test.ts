import assert from 'node:assert/strict';
import { it } from 'node:test';
import { breakOff } from '../../src/http/transport/reset-socket.ts';
import { startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { serveProxy } from '../support/serve-proxy.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n';
/** The reset is misinterpreted as an end only when it arrives in the same turn as bytes: often, but not always. */
const TIMES = 100;

it('breaks off a response without a length when the backend resets the connection right after some content', async (t) => {
  const backend = await startBackend(t, {
    onData({ socket }) {
      socket.write(HEAD + 'x'.repeat(70_000), () => breakOff(socket));
    },
  });
  const proxy = await serveProxy(t, [backend.backend]);
  for (let i = 0; i < TIMES; i += 1) {
    const { status, whole } = await ask(proxy.port, '/');
    assert.ok(status === 502 || !whole, `response ${i} looks whole`);
  }
});

it('ends a response that the backend ends, even when the backend then accepts no more bytes', async (t) => {
  const backend = await startBackend(t, {
    onData({ socket }) {
      socket.end(HEAD + 'x'.repeat(70_000), () => socket.destroy());
    },
  });
  const proxy = await serveProxy(t, [backend.backend]);
  for (let i = 0; i < TIMES; i += 1) {
    const { status, whole, body } = await ask(proxy.port, '/');
    assert.deepEqual([status, whole, body.length], [200, true, 70_000]);
  }
});
