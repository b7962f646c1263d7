import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { Http2Server } from '../../../src/http/http2/http2-server.ts';
import type { BodySource } from '../../../src/http/message.ts';
import { RequestBodyError } from '../../../src/http/refusal.ts';
import { Response } from '../../../src/http/response.ts';
import type { HttpLimits } from '../../../src/http/transport/limits.ts';
import type { ConnectionOptions } from '../../../src/http/transport/server-context.ts';
import { attachSocket, detachSocket, readSocket } from '../../../src/http/transport/socket-reader.ts';
import {
  DATA,
  END_HEADERS,
  ENHANCE_YOUR_CALM,
  FrameClient,
  fields,
  frame,
  GOAWAY,
  HEADERS,
  request,
  SETTINGS,
  section,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

const LONG = 20_000;
const NO_ERROR = 0;

describe('an HTTP/2 connection', () => {
  const eachTest = eachTestLifetime();

  function start(limits: Partial<HttpLimits>, handle: ConnectionOptions['handle']): Promise<TestServer> {
    const all = { headerTimeoutMs: LONG, bodyTimeoutMs: LONG, keepAliveTimeoutMs: LONG, writeTimeoutMs: LONG };
    return serveHandler(eachTest, handle, { protocol: 'HTTP/2', limits: { ...all, ...limits } });
  }
  const hello = () => Response.text(200, 'hello\n');

  it('ends when no request comes', async () => {
    const { port } = await start({ headerTimeoutMs: 100 }, hello);
    const client = await FrameClient.open(port);
    assert.equal(await client.untilClosed(), NO_ERROR);
  });

  it('ends when its preface does not come', async () => {
    const { port, connections } = await start({ headerTimeoutMs: 100 }, hello);
    const socket = connect(port, '127.0.0.1').resume();
    await once(socket, 'connect');
    socket.write('PRI * HT');
    await once(socket, 'close');
    await eventually('the server has forgotten the connection', () => connections.size === 0);
  });

  it('ends when something other than the preface comes', async () => {
    const { port } = await start({}, hello);
    const socket = connect(port, '127.0.0.1').resume();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'close');
  });

  it('ends when a header section starts and does not end', async () => {
    const { port } = await start({ headerTimeoutMs: 100 }, () => new Promise(() => {}));
    const client = await FrameClient.open(port);
    client.send(request(1), frame(HEADERS, 0, 3, section(fields())));
    assert.equal(await client.untilClosed(), ENHANCE_YOUR_CALM);
  });

  it('ends when it is idle for too long', async () => {
    const { port } = await start({ keepAliveTimeoutMs: 100 }, hello);
    const client = await FrameClient.open(port);
    client.send(request(1));
    await client.until('the answer', ({ type, id }) => type === DATA && id === 1);
    assert.equal(await client.untilClosed(), NO_ERROR);
  });

  it('answers 408 and continues when content does not come', async () => {
    let failure: Error | null = null;
    const server = await start({ bodyTimeoutMs: 100 }, ({ body }) => {
      if (body === null) return hello();
      return new Promise((_, reject) => {
        const fail = (error: Error) => {
          failure = error;
          reject(error);
        };
        body.start({ write() {}, end() {}, fail });
      });
    });
    const client = await FrameClient.open(server.port);
    client.send(request(1, fields({ ':method': 'POST' }), END_HEADERS), frame(DATA, 0, 1, 'some'));
    const answer = await client.until('the answer', ({ type, id }) => type === DATA && id === 1);
    assert.match(answer.payload.toString(), /^408 Request Timeout: /);
    assert.ok((failure as Error | null) instanceof RequestBodyError);
    assert.deepEqual(
      server.answered.map(({ status }) => status),
      [408],
    );
    client.send(request(3));
    await client.until('another answer', ({ type, id }) => type === DATA && id === 3);
    client.close();
  });

  it('is cut when its client takes nothing from its socket', async () => {
    const server = await start({ writeTimeoutMs: 200 }, () => Response.fromHeaders(200, [], Buffer.alloc(60_000_000)));
    const window = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
    const client = await FrameClient.open(server.port, frame(SETTINGS, 0, 0, window));
    client.send(frame(8, 0, 0, Buffer.from([0x7f, 0, 0, 0])), request(1));
    await client.until('the start of the answer', ({ type, id }) => type === DATA && id === 1);
    client.socket.pause();
    await eventually('the server gives up', () => server.connections.size === 0);
    assert.equal(server.answered.length, 1);
    client.close();
  });

  it('waits when a response pauses for long', async () => {
    const source = (): BodySource => ({
      start(sink) {
        sink.write(Buffer.from('first '));
        setTimeout(() => {
          sink.write(Buffer.from('last'));
          sink.end();
        }, 600);
      },
      pause() {},
      resume() {},
      cancel() {},
    });
    const server = await start({ writeTimeoutMs: 100, bodyTimeoutMs: 100, keepAliveTimeoutMs: 100 }, () =>
      Response.fromHeaders(200, [], source()),
    );
    const client = await FrameClient.open(server.port);
    client.send(request(1));
    await client.until('the end', ({ type, id, flags }) => type === DATA && id === 1 && (flags & 1) === 1);
    assert.equal(client.received(1), 10);
    assert.equal(client.goaway, -1);
    client.close();
  });

  it('finishes its requests when the server drains, and refuses new ones', async () => {
    const waiting: ((response: Response) => void)[] = [];
    const server = await start({}, () => new Promise((resolve) => waiting.push(resolve)));
    const [idle, busy] = [await FrameClient.open(server.port), await FrameClient.open(server.port)];
    busy.send(request(1));
    await eventually('the request arrives', () => waiting.length === 1 && server.connections.size === 2);
    let drained = false;
    const drain = server.connections.drain().then(() => {
      drained = true;
    });
    assert.equal(await idle.untilClosed(), NO_ERROR);
    await busy.until('GOAWAY', ({ type }) => type === GOAWAY);
    busy.send(request(3));
    assert.equal(drained, false);
    waiting[0]?.(hello());
    await busy.until('the answer', ({ type, id }) => type === DATA && id === 1);
    assert.equal(await busy.untilClosed(), NO_ERROR);
    await drain;
    assert.equal(waiting.length, 1);
  });

  it('continues with bytes that were read before', async () => {
    const connections = new Http2Server({ handle: hello, limits: {}, onAnswered: null, onError() {} });
    const server = createServer({ allowHalfOpen: true }, (socket) =>
      socket.once('data', (early: Buffer) => {
        socket.pause();
        setImmediate(() => connections.accept(socket, 0, null, early));
      }),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    eachTest.after(() => {
      server.close();
      connections.destroy();
    });
    const client = await FrameClient.open((server.address() as AddressInfo).port);
    client.send(request(1));
    await client.until('the answer', ({ type, id }) => type === DATA && id === 1);
    client.close();
    await eventually('the server has forgotten the connection', () => connections.size === 0);
  });

  it('continues where another reader of the socket stopped', async () => {
    const connections = new Http2Server({ handle: hello, limits: {}, onAnswered: null, onError() {} });
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
      const socket = readSocket(accepted);
      attachSocket(socket, {
        receive(bytes, length) {
          const early = Buffer.from(bytes.subarray(0, length));
          detachSocket(socket);
          connections.accept(socket, 0, null, early);
        },
        inputEnded() {},
        drained() {},
        closed() {},
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    eachTest.after(() => {
      server.close();
      connections.destroy();
    });
    const client = await FrameClient.open((server.address() as AddressInfo).port);
    client.send(request(1));
    await client.until('the answer', ({ type, id }) => type === DATA && id === 1);
    client.send(request(3));
    await client.until('another', ({ type, id }) => type === DATA && id === 3);
    client.close();
    await eventually('the server has forgotten the connection', () => connections.size === 0);
  });

  it('is refused beyond the limit, which other protocols share', async () => {
    let elsewhere = 0;
    const options = { handle: hello, limits: {}, connectionsMax: 2, onAnswered: null, onError() {} };
    const connections = new Http2Server(options, () => elsewhere);
    const server = createServer({ allowHalfOpen: true }, (socket) => connections.accept(socket, 0)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    eachTest.after(() => {
      server.close();
      connections.destroy();
    });
    const { port } = server.address() as AddressInfo;
    const first = await FrameClient.open(port);
    elsewhere = 1;
    await assert.rejects(FrameClient.open(port), /closed before SETTINGS/);
    elsewhere = 0;
    const second = await FrameClient.open(port);
    assert.equal(connections.size, 2);
    first.close();
    second.close();
  });

  it('is read correctly when its bytes come one by one', async () => {
    const { port } = await start({}, hello);
    const client = await FrameClient.open(port);
    for (const byte of Buffer.concat([request(1), request(3)])) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until('the last answer', ({ type, id }) => type === DATA && id === 3);
    client.close();
  });
});
