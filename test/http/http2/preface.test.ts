import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Http1Server } from '../../../src/http/http1/http1-server.ts';
import type { Peer } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { readSocket } from '../../../src/http/transport/socket-reader.ts';
import { SocketClient } from '../../support/socket-client.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

type Hook = (socket: Socket, early: Buffer, listener: number, peer: Peer) => void;

async function serve(t: TestContext, hook: Hook | null): Promise<{ client: SocketClient; connections: Http1Server }> {
  const connections = new Http1Server({
    handle: () => Response.text(200, 'one\n'),
    limits: {},
    onAnswered: null,
    onError(error) {
      throw error;
    },
    ...(hook === null ? {} : { onHttp2Preface: hook }),
  });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    connections.accept(socket, 7),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = await SocketClient.open((server.address() as AddressInfo).port);
  t.after(() => {
    client.close();
    server.close();
    connections.destroy();
  });
  return { client, connections };
}

/** Sends the listener and the client's address, then all input. */
const echo: Hook = (socket, early, listener, peer) => {
  socket.unshift(early);
  socket.write(`${listener} ${peer.remoteAddress} `);
  socket.on('data', (block) => socket.write(block));
  socket.on('error', () => {});
  socket.resume();
};

describe('HTTP/2 with prior knowledge', () => {
  it('is handed over with all received bytes', async (t) => {
    const { client, connections } = await serve(t, echo);
    client.send(`${PREFACE}frames`);
    await client.until(/^7 127\.0\.0\.1 PRI \* HTTP\/2\.0\r\n\r\nSM\r\n\r\nframes$/);
    assert.equal(connections.size, 0);
    client.send('more');
    await client.until(/framesmore$/);
  });

  it('is handed over when the preface comes in pieces', async (t) => {
    const { client } = await serve(t, echo);
    await client.trickle(PREFACE, 1);
    await client.until(/ PRI \* HTTP\/2\.0\r\n\r\nSM\r\n\r\n$/);
  });

  it('can be read through a receiver again, in order', async (t) => {
    const { client } = await serve(t, (socket, early) => {
      socket.unshift(early);
      const again = readSocket<NonNullable<ReturnType<typeof readSocket>['receiver']>>(socket);
      assert.equal(again, socket);
      again.receiver = {
        receive: (bytes, length) => again.write(Buffer.from(bytes.subarray(0, length))),
        inputEnded() {},
        drained() {},
        closed() {},
      };
      again.resume();
    });
    client.send(PREFACE);
    await client.until(/^PRI [\s\S]*SM\r\n\r\n$/);
    client.send('more');
    await client.until(/SM\r\n\r\nmore$/);
  });

  it('is answered with 505 when the server has no HTTP/2', async (t) => {
    const { client } = await serve(t, null);
    client.send(PREFACE);
    assert.equal(await client.untilClosed(), 505);
  });

  for (const [when, octets, status] of [
    ['it comes after a request', `${REQUEST}${PREFACE}`, 200],
    ['an empty line comes before it', `\r\n${PREFACE}`, 505],
    ['the version is another', 'PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n', 505],
    ['the method is another', 'GET * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ] as const) {
    it(`is not recognised when ${when}`, async (t) => {
      const { client } = await serve(t, () => assert.fail('handed over'));
      client.send(octets);
      assert.equal(await client.untilClosed(), status);
      if (status === 200) assert.match(client.received, /HTTP\/1\.1 505 /);
    });
  }
});
