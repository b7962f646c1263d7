import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { responseHead, startFrameBackend } from '../support/frame-backend.ts';
import { ask } from '../support/http-client.ts';
import { HEADERS } from '../support/http2-frames.ts';
import { type ProxyOptions, type ProxyServer, serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';
import { createSignal, eventually } from '../support/wait.ts';

type Backends = Parameters<typeof serveProxy>[1];

async function measured(t: TestContext, backends: Backends, options: ProxyOptions = {}) {
  const proxy: ProxyServer = await serveProxy(t, backends, options);
  const times: [backend: string, ms: number][] = [];
  proxy.proxy.measure((backend, ms) => times.push([backend, ms]));
  return { ...proxy, times };
}

describe('the time of a request at a backend', () => {
  it('ends with the content of the response, and is that of each try', async (t) => {
    const sent = createSignal();
    const good = await startBackend(t, (_request, { socket }) => {
      void sent.happened.then(() => socket.write('ok'));
      return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
    });
    const bad = await startBackend(t, (_request, { socket }) => {
      socket.destroy();
      return '';
    });
    const { port, times } = await measured(t, [bad.backend, good.backend], { retries: 1, retryBudget: 1 });
    const answer = ask(port, '/');
    await eventually('the first try is over', () => times.length === 1);
    sent.happen();
    assert.equal((await answer).body, 'ok');
    await eventually('the second one is over', () => times.length === 2);
    const [first, second] = times;
    assert.notEqual(first?.[0], second?.[0]);
    for (const [, ms] of times) assert.ok(ms > 0 && ms < 60_000, `${ms} ms`);
  });

  it('is measured over HTTP/2', async (t) => {
    const backend = await startFrameBackend(t, {
      onFrame: (connection, { type, id }) => {
        if (type === HEADERS) connection.send(responseHead(id, [[':status', '204']]));
      },
    });
    const { port, times } = await measured(t, [backend.backend]);
    assert.equal((await ask(port, '/')).status, 204);
    await eventually('it is over', () => times.length === 1);
  });

  it('does not count if the client leaves', async (t) => {
    const asked = createSignal();
    const backend = await startBackend(t, (request) => {
      if (request.startsWith('GET /wait')) {
        asked.happen();
        return '';
      }
      return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    });
    const { port, times, proxy } = await measured(t, [backend.backend]);
    const client = await SocketClient.open(port);
    client.socket.write('GET /wait HTTP/1.1\r\nHost: a\r\n\r\n');
    await asked.happened;
    client.socket.destroy();
    await once(client.socket, 'close');
    await eventually('the proxy has noticed', () => proxy.status()[0]?.active === 0);
    await ask(port, '/');
    await eventually('another one counts', () => times.length > 0);
    assert.equal(times.length, 1);
  });
});
