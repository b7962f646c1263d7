import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import type { ReverseProxyOptions } from '../../src/proxy/reverse-proxy.ts';
import { ProxyFront } from '../support/proxy-front.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { eventually, SocketClient } from '../support/socket-client.ts';

const MB = 1024 * 1024;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

async function inFront(
  t: TestContext,
  onData: (connection: RawConnection, block: Buffer) => void,
  options: Partial<ReverseProxyOptions> = {},
): Promise<{ front: ProxyFront; backend: RawBackend; client: SocketClient }> {
  const backend = await RawBackend.start(onData);
  const front = await ProxyFront.start([backend.backend], options);
  const client = await SocketClient.open(front.port);
  t.after(() => {
    client.close();
    front.stop();
    backend.stop();
  });
  return { front, backend, client };
}

/** Calls `onBlock` for what comes behind the request, having switched. */
function switching(onBlock: (socket: RawConnection['socket'], block: Buffer) => void) {
  const switched = new Set<RawConnection>();
  return (connection: RawConnection, block: Buffer): void => {
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

/** A masked text frame of a client (RFC 6455 section 5.2). */
function clientFrame(text: string): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const content = Buffer.from(text).map((byte, i) => byte ^ (mask[i % 4] as number));
  return Buffer.concat([Buffer.from([0x81, 0x80 | content.length]), mask, content]);
}

/** A WebSocket server that echoes each frame of less than 126 bytes. */
function echoFrames(connection: RawConnection): void {
  const headEnd = connection.received.indexOf('\r\n\r\n');
  if (headEnd >= 0) {
    const key = /sec-websocket-key: (\S+)/i.exec(connection.received)?.[1];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    connection.socket.write(`${SWITCH}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    connection.received = connection.received.slice(headEnd + 4);
  }
  for (;;) {
    const frame = Buffer.from(connection.received, 'latin1');
    const length = (frame[1] ?? 0) & 0x7f;
    if (frame.length < 6 + length) return;
    connection.received = connection.received.slice(6 + length);
    const content = frame.subarray(6, 6 + length).map((byte, i) => byte ^ (frame[2 + (i % 4)] as number));
    connection.socket.write(Buffer.concat([Buffer.from([0x81, length]), content]));
  }
}

describe('an upgraded connection', () => {
  it('carries a WebSocket', async (t) => {
    const { client, front, backend } = await inFront(t, echoFrames);
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
    assert.deepEqual([front.answered, backend.connections.length], [[101], 1]);
  });

  it('asks the backend for the same protocol', async (t) => {
    const { client, backend } = await inFront(t, () => {});
    client.send(HANDSHAKE);
    await eventually('the request is there', () => backend.connections[0]?.received.endsWith('\r\n\r\n') === true);
    assert.match(backend.connections[0]?.received ?? '', /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
  });

  it('loses nothing that came early, from either side', async (t) => {
    const { client } = await inFront(t, (connection, block) => {
      const text = block.toString('latin1');
      if (connection.socket.bytesWritten === 0) connection.socket.write(`${SWITCH}\r\nwelcome `);
      if (text.endsWith('early')) connection.socket.write('got early');
    });
    client.send(`${HANDSHAKE}early`);
    await client.until(/\r\n\r\nwelcome got early$/);
  });

  it('is an ordinary response when the backend declines', async (t) => {
    const { client, front } = await inFront(t, ({ socket }) =>
      socket.write(
        'HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno',
      ),
    );
    client.send(HANDSHAKE);
    await client.until(/^HTTP\/1\.1 426 [\s\S]*no$/);
    assert.doesNotMatch(client.received, /^upgrade:/im);
    assert.deepEqual(front.failures, []);
  });

  for (const [what, upgrade] of [
    ['another protocol than was asked for', 'Upgrade: tls/1.0\r\n'],
    ['no protocol', ''],
  ]) {
    it(`gets 502 when the backend switches to ${what}`, async (t) => {
      const { client } = await inFront(t, ({ socket }) =>
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${upgrade}\r\nHTTP/1.1 200 OK\r\n\r\n`,
        ),
      );
      client.send(HANDSHAKE);
      await client.until(/^HTTP\/1\.1 502 /);
    });
  }

  it('is never HTTP/2 without TLS', async (t) => {
    const { client, backend } = await inFront(t, ({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    client.send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n',
    );
    await client.until(/ok$/);
    assert.doesNotMatch(backend.connections[0]?.received ?? '', /upgrade|h2c|settings/i);
  });

  it('ends at one side when the other has ended, behind what is under way', async (t) => {
    const { client, backend } = await inFront(
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

  it('stays open in one direction when a side ends only its own', async (t) => {
    const { client, backend } = await inFront(
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

  for (const side of ['client', 'backend'] as const) {
    it(`is cut at both sides when the ${side} is reset`, async (t) => {
      const { client, backend } = await inFront(
        t,
        switching(() => {}),
      );
      client.send(HANDSHAKE);
      await client.until(/\r\n\r\n$/);
      const socket = (backend.connections[0] as RawConnection).socket;
      if (side === 'client') {
        client.socket.resetAndDestroy();
        await eventually('the backend sees it', () => socket.readableEnded || socket.destroyed);
      } else {
        socket.resetAndDestroy();
        await client.untilClosed();
      }
    });
  }

  it('makes the sender wait while the receiver does not read, both ways', async (t) => {
    const { client, backend } = await inFront(
      t,
      switching(() => {}),
    );
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    const { socket } = backend.connections[0] as RawConnection;
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

  it('is closed when nothing passes for as long as may be', async (t) => {
    const { client } = await inFront(
      t,
      switching(() => {}),
      { tunnelIdleTimeoutMs: 100 },
    );
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    await client.untilClosed();
  });

  it('outlives a stop of the proxy, but not its end', async (t) => {
    const { client, front } = await inFront(
      t,
      switching((socket, block) => void socket.write(block)),
    );
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n$/);
    front.proxy.stop();
    client.send('still');
    await client.until(/still$/);
    front.proxy.destroy();
    await client.untilClosed();
  });
});
