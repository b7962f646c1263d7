import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Response } from '../../../src/http/response.ts';
import { startBackend } from '../../support/backend.ts';
import { NO_BROWSER, openBrowser } from '../../support/browser.ts';
import { Authority, hostWith } from '../../support/certificates.ts';
import {
  CANCEL,
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  HEADERS,
  RST_STREAM,
  request,
  reset,
  section,
} from '../../support/http2-frames.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { type ProxyOptions, serveProxy } from '../../support/serve-proxy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { eventually } from '../../support/wait.ts';
import { clientFrame, echoFrames } from '../../support/websocket.ts';

const CLOSE = 8;
const PAGE = '<!doctype html><title>chat</title>';
const CONNECT = fields({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' }, [
  ['sec-websocket-version', '13'],
  ['origin', 'http://a'],
]);

async function open(t: TestContext, options: ProxyOptions = {}) {
  const backend = await startBackend(t, { onData: echoFrames });
  const proxy = await serveProxy(t, [backend.backend], { protocol: 'HTTP/2', ...options });
  const client = await FrameClient.open(proxy.port);
  t.after(() => client.close());
  return { backend, proxy, client };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** The content that came on stream 1. */
function content(client: FrameClient): string {
  const data = client.frames.filter(({ type, id }) => type === DATA && id === 1);
  return Buffer.concat(data.map(({ payload }) => payload)).toString('latin1');
}

describe('a WebSocket over HTTP/2 (RFC 8441)', () => {
  it('is announced by a setting', async (t) => {
    const { client } = await open(t);
    const [settings] = client.frames;
    assert.ok(settings?.payload.includes(Buffer.from([0, 8, 0, 0, 0, 1])));
  });

  it('reaches an HTTP/1.1 backend as an ordinary upgrade, and carries frames both ways', async (t) => {
    const { backend, client } = await open(t);
    client.send(request(1, CONNECT, END_HEADERS));
    const head = await client.until('the response', ({ type, id }) => type === HEADERS && id === 1);
    assert.equal(head.flags & END_STREAM, 0);
    assert.equal(head.payload[0], 0x88); // :status 200, the eighth field of HPACK's table
    client.send(frame(DATA, 0, 1, clientFrame('hello')));
    await eventually('the echo', () => content(client) === '\x81\x05hello');
    client.send(frame(DATA, 0, 1, clientFrame('again')));
    await eventually('the second echo', () => content(client) === '\x81\x05hello\x81\x05again');
    assert.equal(backend.connections.length, 1);
  });

  it('ends with END_STREAM behind the Close frame, and without a reset', async (t) => {
    const { client, proxy } = await open(t);
    client.send(request(1, CONNECT, END_HEADERS), frame(DATA, 0, 1, clientFrame('', CLOSE)));
    await client.until('the end', ({ type, id, flags }) => type === DATA && id === 1 && (flags & END_STREAM) !== 0);
    assert.equal(content(client), '\x88\x00');
    client.send(frame(DATA, END_STREAM, 1), request(3));
    await eventually('the request is answered', () => proxy.answered.length === 1);
    assert.equal(client.resetCode(1), -1);
  });

  for (const [cause, end, options] of [
    ['the client gives it up', ({ client }) => client.send(reset(1)), {}],
    ['the client leaves', ({ client }) => client.close(), {}],
    ['no byte comes for too long', () => {}, { tunnelIdleTimeoutMs: 200 }],
  ] as const satisfies readonly (readonly [string, (open: Opened) => void, ProxyOptions])[]) {
    it(`is a reset for the backend when ${cause}`, async (t) => {
      const opened = await open(t, options);
      const { backend, client } = opened;
      client.send(request(1, CONNECT, END_HEADERS));
      await client.until('the response', ({ type, id }) => type === HEADERS && id === 1);
      const [connection] = backend.connections;
      let code = '';
      connection?.socket.on('error', (error: NodeJS.ErrnoException) => {
        code = error.code ?? '';
      });
      end(opened);
      await eventually('the backend sees the reset', () => code === 'ECONNRESET');
      if (!cause.startsWith('the client'))
        await eventually('the stream is reset', () => client.resetCode(1) === CANCEL);
    });
  }

  it('is reset when the backend resets its connection, and other streams continue', async (t) => {
    const { backend, client, proxy } = await open(t);
    client.send(request(1, CONNECT, END_HEADERS));
    await client.until('the response', ({ type, id }) => type === HEADERS && id === 1);
    backend.connections[0]?.socket.resetAndDestroy();
    await client.until('a reset', ({ type, id }) => type === RST_STREAM && id === 1);
    assert.equal(client.resetCode(1), CANCEL);
    assert.equal(
      client.frames.some(({ type, id, flags }) => type === DATA && id === 1 && (flags & END_STREAM) !== 0),
      false,
    );
    client.send(request(3));
    await eventually('the next request is answered', () => proxy.answered.length === 2 || proxy.requests.length === 2);
  });

  it('gets an error where nothing speaks the protocol: a status of 2xx would open the tunnel', async (t) => {
    const server = await serveHandler(t, () => Response.text(200, 'a page\n'), { protocol: 'HTTP/2' });
    const client = await FrameClient.open(server.port);
    t.after(() => client.close());
    client.send(request(1, CONNECT, END_HEADERS));
    await client.until('the end', ({ type, id, flags }) => type === DATA && id === 1 && (flags & END_STREAM) !== 0);
    assert.deepEqual(server.statuses, [501]);
  });

  it('is refused for another protocol, and malformed without a path or with another method', async (t) => {
    const server = await serveHandler(t, () => Response.text(200, 'a page\n'), { protocol: 'HTTP/2' });
    const client = await FrameClient.open(server.port);
    t.after(() => client.close());
    client.send(request(1, fields({ ':method': 'CONNECT', ':protocol': 'connect-udp' })));
    await client.until('a response', ({ type, id }) => type === HEADERS && id === 1);
    client.send(request(3, fields({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': undefined })));
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 5, section(fields({ ':protocol': 'websocket' }))));
    await eventually('both are reset', () => client.resetCode(3) === 1 && client.resetCode(5) === 1);
    assert.equal(server.requests.length, 0);
  });

  it('is what Chromium uses on its connection over TLS', { skip: NO_BROWSER }, async (t) => {
    const backend = await startBackend(t, {
      onData(connection) {
        if (connection.received.startsWith('GET /chat ') || !connection.received.startsWith('GET '))
          echoFrames(connection);
        else
          connection.socket.end(
            `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`,
          );
      },
    });
    const certificate = new Authority(temporaryDirectory(t)).issue('a', 'ec', ['localhost']);
    const server = await serveProxy(t, [backend.backend], { tls: { hosts: [hostWith(certificate)] } });
    const browser = await openBrowser();
    t.after(() => browser.close());
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const tab = await context.newPage();
    await tab.goto(`https://localhost:${server.port}/`);
    const got = await tab.evaluate(async (url) => {
      const socket = new WebSocket(url);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = reject;
      });
      const answer = new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(data);
      });
      socket.send('over HTTP/2');
      const echo = await answer;
      const closed = new Promise<boolean>((resolve) => {
        socket.onclose = ({ wasClean }) => resolve(wasClean);
      });
      socket.close();
      return { echo, wasClean: await closed };
    }, `wss://localhost:${server.port}/chat`);
    assert.deepEqual(got, { echo: 'over HTTP/2', wasClean: true });
    const upgrade = server.requests.find(({ path }) => path === '/chat');
    assert.equal(upgrade?.protocol, 'HTTP/2.0');
    assert.equal(server.connections.size, 1);
  });
});
