import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Connections } from '../../src/http/http1/http1-server.ts';
import { Response } from '../../src/http/response.ts';
import { UpgradeResponse } from '../../src/http/upgrade-response.ts';
import { SocketClient, within } from '../support/socket-client.ts';

const UPGRADE = 'Connection: keep-alive, Upgrade\r\nUpgrade: echo\r\n';

describe('an upgrade', () => {
  let server: Server;
  let connections: Connections;
  let port: number;

  before(async () => {
    connections = new Connections({
      handle: (request) =>
        request.path === '/echo' && request.upgrades
          ? new UpgradeResponse('echo', ['X-Echo', 'yes'], echo)
          : Response.text(200, `ordinary ${request.path}\n`),
      limits: {},
      onAnswered: null,
      onError(error) {
        throw error;
      },
    });
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      connections.accept(socket, 0),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });

  after(() => {
    server.close();
    connections.destroy();
  });

  it('hands the socket over with what came behind the request', async () => {
    const client = await SocketClient.open(port);
    client.send(`GET /echo HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\nearly`);
    await client.until(
      /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Echo: yes\r\n\r\nearly$/,
    );
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/earlyGET \/ HTTP\/1\.1\r\nHost: a\r\n\r\n$/);
    client.close();
  });

  it('forgets a connection that was handed over: it does not hold up a stop', async () => {
    const client = await SocketClient.open(port);
    client.send(`GET /echo HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`);
    await client.until(/101/);
    assert.equal(connections.size, 0);
    client.close();
  });

  const ordinary: [string, string][] = [
    ['the handler declines', `GET /other HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`],
    ['Upgrade is not named in Connection', 'GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n'],
    ['the request is HTTP/1.0', `GET /echo HTTP/1.0\r\nHost: a\r\n${UPGRADE}\r\n`],
    ['the request has content', `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${UPGRADE}\r\nx`],
  ];
  for (const [when, request] of ordinary) {
    it(`answers as usual when ${when}`, async () => {
      const client = await SocketClient.open(port);
      client.send(request);
      await within(10_000, 'the answer', () => client.until(/ordinary \/\w+\n$/));
      assert.match(client.received, /^HTTP\/1\.1 200 /);
      client.close();
    });
  }
});

function echo(socket: Socket, early: Buffer): void {
  assert.equal(socket.writableHighWaterMark, 16_384, 'on every Node');
  socket.write(early);
  socket.on('data', (block) => socket.write(block));
  socket.on('error', () => {});
  socket.resume();
}
