import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { before, describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { UpgradeResponse } from '../../src/http/upgrade-response.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { serveHandler, type TestServer } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';
import { PATIENCE_MS, within } from '../support/wait.ts';

const UPGRADE = 'Connection: keep-alive, Upgrade\r\nUpgrade: echo\r\n';

describe('an upgrade', () => {
  const suite = suiteLifetime();
  let server: TestServer;
  let port: number;

  before(async () => {
    const handle = (request: Request) =>
      request.path === '/echo' && request.upgrades
        ? new UpgradeResponse('echo', ['X-Echo', 'yes'], echo)
        : Response.text(200, `ordinary ${request.path}\n`);
    server = await serveHandler(suite, handle, {
      onAnswered: null,
      onError(error) {
        throw error;
      },
    });
    port = server.port;
  });

  it('hands over the socket with the bytes after the request', async () => {
    const client = await SocketClient.open(port);
    client.send(`GET /echo HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\nearly`);
    await client.until(
      /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Echo: yes\r\n\r\nearly$/,
    );
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/earlyGET \/ HTTP\/1\.1\r\nHost: a\r\n\r\n$/);
    client.close();
  });

  it('removes the connection from the server, so that it does not delay a stop', async () => {
    const client = await SocketClient.open(port);
    client.send(`GET /echo HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`);
    await client.until(/101/);
    assert.equal(server.connections.size, 0);
    client.close();
  });

  const ordinary: [string, string][] = [
    ['the handler declines', `GET /other HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`],
    ['Connection does not name Upgrade', 'GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n'],
    ['the request is HTTP/1.0', `GET /echo HTTP/1.0\r\nHost: a\r\n${UPGRADE}\r\n`],
    ['the request has content', `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${UPGRADE}\r\nx`],
  ];
  for (const [when, request] of ordinary) {
    it(`is ignored when ${when}`, async () => {
      const client = await SocketClient.open(port);
      client.send(request);
      await within(PATIENCE_MS, 'the answer', () => client.until(/ordinary \/\w+\n$/));
      assert.match(client.received, /^HTTP\/1\.1 200 /);
      client.close();
    });
  }
});

function echo(socket: Duplex, early: Buffer): void {
  assert.equal(socket.writableHighWaterMark, 16_384, 'on every Node');
  socket.write(early);
  socket.on('data', (block) => socket.write(block));
  socket.on('error', () => {});
  socket.resume();
}
