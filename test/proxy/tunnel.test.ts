import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BackendConnection, startBackend, type TestBackend } from '../support/backend.ts';
import { Authority, hostWith, NO_OPENSSL, type Pair } from '../support/certificates.ts';
import { type ProxyOptions, type ProxyServer, serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually, PATIENCE_MS, within } from '../support/wait.ts';
import { clientFrame, echoFrames, SWITCH } from '../support/websocket.ts';

const MB = 1024 * 1024;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;

async function withProxy(
  t: TestContext,
  onData: (connection: BackendConnection, block: Buffer) => void,
  options: ProxyOptions = {},
): Promise<{ proxy: ProxyServer; backend: TestBackend; client: SocketClient }> {
  const backend = await startBackend(t, { onData });
  const proxy = await serveProxy(t, [backend.backend], options);
  const client = await (options.tls === undefined
    ? SocketClient.open(proxy.port)
    : SocketClient.openSecure(proxy.port));
  t.after(() => client.close());
  return { proxy, backend, client };
}

function certificate(t: TestContext): Pair {
  return new Authority(temporaryDirectory(t)).issue('a', 'ec', ['a.example']);
}

/** How the other side ends a connection. When a reset arrives together with bytes, Node reports an end; a write shows the difference. */
function endingOf(socket: Socket, raw = socket): Promise<'reset' | 'end'> {
  return within(
    PATIENCE_MS,
    'the connection ends',
    () =>
      new Promise((resolve) => {
        socket.on('error', () => resolve('reset'));
        socket.on('end', () => raw.write('', (error) => resolve(error ? 'reset' : 'end')));
        socket.on('close', () => resolve('end'));
      }),
  );
}

/** Switches the protocol and calls `onBlock` for the bytes after the request. */
function switching(onBlock: (socket: BackendConnection['socket'], block: Buffer) => void) {
  const switched = new Set<BackendConnection>();
  return (connection: BackendConnection, block: Buffer): void => {
    if (switched.has(connection)) {
      onBlock(connection.socket, block);
      return;
    }
    switched.add(connection);
    connection.socket.write(`${SWITCH}\r\n`);
    const early = block.subarray(block.indexOf('\r\n\r\n') + 4);
    if (early.length > 0) onBlock(connection.socket, early);
  };
}

