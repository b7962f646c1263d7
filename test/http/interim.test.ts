import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, it, type TestContext } from 'node:test';
import { deriveRequest } from '../../src/http/derived-request.ts';
import type { HandlerResult } from '../../src/http/handler.ts';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { openRequest, PROTOCOLS } from '../support/http-client.ts';
import { encode } from '../support/http-message.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';

const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const LINES = 'Link: </a>\r\n';
const DONE = Response.text(200, 'done');

function start(t: TestContext, protocol: 'HTTP/1.1' | 'HTTP/2', handle: (request: Request) => HandlerResult) {
  return serveHandler(t, handle, { protocol });
}

/** A response that comes when `answer` is called. */
function later(): { readonly answer: () => void; readonly response: Promise<Response> } {
  let answer = (): void => {};
  const response = new Promise<Response>((resolve) => {
    answer = () => resolve(Response.text(200, 'done'));
  });
  return { answer, response };
}

describe('an interim response', () => {
  it('is sent at once, in the order of the calls', async (t) => {
    const { answer, response } = later();
    const server = await start(t, 'HTTP/1.1', (request) => {
      request.sendInterim(102, '');
      request.sendInterim(103, LINES);
      return response;
    });
    const client = await SocketClient.open(server.port);
    client.send(encode('/'));
    await client.until(/Link/);
    assert.equal(client.received, `HTTP/1.1 102 Processing\r\n\r\n${HINT}`);
    answer();
    await client.untilClosed();
    assert.match(client.received, /\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*done$/);
  });

  it('reaches the client of a request that handlers have changed', async (t) => {
    const server = await start(t, 'HTTP/1.1', (request) => {
      deriveRequest(deriveRequest(request, { path: '/b' }), { headers: [] }).sendInterim(103, LINES);
      return DONE;
    });
    const client = await SocketClient.open(server.port);
    client.send(encode('/'));
    await client.untilClosed();
    assert.ok(client.received.startsWith(`${HINT}HTTP/1.1 200 OK`));
  });

  it('comes directly before its own response when requests are pipelined', async (t) => {
    const server = await start(t, 'HTTP/1.1', async (request) => {
      const { path } = request;
      request.sendInterim(103, `Link: <${path}>\r\n`);
      return Response.text(200, `done ${path}`);
    });
    const client = await SocketClient.open(server.port);
    client.send(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${encode('/2').toString('latin1')}`);
    await client.untilClosed();
    assert.match(
      client.received,
      /^[^<]*103[^<]*<\/1>[^<]*200[^<]*done \/1HTTP\/1.1 103[^<]*<\/2>[^<]*200[^<]*done \/2/,
    );
  });

  it('is not sent when its request is answered and the next request of the connection runs', async (t) => {
    let first: Request | null = null;
    const server = await start(t, 'HTTP/1.1', (request) => {
      first?.sendInterim(103, LINES);
      first ??= request;
      return DONE;
    });
    const client = await SocketClient.open(server.port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${encode('/').toString('latin1')}`);
    await client.untilClosed();
    assert.doesNotMatch(client.received, /103/);
  });

  for (const protocol of PROTOCOLS) {
    it(`does no harm when the client has left: ${protocol}`, async (t) => {
      let onLeft = (_request: Request): void => {};
      const left = new Promise<Request>((resolve) => {
        onLeft = resolve;
      });
      let called = (): void => {};
      const running = new Promise<void>((resolve) => {
        called = resolve;
      });
      const server = await start(t, protocol, (request) => {
        request.onGone = () => onLeft(request);
        called();
        return new Promise(() => {});
      });
      const channel = openRequest(protocol, server.port, 'GET', '/');
      channel.upload.end();
      await running;
      channel.abandon();
      (await left).sendInterim(103, LINES);
      assert.deepEqual(server.errors, []);
    });
  }

  it('is dropped when the client does not read', async (t) => {
    const count = 5_000;
    const line = `X-Long: ${'x'.repeat(5000)}\r\n`;
    const server = await start(t, 'HTTP/1.1', (request) => {
      for (let i = 0; i < count; i += 1) request.sendInterim(103, line);
      return DONE;
    });
    const client = await SocketClient.open(server.port);
    client.send(encode('/'));
    await client.untilClosed();
    const sent = client.received.split('HTTP/1.1 103').length - 1;
    assert.ok(sent > 0 && sent < count, `${sent} were sent`);
    assert.match(client.received, /\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*done$/);
  });

  it('is sent at most 32 times for one request over HTTP/2', async (t) => {
    const server = await start(t, 'HTTP/2', (request) => {
      for (let i = 0; i < 100; i += 1) request.sendInterim(103, LINES);
      return DONE;
    });
    const session = connect(`http://127.0.0.1:${server.port}`);
    t.after(() => session.destroy());
    const stream = session.request();
    let sent = 0;
    stream.on('headers', () => {
      sent += 1;
    });
    stream.resume();
    const [fields] = await once(stream, 'response');
    assert.deepEqual([fields[':status'], sent], [200, 32]);
  });

  it('has only the fields that HTTP/2 allows, and only the first value of a field that cannot repeat', async (t) => {
    const server = await start(t, 'HTTP/2', (request) => {
      request.sendInterim(103, 'Link: </a>\r\nLink: </b>\r\nHTTP2-Settings: x\r\nETag: "1"\r\nETag: "2"\r\n');
      return DONE;
    });
    const session = connect(`http://127.0.0.1:${server.port}`);
    t.after(() => session.destroy());
    const [fields] = await once(session.request(), 'headers');
    assert.deepEqual(Object.fromEntries(Object.entries(fields)), { ':status': 103, link: '</a>, </b>', etag: '"1"' });
  });
});
