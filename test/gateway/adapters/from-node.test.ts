import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, it, type TestContext } from 'node:test';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { type Application, createServer, dispatcher, fromNode, type NodeListener } from 'viaduct';
import { createServer as createVite } from 'vite';
import { signalled } from '../../support/node-server.ts';
import { SocketClient } from '../../support/socket-client.ts';

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
  const app = (listener: NodeListener) => wrap(fromNode(listener));

  describe(`fromNode, ${way}`, () => {
    it('gives what a Node server gives', async (t) => {
      const { url } = await served(
        t,
        app((request, response) => {
          assert.ok(request instanceof IncomingMessage && response instanceof ServerResponse);
          const { method, url, httpVersion, headers, socket } = request;
          response.setHeader('X-Remote', `${socket.remoteAddress} ${socket.remoteFamily}`);
          assert.equal(response.headersSent, false);
          response.end(JSON.stringify({ method, url, httpVersion, field: headers['x-field'] }));
          assert.equal(response.headersSent, true);
          assert.equal(response.writableEnded, true);
        }),
      );
      const response = await fetch(`${url}/caf%C3%A9/a%2Fb?q=%20`, { headers: { 'X-Field': 'a' } });
      assert.equal(response.headers.get('x-remote'), '127.0.0.1 IPv4');
      assert.ok(Number(response.headers.get('content-length')) > 0);
      assert.deepEqual(await response.json(), {
        method: 'GET',
        url: '/caf%C3%A9/a%2Fb?q=%20',
        httpVersion: '1.1',
        field: 'a',
      });
    });

    it('serves Express: routes, redirects, cookies, parsers, HEAD and errors', async (t) => {
      const site = express()
        .set('env', 'test')
        .use(express.json({ limit: '20mb' }))
        .get('/hello/:name', (request, response) => void response.send(`Hello ${request.params.name}`))
        .get('/away', (_request, response) => response.cookie('a', '1').cookie('b', '2').redirect('/there'))
        .post('/json', (request, response) => void response.json({ length: request.body.text.length }))
        .get('/broken', () => {
          throw new Error('broken');
        });
      const { url } = await served(t, app(site));
      assert.equal(await (await fetch(`${url}/hello/W%C3%A9`)).text(), 'Hello Wé');
      const away = await fetch(`${url}/away`, { redirect: 'manual' });
      assert.deepEqual([away.status, away.headers.get('location')], [302, '/there']);
      assert.deepEqual(away.headers.getSetCookie(), ['a=1; Path=/', 'b=2; Path=/']);
      const body = JSON.stringify({ text: 'x'.repeat(10_000_000) });
      const headers = { 'content-type': 'application/json' };
      const json = await fetch(`${url}/json`, { method: 'POST', headers, body });
      assert.deepEqual(await json.json(), { length: 10_000_000 });
      const head = await fetch(`${url}/hello/x`, { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, '7']);
      const tag = head.headers.get('etag') ?? '';
      const known = { 'if-none-match': tag, 'cache-control': 'max-age=0' };
      assert.equal((await fetch(`${url}/hello/x`, { headers: known })).status, 304);
      assert.equal((await fetch(`${url}/broken`)).status, 500);
      assert.equal((await fetch(`${url}/none`)).status, 404);
    });

    it('serves Koa, Fastify and Vite', async (t) => {
      const koa = new Koa().use((context) => {
        context.body = Readable.from(['from ', 'Koa']);
      });
      assert.equal(await (await fetch((await served(t, app(koa.callback()))).url)).text(), 'from Koa');
      const fastify = Fastify();
      fastify.post('/', async (request) => ({ got: request.body }));
      await fastify.ready();
      t.after(() => fastify.close());
      const headers = { 'content-type': 'application/json' };
      const { url } = await served(t, app(fastify.routing));
      const answer = await fetch(url, { method: 'POST', headers, body: '{"a":1}' });
      assert.deepEqual(await answer.json(), { got: { a: 1 } });
      const vite = await createVite({
        configFile: false,
        logLevel: 'silent',
        root: import.meta.dirname,
        appType: 'custom',
        server: { middlewareMode: true, ws: false, watch: null },
      });
      t.after(() => vite.close());
      const dev = await served(t, app(vite.middlewares));
      assert.match(await (await fetch(`${dev.url}/@vite/client`)).text(), /import/);
    });

    it('pipes an upload back as it comes', async (t) => {
      const { url } = await served(
        t,
        app((request, response) => pipeline(request, response)),
      );
      const bytes = randomBytes(10_000_000);
      const response = await fetch(url, { method: 'POST', body: bytes });
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
    });

    it('sends the head at flushHeaders, and each block as it is written', async (t) => {
      const head = signalled();
      const first = signalled();
      const { url } = await served(
        t,
        app(async (_request, response) => {
          response.writeHead(200, { 'Content-Type': 'text/event-stream' });
          response.flushHeaders();
          await head.promise;
          response.write('first');
          await first.promise;
          response.end('second');
        }),
      );
      // Middleware may change the head until there is content.
      if (way !== 'directly') head.resolve();
      const response = await fetch(url);
      head.resolve();
      const reader = response.body?.getReader();
      assert.equal(String(Buffer.from((await reader?.read())?.value ?? [])), 'first');
      first.resolve();
      assert.equal(String(Buffer.from((await reader?.read())?.value ?? [])), 'second');
    });

    it('makes a writer wait for drain, and tells it when the client leaves', async (t) => {
      const closed = signalled<boolean>();
      let written = 0;
      const { port } = await served(
        t,
        app(async (request, response) => {
          request.resume();
          response.on('close', () => closed.resolve(response.writableFinished));
          while (!response.destroyed && written < 10_000) {
            written += 1;
            if (!response.write(Buffer.alloc(65536))) await Promise.race([once(response, 'drain'), closed.promise]);
          }
        }),
      );
      const client = await SocketClient.open(port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.until(/\r\n\r\n/);
      client.socket.resetAndDestroy();
      assert.equal(await closed.promise, false);
      assert.ok(written < 1000, `${written} blocks`);
    });

    it('goes on after drain', async (t) => {
      const { url } = await served(
        t,
        app(async (_request, response) => {
          for (let i = 0; i < 100; i += 1) {
            if (!response.write(Buffer.alloc(65536))) await once(response, 'drain');
            assert.equal(response.writableNeedDrain, false);
          }
          response.end();
        }),
      );
      assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, 6_553_600);
    });

    it('emits finish and close when all was sent', async (t) => {
      const events: string[] = [];
      const closed = signalled();
      const { url } = await served(
        t,
        app((_request, response) => {
          response.on('finish', () => events.push('finish'));
          response.on('close', () => {
            events.push('close');
            closed.resolve();
          });
          response.write('a');
          response.end('b');
        }),
      );
      assert.equal(await (await fetch(url)).text(), 'ab');
      await closed.promise;
      assert.deepEqual(events, ['finish', 'close']);
    });

    it('destroys a request whose client leaves while it is worked on', async (t) => {
      const called = signalled();
      const aborted = signalled();
      const { port } = await served(
        t,
        app((request) => {
          request.on('aborted', () => aborted.resolve());
          request.on('error', () => {});
          called.resolve();
        }),
      );
      const client = await SocketClient.open(port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await called.promise;
      client.socket.resetAndDestroy();
      await aborted.promise;
    });

    it('answers 500 before the response begins, and breaks off after', async (t) => {
      const { url } = await served(
        t,
        app(async (request, response) => {
          if (request.url === '/after') await new Promise((sent) => response.write('part', sent));
          if (request.url === '/destroyed') response.destroy();
          else throw new Error('broken');
        }),
      );
      assert.equal((await fetch(`${url}/before`)).status, 500);
      assert.equal((await fetch(`${url}/destroyed`)).status, 500);
      await assert.rejects(async () => (await fetch(`${url}/after`)).text());
    });

    it('is mounted as Connect mounts', async (t) => {
      const tell: NodeListener = (request, response) => {
        const { url, originalUrl, baseUrl } = request as IncomingMessage & { originalUrl?: string; baseUrl?: string };
        response.end([url, originalUrl, baseUrl].join(' '));
      };
      const { url } = await served(t, dispatcher({ '/below': app(tell) }));
      assert.equal(await (await fetch(`${url}/below/a?b`)).text(), '/a?b /below/a?b /below');
      assert.equal(await (await fetch(`${url}/below`)).text(), '/ /below /below');
    });
  });
}
