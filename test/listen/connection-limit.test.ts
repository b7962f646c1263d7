import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { Response } from '../../src/http/response.ts';
import { UpgradeResponse } from '../../src/http/upgrade-response.ts';
import { ConnectionLimit } from '../../src/listen/connection-limit.ts';
import { FrameClient } from '../support/http2-frames.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { serveHandler, type TestServer } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

describe('ConnectionLimit', () => {
  it('counts addresses separately, of IPv6 by /64, and forgets addresses without connections', () => {
    const limit = new ConnectionLimit({ perAddressMax: 2 });
    const accepts = (...addresses: string[]) => addresses.map((address) => limit.accept(address));
    assert.deepEqual(accepts('192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'), [true, true, false, true]);
    assert.deepEqual(accepts('2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'), [
      true,
      true,
      false,
      true,
    ]);
    limit.release('192.0.2.1');
    assert.deepEqual(accepts('192.0.2.1', '192.0.2.1'), [true, false]);
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1']) {
      limit.release(address);
    }
    assert.equal(limit.size, 0);
  });

  it('limits neither Unix sockets nor exempt addresses', () => {
    const limit = new ConnectionLimit({ perAddressMax: 1, exempt: (address) => address === '10.0.0.1' });
    for (let i = 0; i < 5; i += 1) {
      assert.equal(limit.accept(''), true);
      assert.equal(limit.accept('10.0.0.1'), true);
    }
  });

  it('continues to count when the limit or the exempt addresses change', () => {
    let exempt = '';
    const limit = new ConnectionLimit({ perAddressMax: 1, exempt: (address) => address === exempt });
    assert.equal(limit.accept('192.0.2.1'), true);
    limit.perAddressMax = 2;
    assert.deepEqual([limit.accept('192.0.2.1'), limit.accept('192.0.2.1')], [true, false]);
    exempt = '192.0.2.1';
    assert.equal(limit.accept('192.0.2.1'), true);
    limit.release('192.0.2.1');
    exempt = '';
    limit.release('192.0.2.1');
    assert.deepEqual([limit.accept('192.0.2.1'), limit.accept('192.0.2.1')], [true, false]);
    for (let i = 0; i < 2; i += 1) limit.release('192.0.2.1');
    assert.equal(limit.size, 0);
  });
});

describe('connections beyond the limit of their address', () => {
  const eachTest = eachTestLifetime();
  let server: TestServer;

  it('are closed at once when they use HTTP/2 with prior knowledge', async (t) => {
    const admission = new ConnectionLimit({ perAddressMax: 1 });
    const http2 = await serveHandler(t, () => Response.text(200, 'served\n'), { protocol: 'HTTP/2', admission });
    const first = await FrameClient.open(http2.port);
    await assert.rejects(FrameClient.open(http2.port), /closed before SETTINGS/);
    first.close();
    await eventually('the first connection is forgotten', () => admission.size === 0);
    (await FrameClient.open(http2.port)).close();
  });

  it('are closed at once while other addresses are served, and accepted again when one has closed', async () => {
    const admission = new ConnectionLimit({ perAddressMax: 2 });
    server = await serveHandler(eachTest, () => Response.text(200, 'served\n'), { admission });
    const [first, second] = [await SocketClient.open(server.port), await SocketClient.open(server.port)];
    const third = await SocketClient.open(server.port);
    assert.equal(await third.untilClosed(), 0);

    const other = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    other.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const [answer] = (await once(other, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 200/);

    first.close();
    await eventually('the first connection is forgotten', () => server.connections.size === 1);
    const fourth = await SocketClient.open(server.port);
    fourth.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await fourth.until(/served/);
    for (const client of [second, fourth]) client.close();
    await eventually('all connections are forgotten', () => admission.size === 0);
  });

  it('count until the socket closes, even when a handler took it over', async () => {
    const admission = new ConnectionLimit({ perAddressMax: 1 });
    const handle = () => new UpgradeResponse('echo', [], (socket) => socket.pipe(socket));
    server = await serveHandler(eachTest, handle, { admission });
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await client.until(/101/);
    assert.equal(server.connections.size, 0);
    assert.equal(await (await SocketClient.open(server.port)).untilClosed(), 0);
    client.close();
    await eventually('the connection is forgotten', () => admission.size === 0);
  });
});
