import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, it, type TestContext } from 'node:test';
import { headers } from '../../src/handlers/headers/headers.ts';
import { requestLimit } from '../../src/handlers/limits/request-limit.ts';
import { deriveRequest } from '../../src/http/derived-request.ts';
import type { Handler } from '../../src/http/handler.ts';
import type { BodySink, HeaderList, Request, RequestBody } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { startBackend, type TestBackend } from '../support/backend.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  HEADERS,
  section,
} from '../support/http2-frames.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';

/** What the handlers of a site say about the client. */
const ADDED = ['X-Remote-User', 'jane', 'X-Tenant', 'seven'];

function withAdded(request: Request): Request {
  const own = request.headers.filter((_, i) => !/^x-remote-user$/i.test(request.headers[i - (i % 2)] as string));
  return deriveRequest(request, { headers: [...own, ...ADDED] });
}

/** Reads the content of a request, then answers with its fields and its trailers. */
function answerFields(request: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    const answer = (): void => resolve(Response.text(200, JSON.stringify([request.headers, request.body?.trailers])));
    if (request.body === null) answer();
    else request.body.start({ write() {}, end: answer, fail: reject });
  });
}

describe('fields that Connection names', () => {
  for (const [value, gone] of [
    ['X-Remote-User', false],
    ['close, x-remote-user,\tX-Mine', true],
    ['keep-alive, X-TENANT', false],
  ] as const) {
    it(`are removed from what the client sent, not from what handlers added, when it is ${value}`, async (t) => {
      const heads: string[] = [];
      const backend = await startBackend(t, (head) => {
        heads.push(head);
        return NO_CONTENT;
      });
      const proxy = await serveProxy(t, [backend.backend], { derive: withAdded });
      const client = await SocketClient.open(proxy.port);
      const own = 'X-Remote-User: admin\r\nX-Mine: 1\r\nX-Kept: 2\r\n';
      const request = `GET / HTTP/1.1\r\nHost: a\r\nConnection: ${value}\r\n${own}\r\n`;
      client.send(request);
      await client.until(/204 No Content/);
      if (!value.startsWith('close')) client.send(request); // the head is in the connection's cache
      if (!value.startsWith('close')) await client.until(/204 No Content.*204 No Content/s);
      for (const head of heads) {
        for (const line of ['X-Remote-User: jane', 'X-Tenant: seven', 'X-Kept: 2'])
          assert.match(head, new RegExp(line));
        assert.doesNotMatch(head, /admin/);
        assert.equal(head.includes('X-Mine'), !gone);
      }
    });
  }

  it('never reach a handler', async (t) => {
    const server = await serveHandler(t, answerFields);
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine\r\nx-mine: 1\r\nX-Kept: 2\r\n\r\n');
    await client.untilClosed();
    assert.match(client.received, /\["Host","a","Connection","close, X-Mine","X-Kept","2"\]/);
  });

  for (const name of [
    'Host',
    'Content-Type',
    'Content-Length',
    'X-Forwarded-For',
    'x-forwarded-user',
    'Forwarded',
    'X-Real-IP',
  ]) {
    it(`stay when they are for all recipients: ${name}`, async (t) => {
      const server = await serveHandler(t, answerFields);
      const client = await SocketClient.open(server.port);
      const value = name === 'Content-Length' ? '0' : 'a';
      const host = name === 'Host' ? '' : 'Host: a\r\n';
      client.send(`POST / HTTP/1.1\r\n${host}Connection: close, ${name}\r\n${name}: ${value}\r\n\r\n`);
      await client.untilClosed();
      assert.ok(client.received.includes(`"${name}","${value}"`), client.received);
    });
  }
});

/** Trailers that must not be passed on, and one that may. */
const TRAILERS: HeaderList = [
  ...['X_User', 'root', 'X-Nominated', '1', 'X-Remote-User', 'root', 'Connection', 'close', 'Keep-Alive', 'timeout=1'],
  ...['X-Forwarded-For', '1.2.3.4', 'X_Forwarded-Proto', 'https', 'Forwarded', 'for=1.2.3.4', 'X-Real-IP', '1.2.3.4'],
  ...[
    'Proxy',
    'http://evil.example',
    'Proxy-Authorization',
    'x',
    'TE',
    'x',
    'Trailer',
    'x',
    'Upgrade',
    'x',
    'Expect',
    'x',
  ],
  ...[
    'Authorization',
    'x',
    'Cookie',
    'x',
    'Set-Cookie',
    'x',
    'Content-Type',
    'x',
    'If-Match',
    'x',
    'X-Accel-Redirect',
    '/x',
  ],
  ...['X-Sendfile', '/x', 'X-Checksum', 'abc'],
];
/** Those that a client of HTTP/2 can send (RFC 9113 section 8.2.2). */
const OF_HTTP2 = TRAILERS.filter(
  (_, i) => !/^(?:connection|keep-alive|te|upgrade)$/i.test(TRAILERS[i - (i % 2)] as string),
);

function linesOf(list: HeaderList): string {
  return list.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
}

