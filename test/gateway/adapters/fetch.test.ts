import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { Hono } from 'hono';
import {
  type Application,
  createServer,
  dispatcher,
  type FromFetchOptions,
  fromFetch,
  type Header,
  toFetch,
  toNode,
} from 'viaduct';
import { nodeServer, signalled } from '../../support/node-server.ts';
import { SocketClient } from '../../support/socket-client.ts';

/** A server of ours for `application`. */
async function served(t: TestContext, application: Application): Promise<{ url: string; port: number }> {
  const log = { error() {}, warn() {}, info() {} };
  const server = await createServer({ application, listen: ['127.0.0.1:0'], log });
  t.after(() => server.close());
  return { url: server.url, port: Number(new URL(server.url).port) };
}

const WAYS: readonly [string, (application: Application) => Application][] = [
  ['directly', (application) => application],
  ['behind middleware', (application) => (environ, startResponse) => application(environ, startResponse)],
];

for (const [way, wrap] of WAYS) {
  const app = (handler: Parameters<typeof fromFetch>[0], options?: FromFetchOptions) =>
    wrap(fromFetch(handler, options));

  describe(`fromFetch, ${way}`, () => {
    it('gives a Request with the URL as received, the fields, and who the client is', async (t) => {
      const { url } = await served(
        t,
        app(async (request, info) => {
          const content = await request.text();
          const { method, headers } = request;
          return Response.json({ method, url: request.url, content, field: headers.get('x-field'), info });
        }),
      );
      const address = `${url}/caf%C3%A9/a%2Fb?q=%20`;
      const init = { method: 'PUT', body: 'content', headers: { 'x-field': '\xe9' } };
      const answer = (await (await fetch(address, init)).json()) as { info: { remoteAddress: string } };
      assert.deepEqual(
        { ...answer, info: answer.info.remoteAddress },
        { method: 'PUT', url: address, content: 'content', field: '\xe9', info: '127.0.0.1' },
      );
    });

    it('passes on status, reason, several cookies and the length', async (t) => {
      const { url } = await served(
        t,
        app(() => {
          const headers = [
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2; Expires=Thu, 01 Jan 2032 00:00:00 GMT'],
            ['Connection', 'close'],
            ['Location', '/there'],
          ] as [string, string][];
          return new Response('text', { status: 302, statusText: 'Over There', headers });
        }),
      );
      const response = await fetch(url, { redirect: 'manual' });
      assert.deepEqual([response.status, response.statusText], [302, 'Over There']);
      assert.equal(response.headers.getSetCookie().length, 2);
      assert.equal(response.headers.get('location'), '/there');
      assert.equal(response.headers.get('content-length'), '4');
      assert.equal(await response.text(), 'text');
    });

    it('serves Hono, with its routes, uploads, and streams', async (t) => {
      const hono = new Hono()
        .get('/hello/:name', (c) => c.text(`Hello ${c.req.param('name')}`))
        .post('/form', async (c) => {
          const { file } = await c.req.parseBody();
          return c.json({ size: (file as File).size });
        })
        .post('/back', (c) => new Response(c.req.raw.body));
      const { url } = await served(t, app(hono.fetch));
      assert.equal(await (await fetch(`${url}/hello/W%C3%A9`)).text(), 'Hello Wé');
      assert.equal((await fetch(`${url}/none`)).status, 404);
      assert.equal((await fetch(`${url}/hello/x`, { method: 'HEAD' })).status, 200);
      const bytes = randomBytes(10_000_000);
      const body = new FormData();
      body.append('file', new Blob([bytes]), 'file');
      assert.deepEqual(await (await fetch(`${url}/form`, { method: 'POST', body })).json(), { size: 10_000_000 });
      const back = await fetch(`${url}/back`, { method: 'POST', body: bytes });
      assert.ok(Buffer.from(await back.arrayBuffer()).equals(bytes));
    });

    it('has no content for 204 and 304', async (t) => {
      const { url } = await served(
        t,
        app((request) => new Response(null, { status: Number(new URL(request.url).search.slice(1)) })),
      );
      assert.equal((await fetch(`${url}/?204`)).status, 204);
      assert.equal((await fetch(`${url}/?304`)).status, 304);
    });

    it('answers 500 when the handler rejects', async (t) => {
      const { url } = await served(
        t,
        app(() => Promise.reject(new Error('no'))),
      );
      assert.equal((await fetch(url)).status, 500);
    });

    it('answers 501 for TRACE, which no Request can have', async (t) => {
      const { port } = await nodeServer(t, toNode(app(() => new Response('called'))));
      const client = await SocketClient.open(port);
      client.send('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.until(/^HTTP\/1\.1 501 /);
      client.close();
    });

    it('sends each block as it comes, breaks off when the body fails', async (t) => {
      const more = signalled<Error>();
      const { url } = await served(
        t,
        app(
          () =>
            new Response(
              new ReadableStream({
                async start(controller) {
                  controller.enqueue(Buffer.from('first'));
                  controller.error(await more.promise);
                },
              }),
            ),
        ),
      );
      const reader = (await fetch(url)).body?.getReader();
      assert.equal(String(Buffer.from((await reader?.read())?.value ?? [])), 'first');
      more.resolve(new Error('broken'));
      await assert.rejects(async () => reader?.read());
    });

    it('aborts the signal and cancels the body when the client leaves', async (t) => {
      const aborted = signalled();
      const cancelled = signalled();
      const { port } = await served(
        t,
        app((request) => {
          request.signal.addEventListener('abort', () => aborted.resolve());
          const start = (controller: ReadableStreamDefaultController) => controller.enqueue(Buffer.from('first'));
          return new Response(new ReadableStream({ start, cancel: () => cancelled.resolve() }));
        }),
      );
      const client = await SocketClient.open(port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.until(/first/);
      client.socket.resetAndDestroy();
      await Promise.all([aborted.promise, cancelled.promise]);
    });

    it('aborts the signal of a handler that still works when the client leaves', async (t) => {
      const called = signalled();
      const aborted = signalled();
      const { port } = await served(
        t,
        app(async (request) => {
          request.signal.addEventListener('abort', () => aborted.resolve());
          called.resolve();
          await aborted.promise;
          return new Response();
        }),
      );
      const client = await SocketClient.open(port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await called.promise;
      client.socket.resetAndDestroy();
      await aborted.promise;
    });

    it('pulls no more than a client reads', async (t) => {
      const cancelled = signalled();
      let pulled = 0;
      const { port } = await served(
        t,
        app(() => {
          const pull = (controller: ReadableStreamDefaultController) => {
            pulled += 1;
            if (pulled < 10_000) controller.enqueue(Buffer.alloc(65536));
            else controller.close();
          };
          return new Response(new ReadableStream({ pull, cancel: () => cancelled.resolve() }));
        }),
      );
      const client = await SocketClient.open(port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.until(/\r\n\r\n/);
      client.socket.resetAndDestroy();
      await cancelled.promise;
      assert.ok(pulled < 1000, `${pulled} blocks`);
    });

    it('keeps the whole path below a mount, or strips it', async (t) => {
      const tell = (request: Request) => new Response(new URL(request.url).pathname);
      const { url } = await served(
        t,
        dispatcher({ '/whole': app(tell), '/bare': app(tell, { stripScriptName: true }) }),
      );
      assert.equal(await (await fetch(`${url}/whole/a%2Fb`)).text(), '/whole/a%2Fb');
      assert.equal(await (await fetch(`${url}/bare/a%2Fb`)).text(), '/a%2Fb');
      assert.equal(await (await fetch(`${url}/bare`)).text(), '/');
    });
  });
}

describe('toFetch', () => {
  const answering =
    (status: string, headers: readonly Header[], ...blocks: string[]): Application =>
    (_environ, startResponse) => {
      startResponse(status, headers);
      return blocks.map((block) => Buffer.from(block));
    };

  it('makes an environ of the Request', async () => {
    const call = toFetch(
      async (environ, startResponse) => {
        startResponse('200 OK', []);
        const { SCRIPT_NAME, PATH_INFO, QUERY_STRING, HTTP_HOST, REMOTE_ADDR, CONTENT_TYPE } = environ;
        const content = String(await environ['wsgi.input'].read());
        const scheme = environ['wsgi.url_scheme'];
        const told = { SCRIPT_NAME, PATH_INFO, QUERY_STRING, HTTP_HOST, REMOTE_ADDR, CONTENT_TYPE, content, scheme };
        return [Buffer.from(JSON.stringify(told))];
      },
      { scriptName: '/admin' },
    );
    const request = new Request('https://example.org/admin/caf%C3%A9?q=1', { method: 'POST', body: 'text' });
    assert.deepEqual(await (await call(request, { remoteAddress: '192.0.2.1' })).json(), {
      SCRIPT_NAME: '/admin',
      PATH_INFO: '/cafÃ©',
      QUERY_STRING: 'q=1',
      HTTP_HOST: 'example.org',
      REMOTE_ADDR: '192.0.2.1',
      CONTENT_TYPE: 'text/plain;charset=UTF-8',
      content: 'text',
      scheme: 'https',
    });
    assert.equal((await call(new Request('http://a/other'))).status, 404);
  });

  it('gives status, reason and several cookies, and no content for HEAD, 204 and 304', async () => {
    const cookies = [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ] as const;
    const response = await toFetch(answering('404 Not Here', cookies, 'a', 'b'))(new Request('http://a/'));
    assert.deepEqual([response.status, response.statusText], [404, 'Not Here']);
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(await response.text(), 'ab');
    for (const status of ['204 No Content', '304 Not Modified']) {
      assert.equal((await toFetch(answering(status, [], 'x'))(new Request('http://a/'))).body, null);
    }
    const head = await toFetch(answering('200 OK', [], 'x'))(new Request('http://a/', { method: 'HEAD' }));
    assert.equal(head.body, null);
  });

  it('sends what write() sends before what is iterated', async () => {
    const call = toFetch(async (_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      await write(Buffer.from('written, '));
      return [Buffer.from('returned')];
    });
    assert.equal(await (await call(new Request('http://a/'))).text(), 'written, returned');
  });

  it('rejects before the response begins, and fails the body after', async () => {
    const before = toFetch(() => {
      throw new Error('before');
    });
    await assert.rejects(before(new Request('http://a/')), /before/);
    const after = toFetch((_environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield Buffer.from('part');
        throw new Error('after');
      })();
    });
    const response = await after(new Request('http://a/'));
    await assert.rejects(response.text(), /after/);
  });

  it('closes what the application returned when the body is cancelled, or the request aborted', async () => {
    for (const way of ['cancel', 'abort'] as const) {
      const closed = signalled();
      let pulled = 0;
      const call = toFetch((_environ, startResponse) => {
        startResponse('200 OK', []);
        return {
          *[Symbol.iterator]() {
            for (; ; pulled += 1) yield Buffer.alloc(65536);
          },
          close: () => closed.resolve(),
        };
      });
      const controller = new AbortController();
      const response = await call(new Request('http://a/', { signal: controller.signal }));
      const reader = response.body?.getReader();
      await reader?.read();
      if (way === 'cancel') await reader?.cancel();
      else controller.abort();
      await closed.promise;
      assert.ok(pulled < 10, `${pulled} blocks`);
    }
  });

  it('is what Hono mounts, whose error handler answers', async () => {
    const hono = new Hono();
    const site = toFetch(answering('200 OK', [], 'site'), { scriptName: '/site' });
    const broken = toFetch(() => {
      throw new Error('broken');
    });
    hono.all('/site/*', (c) => site(c.req.raw)).all('/broken', (c) => broken(c.req.raw));
    hono.onError((error, c) => c.text(error.message, 503));
    assert.equal(await (await hono.request('/site/x')).text(), 'site');
    const failed = await hono.request('/broken');
    assert.deepEqual([failed.status, await failed.text()], [503, 'broken']);
  });

  it('carries a request through both adapters', async () => {
    const call = toFetch(fromFetch(async (request) => new Response(request.body)));
    const body = randomBytes(10_000_000);
    const response = await call(new Request('http://a/', { method: 'POST', body }));
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(body));
  });
});
