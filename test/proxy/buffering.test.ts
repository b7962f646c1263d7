import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type BackendConnection, startBackend, type TestBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { encode } from '../support/http-message.ts';
import { createRandom, noise } from '../support/random.ts';
import { type ProxyOptions, type ProxyServer, serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

/** Starts a proxy with these options and a backend that calls `onData` for received bytes. */
async function startProxy(
  t: TestContext,
  options: ProxyOptions,
  onData: (connection: BackendConnection) => void,
): Promise<{ proxy: ProxyServer; backend: TestBackend }> {
  const backend = await startBackend(t, { onData });
  const proxy = await serveProxy(t, [backend.backend], options);
  return { proxy, backend };
}

const CONTENT = noise(createRandom(5), 3_000_000).toString('latin1');
const DONE = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone';

describe('a buffered request', { concurrency: 4 }, () => {
  for (const [description, content, headers] of [
    ['small', 'hello', []],
    ['large', CONTENT, []],
    [
      'in chunks',
      `5\r\nhello\r\n${CONTENT.length.toString(16)}\r\n${CONTENT}\r\n0\r\n\r\n`,
      [['Transfer-Encoding', 'chunked']],
    ],
  ] as const) {
    it(`reaches its backend complete and with its length when its content is ${description}`, async (t) => {
      const { proxy, backend } = await startProxy(t, { bufferRequest: true }, (connection) => {
        const [, length] = /Content-Length: (\d+)\r\n/.exec(connection.received) ?? [];
        const start = connection.received.indexOf('\r\n\r\n') + 4;
        if (length !== undefined && connection.received.length - start === Number(length))
          connection.socket.write(DONE);
      });
      const { status } = await ask(proxy.port, '/', { method: 'POST', body: content, headers });
      assert.equal(status, 200);
      const received = backend.connections[0]?.received ?? '';
      const expected = description === 'in chunks' ? `hello${CONTENT}` : content;
      assert.ok(received.endsWith(`Content-Length: ${expected.length}\r\n\r\n${expected}`));
      assert.doesNotMatch(received.slice(0, 1000), /Transfer-Encoding/);
    });
  }

  it('connects to the backend only when it is complete, and never when its client leaves', async (t) => {
    const { proxy, backend } = await startProxy(t, { bufferRequest: true }, ({ socket }) => socket.write(DONE));
    const octets = encode('/', { method: 'POST', body: CONTENT });
    const leaving = await SocketClient.open(proxy.port);
    leaving.send(octets.subarray(0, 1_000_000));
    const staying = await SocketClient.open(proxy.port);
    staying.send(octets.subarray(0, 1_000_000));
    await eventually('both requests have started', () => proxy.connections.size === 2);
    leaving.close();
    await eventually('one client has left', () => proxy.connections.size === 1);
    assert.equal(backend.connections.length, 0);
    staying.send(octets.subarray(1_000_000));
    await staying.until(/done/);
    assert.equal(backend.connections.length, 1);
  });

  it('is not retried at another backend after it was sent', async (t) => {
    const { proxy, backend } = await startProxy(t, { bufferRequest: true, retries: 3 }, ({ socket }) =>
      socket.destroy(),
    );
    assert.equal((await ask(proxy.port, '/', { method: 'PUT', body: 'x' })).status, 502);
    assert.equal(backend.connections.length, 1);
  });
});

describe('a buffered response', { concurrency: 4 }, () => {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${CONTENT.length}\r\n\r\n`;

  it('leaves its backend at once when its client is slow', async (t) => {
    let taken = false;
    const { proxy } = await startProxy(t, { bufferResponse: true, bufferMemoryBytesMax: 100_000 }, ({ socket }) => {
      socket.write(Buffer.from(head + CONTENT, 'latin1'), () => {
        taken = true;
      });
    });
    const client = connect({ port: proxy.port, host: '127.0.0.1' });
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await eventually('the backend is free', () => taken);
    let received = '';
    client.on('data', (block: Buffer) => {
      received += block.toString('latin1');
    });
    client.resume();
    await eventually('the whole response has arrived', () => received.length > CONTENT.length && client.destroyed);
    assert.ok(received.endsWith(CONTENT));
  });

  it('waits for its client when its file is full', async (t) => {
    let taken = false;
    const { proxy } = await startProxy(
      t,
      { bufferResponse: true, bufferMemoryBytesMax: 1000, bufferFileBytesMax: 200_000 },
      ({ socket }) => {
        socket.write(
          Buffer.from(head.replace(`${CONTENT.length}`, `${10 * CONTENT.length}`) + CONTENT.repeat(10), 'latin1'),
          () => {
            taken = true;
          },
        );
      },
    );
    const client = connect({ port: proxy.port, host: '127.0.0.1' });
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    // The backend can send as much as fits into the file and the sockets, and then nothing more.
    let previous = -1;
    await eventually('the file does not grow', () => {
      const now = process.resourceUsage().fsWrite;
      const still = now === previous;
      previous = now;
      return still;
    });
    assert.equal(taken, false);
    let length = 0;
    client.on('data', (block: Buffer) => {
      length += block.length;
    });
    client.resume();
    await eventually('the whole response has arrived', () => length > 10 * CONTENT.length);
  });

  it('is broken off when the backend does not send it completely', async (t) => {
    const { proxy } = await startProxy(t, { bufferResponse: true }, ({ socket }) =>
      socket.end(Buffer.from(head + CONTENT.slice(0, 500_000), 'latin1')),
    );
    const answer = await ask(proxy.port, '/').catch(() => null);
    assert.notEqual(answer?.whole, true);
  });
});