/** Sends a request with content and trailers. */
async function post(protocol: 'HTTP/1.1' | 'HTTP/2', port: number): Promise<void> {
  if (protocol === 'HTTP/1.1') {
    const client = await SocketClient.open(port);
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Nominated\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${linesOf(TRAILERS)}\r\n`,
    );
    return void (await client.untilClosed());
  }
  const client = await FrameClient.open(port);
  const lower = OF_HTTP2.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text));
  const pairs = lower.flatMap((name, i) =>
    i % 2 === 0 && name !== 'x-nominated' ? [[name, lower[i + 1] as string] as const] : [],
  );
  client.send(
    frame(HEADERS, END_HEADERS, 1, section(fields({ ':method': 'POST' }))),
    frame(DATA, 0, 1, 'x'),
    frame(HEADERS, END_HEADERS | END_STREAM, 1, section(pairs)),
  );
  await client.until('the answer', ({ type, flags, id }) => id === 1 && type !== 3 && (flags & END_STREAM) !== 0);
  client.close();
}

/** Handlers, and the trailers of an answer with X-Secret and X-Checksum that pass them. */
const RULES: readonly (readonly [what: string, handler: Handler, passed: readonly string[]])[] = [
  ['remove', headers({ response: { remove: ['x-secret'] } }), ['x-checksum']],
  ['remove beside a change of the head', headers({ response: { remove: ['x-secret', 'X-Other'] } }), ['x-checksum']],
  ['set', headers({ response: { set: ['X-SECRET', 'ours'] } }), ['x-checksum']],
  ['set with a placeholder', headers({ response: { set: ['X-Secret', '{host}'] } }), ['x-checksum']],
  ['default', headers({ response: { defaults: ['X-Secret', 'ours', 'X-Other', '2'] } }), ['x-checksum']],
  ['add', headers({ response: { add: ['X-Secret', 'too'] } }), ['x-secret', 'x-checksum']],
  ['a limit of requests', requestLimit({ per: 'address', max: 1 }), ['x-secret', 'x-checksum']],
];

describe('trailers', () => {
  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) {
    it(`of a request reach a backend without fields that must not pass in a head, over ${protocol}`, async (t) => {
      const backend = await startChunked(t);
      const proxy = await serveProxy(t, [backend.backend], { derive: withAdded });
      await post(protocol, proxy.port);
      const content = backend.connections[0]?.received ?? '';
      const trailers = content.slice(content.indexOf('\r\n0\r\n') + 5).toLowerCase();
      assert.equal(trailers, 'x-checksum: abc\r\n\r\n');
    });

    it(`of a request reach a handler without these fields, except those that handlers set, over ${protocol}`, async (t) => {
      const seen: HeaderList[] = [];
      const server = await serveHandler(t, (request) => {
        const body = request.body as RequestBody;
        return answerFields(request).then((response) => {
          seen.push(body.trailers);
          return response;
        });
      });
      await post(protocol, server.port);
      assert.deepEqual(
        seen.map((list) => list.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text))),
        [['x-remote-user', 'root', 'x-checksum', 'abc']],
      );
    });
  }

  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) {
    it(`of a response reach the client without fields that must not pass in a head, over ${protocol}`, async (t) => {
      const lines = linesOf(TRAILERS.filter((_, i) => TRAILERS[i - (i % 2)] !== 'X-Remote-User'));
      const backend = await startBackend(
        t,
        () =>
          `HTTP/1.1 200 OK\r\nConnection: X-Nominated\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${lines}\r\n`,
      );
      const proxy = await serveProxy(t, [backend.backend], { protocol });
      assert.deepEqual(await trailersFrom(protocol, proxy.port), [['x-checksum', 'abc']]);
    });

    for (const [what, handler, passed] of RULES) {
      it(`of a response obey what handlers do to its head: ${what}, over ${protocol}`, async (t) => {
        const names = ['X-Secret', 'X-Checksum'];
        const body = {
          trailers: names.flatMap((name) => [name, 'abc']),
          start(sink: BodySink) {
            sink.write(Buffer.from('x'));
            sink.end();
          },
          pause() {},
          resume() {},
          cancel() {},
        };
        const answer = () => Response.fromHeaders(200, ['X-Other', '1'], body);
        const server = await serveHandler(t, (request) => handler(request, answer), { protocol });
        assert.deepEqual(
          (await trailersFrom(protocol, server.port)).map(([name]) => name),
          passed,
        );
      });
    }
  }
});

/** The trailers of the answer to `GET /`, with names in lower case. */
async function trailersFrom(
  protocol: 'HTTP/1.1' | 'HTTP/2',
  port: number,
): Promise<readonly (readonly [name: string, value: unknown])[]> {
  if (protocol === 'HTTP/1.1') {
    const client = await SocketClient.open(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.untilClosed();
    const [, lines = ''] = /\r\n0\r\n((?:.+\r\n)*)\r\n$/.exec(client.received) ?? [];
    return lines.split('\r\n').flatMap((line) => {
      const [name = '', value] = line.split(': ');
      return value === undefined ? [] : [[name.toLowerCase(), value] as const];
    });
  }
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':path': '/' });
  let trailers: readonly (readonly [string, unknown])[] = [];
  stream.on('trailers', (received) => {
    trailers = Object.entries(received);
  });
  stream.resume();
  await once(stream, 'close');
  session.close();
  return trailers;
}

const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

/** A backend that answers a request with chunked content when its last chunk has come. */
function startChunked(t: TestContext): Promise<TestBackend> {
  return startBackend(t, {
    onData({ socket, received }) {
      if (/\r\n0\r\n.*\r\n\r\n$/s.test(received)) socket.write(NO_CONTENT);
    },
  });
}