describe('an upgraded connection', () => {
  it('carries a WebSocket', async (t) => {
    const { client, proxy, backend } = await withProxy(t, echoFrames);
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n/);
    assert.match(
      client.received,
      /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/,
    );
    assert.match(client.received, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    client.send(clientFrame('hello'));
    await client.until(/\r\n\r\n\x81.hello$/);
    client.send(Buffer.concat([clientFrame('a'), clientFrame('b')]));
    await client.until(/hello\x81.a\x81.b$/);
    assert.deepEqual([proxy.statuses, backend.connections.length], [[101], 1]);
  });

  it('requests the same protocol from the backend', async (t) => {
    const { client, backend } = await withProxy(t, () => {});
    client.send(HANDSHAKE);
    await eventually('the request has arrived', () => backend.connections[0]?.received.endsWith('\r\n\r\n') === true);
    assert.match(backend.connections[0]?.received ?? '', /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
  });

  it('loses no early bytes of either side', async (t) => {
    const { client } = await withProxy(t, (connection, block) => {
      const text = block.toString('latin1');
      if (connection.socket.bytesWritten === 0) connection.socket.write(`${SWITCH}\r\nwelcome `);
      if (text.endsWith('early')) connection.socket.write('got early');
    });
    client.send(`${HANDSHAKE}early`);
    await client.until(/\r\n\r\nwelcome got early$/);
  });

  it('is an ordinary response when the backend declines', async (t) => {
    const { client, proxy } = await withProxy(t, ({ socket }) =>
      socket.write(
        'HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno',
      ),
    );
    client.send(HANDSHAKE);
    await client.until(/^HTTP\/1\.1 426 [\s\S]*no$/);
    assert.doesNotMatch(client.received, /^upgrade:/im);
    assert.deepEqual(proxy.failures, []);
  });

  for (const [description, upgrade] of [
    ['another protocol than was asked for', 'Upgrade: tls/1.0\r\n'],
    ['no protocol', ''],
  ]) {
    it(`causes 502 when the backend switches to ${description}`, async (t) => {
      const { client } = await withProxy(t, ({ socket }) =>
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${upgrade}\r\nHTTP/1.1 200 OK\r\n\r\n`,
        ),
      );
      client.send(HANDSHAKE);
      await client.until(/^HTTP\/1\.1 502 /);
    });
  }

  it('is never HTTP/2 without TLS', async (t) => {
    const { client, backend } = await withProxy(t, ({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    client.send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n',
    );
    await client.until(/ok$/);
    assert.doesNotMatch(backend.connections[0]?.received ?? '', /upgrade|h2c|settings/i);
  });

  it('ends on one side when the other side has ended, after the bytes in transit', async (t) => {
    const { client, backend } = await withProxy(
      t,
      switching((socket, block) => {
        if (block.toString() === 'bye') socket.end('farewell');
      }),
    );
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    client.socket.end('bye');
    await client.until(/farewell$/);
    await client.untilClosed();
    const socket = backend.connections[0]?.socket;
    await eventually('the backend sees the end', () => socket?.readableEnded === true);
  });

  it('stays open in one direction when a side ends only its own direction', async (t) => {
    const { client, backend } = await withProxy(
      t,
      switching((socket, block) => void socket.write(block)),
    );
    client.socket.allowHalfOpen = true;
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    client.socket.end('last');
    await client.until(/last$/);
    await eventually('the end arrives', () => backend.connections[0]?.socket.readableEnded === true);
    backend.connections[0]?.socket.write('more');
    await client.until(/lastmore$/);
    backend.connections[0]?.socket.end();
    await client.untilClosed();
  });

  for (const isTls of [false, true]) {
    const front = isTls ? 'TLS' : 'TCP';
    for (const [cause, side] of [
      ['a reset', 'client'],
      ['a reset together with bytes', 'client'],
      ['a reset', 'backend'],
      ['a reset together with bytes', 'backend'],
      ['the time without a byte', 'both'],
    ] as const) {
      it(`is reset, and does not end, where ${cause} on the side of the ${side} ends it, over ${front}`, {
        skip: isTls && NO_OPENSSL,
      }, async (t) => {
        const { client, backend } = await withProxy(
          t,
          switching(() => {}),
          {
            ...(side === 'both' ? { tunnelIdleTimeoutMs: 200 } : {}),
            ...(isTls ? { tls: { hosts: [hostWith(certificate(t))] } } : {}),
          },
        );
        client.send(HANDSHAKE);
        await client.until(/\r\n\r\n$/);
        const { socket } = backend.connections[0] as BackendConnection;
        const { raw } = client;
        const endings = [endingOf(client.socket, raw), endingOf(socket)];
        if (cause.endsWith('bytes')) (side === 'client' ? client.socket : socket).write('bytes');
        if (side === 'client') raw.resetAndDestroy();
        if (side === 'backend') socket.resetAndDestroy();
        if (side !== 'client') assert.equal(await endings[0], 'reset');
        if (side !== 'backend') assert.equal(await endings[1], 'reset');
      });
    }
  }

  it('ends towards the backend when the client had ended its direction before the switch', async (t) => {
    const { client, backend } = await withProxy(t, () => {});
    client.send(`${HANDSHAKE}early`);
    client.socket.end();
    await eventually('the request has arrived', () => backend.connections[0]?.received.endsWith('\r\n\r\n') === true);
    await sleep(50);
    const [connection] = backend.connections as [BackendConnection];
    connection.socket.write(`${SWITCH}\r\nwelcome`);
    await eventually('the backend sees the end', () => connection.socket.readableEnded);
    assert.match(connection.received, /\r\n\r\nearly$/);
    connection.socket.end();
    await client.until(/\r\n\r\nwelcome$/);
    await client.untilClosed();
  });

  it('makes the sender wait while the receiver does not read, in both directions', async (t) => {
    const { client, backend } = await withProxy(
      t,
      switching(() => {}),
    );
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    const { socket } = backend.connections[0] as BackendConnection;
    const block = Buffer.alloc(MB, 'x');
    for (const [sender, receiver] of [
      [socket, client.socket],
      [client.socket, socket],
    ] as const) {
      receiver.pause();
      for (let i = 0; i < 40; i += 1) sender.write(block);
      let before = -1;
      await eventually('the sender waits', async () => {
        const same = before === sender.writableLength;
        before = sender.writableLength;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return same;
      });
      assert.ok(before > 20 * MB);
      const drained = once(sender, 'drain');
      receiver.resume();
      await drained;
    }
  });

  it('is closed when it is idle too long', async (t) => {
    const { client } = await withProxy(
      t,
      switching(() => {}),
      { tunnelIdleTimeoutMs: 100 },
    );
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    await client.untilClosed();
  });

  it('survives a stop of the proxy, but not its destruction', async (t) => {
    const { client, proxy } = await withProxy(
      t,
      switching((socket, block) => void socket.write(block)),
    );
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    proxy.proxy.stop();
    client.send('still');
    await client.until(/still$/);
    proxy.proxy.destroy();
    await client.untilClosed();
  });
});
