import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { ReverseProxyOptions } from '../../src/proxy/reverse-proxy-options.ts';
import { type BackendConnection, startBackend, type TestBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { parseAnswer } from '../support/http-message.ts';
import { type ProxyServer, serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

const MB = 1024 * 1024;

async function withProxy(
  t: TestContext,
  onData: (connection: BackendConnection, block: Buffer) => void,
  options: Partial<ReverseProxyOptions> = {},
): Promise<{ proxy: ProxyServer; backend: TestBackend }> {
  const backend = await startBackend(t, { onData });
  const proxy = await serveProxy(t, [backend.backend], options);
  return { proxy, backend };
}

/** Reproducible octets whose period differs from the block size. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i + 4 <= length; i += 4) bytes.writeUInt32LE((i * 2654435761) >>> 0, i);
  return bytes;
}

/** Whether a socket with pending data has written nothing for a while. */
async function waits(socket: Socket): Promise<boolean> {
  const before = socket.writableLength;
  await new Promise((resolve) => setTimeout(resolve, 100));
  return before > 0 && socket.writableLength === before;
}

describe('content of a request', () => {
  it('keeps its length, and arrives in one piece with the head when it is small', async (t) => {
    const blocks: string[] = [];
    const { proxy } = await withProxy(t, ({ socket }, block) => {
      blocks.push(block.toString('latin1'));
      if (blocks.join('').endsWith('hello')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
    assert.equal((await ask(proxy.port, '/', { method: 'POST', body: 'hello' })).status, 200);
    assert.match(blocks.join(''), /\r\nContent-Length: 5\r\n\r\nhello$/);
    assert.doesNotMatch(blocks.join(''), /transfer-encoding/i);
  });

  it('arrives in chunks without a length, with its trailers except meaningless ones', async (t) => {
    const { proxy, backend } = await withProxy(t, (connection) => {
      if (/\r\n0\r\n[\s\S]*\r\n\r\n$/.test(connection.received))
        connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
    const headers: [string, string][] = [
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'X-T'],
    ];
    const body = '3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\nAuthorization: x\r\n\r\n';
    assert.equal((await ask(proxy.port, '/', { method: 'POST', headers, body })).status, 200);
    assert.match(
      backend.connections[0]?.received ?? '',
      /\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\nX-T: 1\r\n\r\n$/,
    );
  });

  for (const [description, split] of [
    ['with its head', false],
    ['later', true],
  ] as const) {
    it(`brings its trailers along in a response when it comes ${description}`, async (t) => {
      const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
      const content = '5\r\nhello\r\n0\r\nX-Sum: abc\r\nSet-Cookie: a=b\r\n\r\n';
      const { proxy } = await withProxy(t, ({ socket }) => {
        if (split) socket.write(head, () => setImmediate(() => socket.write(content)));
        else socket.write(head + content);
      });
      const client = await SocketClient.open(proxy.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await client.untilClosed();
      assert.match(client.received, /\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: abc\r\n\r\n$/);
    });
  }

  it('is announced as empty for POST, PUT and PATCH', async (t) => {
    const { proxy, backend } = await withProxy(t, ({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    for (const method of ['POST', 'PUT', 'PATCH', 'GET', 'DELETE']) await ask(proxy.port, '/', { method });
    const heads = backend.connections
      .map(({ received }) => received)
      .join('')
      .split(/\r\n\r\n/)
      .filter(Boolean);
    assert.deepEqual(
      heads.map((head) => /Content-Length: 0/.test(head)),
      [true, true, true, false, false],
    );
  });

  it('arrives completely at a slow backend when it has 50 MB', async (t) => {
    const size = 50 * MB;
    const hash = createHash('sha256');
    let taken = 0;
    let headSeen = false;
    const { proxy } = await withProxy(t, ({ socket }, block) => {
      let content = block;
      if (!headSeen) {
        headSeen = true;
        content = block.subarray(block.indexOf('\r\n\r\n') + 4);
      }
      taken += content.length;
      hash.update(content);
      if (taken === size) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      else if (taken < 4 * MB) {
        socket.pause();
        setImmediate(() => socket.resume());
      }
    });
    const block = pattern(MB);
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
    const expected = createHash('sha256');
    for (let i = 0; i < 50; i += 1) {
      expected.update(block);
      if (!client.socket.write(block)) await once(client.socket, 'drain');
    }
    assert.equal(await client.untilClosed(), 200);
    assert.equal(hash.digest('hex'), expected.digest('hex'));
  });

  it('waits at the client while the backend does not read', async (t) => {
    const { proxy, backend } = await withProxy(t, ({ socket }) => socket.pause());
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${60 * MB}\r\n\r\n`);
    const block = pattern(MB);
    for (let i = 0; i < 60; i += 1) client.socket.write(block);
    await eventually('the backend has received the start', () => backend.connections.length === 1);
    await eventually('the client stalls', () => waits(client.socket));
    assert.ok(client.socket.writableLength > 40 * MB, 'neither we nor the kernel have taken it');
    backend.connections[0]?.socket.destroy();
  });

  it('causes 504 when the backend does not accept it in time', async (t) => {
    const { proxy } = await withProxy(t, ({ socket }) => socket.pause(), { idleTimeoutMs: 200 });
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${60 * MB}\r\n\r\n`);
    for (let i = 0; i < 60; i += 1) client.socket.write(pattern(MB));
    await client.until(/^HTTP\/1\.1 504 /);
    assert.match(proxy.failures[0] ?? '', /": send: the backend accepted no content/);
  });

  it('is not sent any more when the backend has refused it', async (t) => {
    const { proxy, backend } = await withProxy(t, (connection) => {
      if (connection.socket.bytesWritten === 0)
        connection.socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno\n');
    });
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${60 * MB}\r\n\r\n0123456789`);
    await client.until(/^HTTP\/1\.1 413 [\s\S]*no\n$/);
    await eventually('the connection is not kept', () => backend.connections[0]?.socket.readableEnded === true);
    assert.equal(proxy.failures.length, 0);
  });

  it('continues while a successful response has started', async (t) => {
    const { proxy } = await withProxy(t, ({ socket }, block) => {
      const text = block.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      if (head >= 0) socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const content = head >= 0 ? text.slice(head + 4) : text;
      if (content !== '') socket.write(`${content.length.toString(16)}\r\n${content}\r\n`);
      if (content.endsWith('!')) socket.write('0\r\n\r\n');
    });
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none');
    await client.until(/one\r\n$/);
    client.send('tw!');
    await client.until(/tw!\r\n0\r\n\r\n$/);
    assert.deepEqual([proxy.failures, proxy.errors], [[], []]);
  });

  it('ends the request at the backend when the client breaks it off', async (t) => {
    const { proxy, backend } = await withProxy(t, () => {});
    const client = await SocketClient.open(proxy.port);
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\none');
    await eventually('the backend has a part', () => backend.connections[0]?.received.endsWith('one') === true);
    client.close();
    await eventually('the request has ended', () => backend.connections[0]?.socket.readableEnded === true);
    assert.deepEqual([proxy.failures, proxy.errors], [[], []]);
  });

  it('causes 400 and ends the request at the backend when it is malformed', async (t) => {
    const { proxy, backend } = await withProxy(t, () => {});
    const headers: [string, string][] = [['Transfer-Encoding', 'chunked']];
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\n${headers[0]?.join(': ')}\r\n\r\n3\r\nabc\r\n`);
    await eventually('the backend has a part', () => backend.connections[0]?.received.includes('abc') === true);
    client.send('xyz\r\n');
    await client.until(/^HTTP\/1\.1 400 /);
    await eventually('the request has ended', () => backend.connections[0]?.socket.readableEnded === true);
    assert.deepEqual([proxy.failures, proxy.errors], [[], []]);
  });

  it('waits for 100 Continue, which the server sends when the backend is connected', async (t) => {
    const { proxy, backend } = await withProxy(t, (connection) => {
      if (connection.received.endsWith('hello'))
        connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send('hello');
    await client.until(/ok$/);
    assert.doesNotMatch(backend.connections[0]?.received ?? '', /expect/i);
  });
});

describe('content of a response', () => {
  for (const [framing, line] of [
    ['with a length', `Content-Length: ${20 * MB}\r\n`],
    ['in chunks', 'Transfer-Encoding: chunked\r\n'],
    ['until the end of the connection', ''],
  ] as const) {
    it(`arrives completely with 20 MB ${framing}`, async (t) => {
      const content = pattern(20 * MB);
      const { proxy } = await withProxy(t, ({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\n${line}\r\n`);
        for (let at = 0; at < content.length; at += MB) {
          const block = content.subarray(at, at + MB);
          if (framing === 'in chunks') socket.write(`${block.length.toString(16)}\r\n`);
          socket.write(block);
          if (framing === 'in chunks') socket.write('\r\n');
        }
        if (framing === 'in chunks') socket.write('0\r\n\r\n');
        if (line === '') socket.end();
      });
      const socket = connect({ port: proxy.port, host: '127.0.0.1' });
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const blocks: Buffer[] = [];
      for await (const block of socket) blocks.push(block as Buffer);
      const answer = parseAnswer(Buffer.concat(blocks).toString('latin1'), 'GET');
      assert.equal(answer.whole, true);
      assert.ok(Buffer.from(answer.body, 'latin1').equals(content));
    });
  }

  it('waits at the backend while the client does not read', async (t) => {
    const { proxy, backend } = await withProxy(t, ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${60 * MB}\r\n\r\n`);
      for (let i = 0; i < 60; i += 1) socket.write(pattern(MB));
    });
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/^HTTP\/1\.1 200 OK/);
    client.socket.pause();
    const { socket } = backend.connections[0] as BackendConnection;
    await eventually('the backend stalls', () => waits(socket));
    assert.ok(socket.writableLength > 40 * MB, 'neither we nor the kernel have taken it');
    client.socket.resume();
    await eventually('the whole content arrives', () => client.received.length > 60 * MB);
  });
});
