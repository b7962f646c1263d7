import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Http1Server } from '../../src/http/http1/http1-server.ts';
import { Http2Server } from '../../src/http/http2/http2-server.ts';
import { Response } from '../../src/http/response.ts';
import type { ConnectionOptions } from '../../src/http/transport/server-context.ts';
import { DeferredProtocol } from '../../src/server/deferred-protocol.ts';
import { SocketClient } from '../support/socket-client.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
/** The acknowledgement of the settings. */
const ACKNOWLEDGED = new RegExp(Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]).toString('latin1'));

interface Served {
  readonly port: number;
  readonly protocol: DeferredProtocol<Http2Server>;
  readonly errors: unknown[];
  /** Ends the loading of the code. */
  readonly load: (error?: Error) => void;
  loads: number;
}

async function serve(t: TestContext): Promise<Served> {
  let load: Served['load'] = () => {};
  const errors: unknown[] = [];
  const options: ConnectionOptions = {
    handle: () => Response.text(200, 'one\n'),
    limits: {},
    onAnswered: null,
    onError: (error) => errors.push(error),
  };
  const protocol = new DeferredProtocol<Http2Server>(
    () => {
      served.loads += 1;
      return new Promise((resolve, reject) => {
        load = (error) => (error === undefined ? resolve(new Http2Server(options)) : reject(error));
      });
    },
    (error) => errors.push(error),
  );
  const http1 = new Http1Server({
    ...options,
    onHttp2Preface: (socket, early, listener, peer) =>
      protocol.pass(socket, (server) => server.accept(socket, listener, peer, early)),
  });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => http1.accept(socket, 0));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    http1.destroy();
    protocol.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const served: Served = { port, protocol, errors, load: (error) => load(error), loads: 0 };
  return served;
}

async function loading(served: Served, count = 1): Promise<void> {
  while (served.loads < count) await new Promise(setImmediate);
}

describe('a protocol whose code is not loaded yet', () => {
  it('serves connections that have waited, with what arrived meanwhile', async (t) => {
    const served = await serve(t);
    const client = await SocketClient.open(served.port);
    client.send(PREFACE);
    await loading(served);
    client.send(SETTINGS);
    await new Promise(setImmediate);
    served.load();
    await client.until(ACKNOWLEDGED);
    assert.equal(served.protocol.size, 1);
    client.close();
  });

  it('loads it once for several connections', async (t) => {
    const served = await serve(t);
    const clients = [await SocketClient.open(served.port), await SocketClient.open(served.port)];
    for (const client of clients) client.send(PREFACE);
    await loading(served);
    served.load();
    for (const client of clients) {
      client.send(SETTINGS);
      await client.until(ACKNOWLEDGED);
      client.close();
    }
    assert.equal(served.loads, 1);
  });

  it('closes them, reports the error and tries again if the code cannot be loaded', async (t) => {
    const served = await serve(t);
    const first = await SocketClient.open(served.port);
    first.send(PREFACE);
    await loading(served);
    const error = new Error('no such file');
    served.load(error);
    await first.closed;
    assert.deepEqual(served.errors, [error]);
    const second = await SocketClient.open(served.port);
    second.send(PREFACE);
    await loading(served, 2);
    served.load();
    second.send(SETTINGS);
    await second.until(ACKNOWLEDGED);
    second.close();
  });

  it('closes them when the server stops', async (t) => {
    const served = await serve(t);
    const client = await SocketClient.open(served.port);
    client.send(PREFACE);
    await loading(served);
    await served.protocol.drain();
    await client.closed;
    served.load();
    await new Promise(setImmediate);
    assert.equal(served.protocol.size, 0);
  });
});
