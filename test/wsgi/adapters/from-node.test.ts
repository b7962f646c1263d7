import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import express from 'express';
import { fastify } from 'fastify';
import Koa from 'koa';
import { type Application, createServer } from 'viaduct';
import { fromNode, type NodeListener, toFetch } from 'viaduct/adapters';
import { createServer as createVite } from 'vite';
import { createSignal, untilStable } from '../../support/wait.ts';

/** The listener of each framework, with `behave` as its handler. */
const LISTENERS: Readonly<
  Record<string, (t: TestContext, behave: NodeListener) => NodeListener | Promise<NodeListener>>
> = {
  'node:http': (_t, behave) => behave,
  Express: (_t, behave) => express().use((req, res) => void behave(req, res)),
  Koa: (_t, behave) =>
    new Koa()
      .use((context) => {
        context.respond = false;
        context.res.statusCode = 200;
        return behave(context.req, context.res) as Promise<void>;
      })
      .callback(),
  async Fastify(t, behave) {
    const app = fastify();
    t.after(() => app.close());
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.all('/*', (request, reply) => {
      reply.hijack();
      void behave(request.raw, reply.raw);
    });
    await app.ready();
    return app.routing;
  },
  async Vite(t, behave) {
    const vite = await createVite({
      configFile: false,
      appType: 'custom',
      logLevel: 'silent',
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, ws: false, watch: null, allowedHosts: true },
    });
    t.after(() => vite.close());
    vite.middlewares.use((req, res) => void behave(req, res));
    return vite.middlewares;
  },
};

async function serve(t: TestContext, application: Application): Promise<string> {
  const log = { info() {}, warn() {}, error() {} };
  const server = await createServer({ application, listen: '127.0.0.1:0', log });
  t.after(() => server.stop());
  return server.url;
}

for (const [name, listenerOf] of Object.entries(LISTENERS)) {
  describe(`a listener of ${name} as an application`, () => {
    const start = async (t: TestContext, behave: NodeListener): Promise<string> =>
      serve(t, fromNode(await listenerOf(t, behave)));

    it("gets the request unchanged, and the client's address", async (t) => {
      const url = await start(t, (req, res) => {
        res.setHeader('Set-Cookie', ['a=1', 'b=2']);
        res.writeHead(201, 'Made', { 'X-Latin': 'é' });
        const { encrypted = false, remoteAddress } = req.socket as typeof req.socket & { encrypted?: boolean };
        res.end(
          JSON.stringify([req.method, req.url, req.headers.host, req.headers['x-sent'], remoteAddress, encrypted]),
        );
      });
      const response = await fetch(`${url}/caf%C3%A9/a%2Fb?q=%20`, { method: 'PUT', headers: { 'X-Sent': 'é' } });
      assert.deepEqual([response.status, response.statusText], [201, 'Made']);
      assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
      assert.equal(response.headers.get('x-latin'), 'é');
      const { host } = new URL(url);
      assert.deepEqual(await response.json(), ['PUT', '/caf%C3%A9/a%2Fb?q=%20', host, 'é', '127.0.0.1', false]);
    });

    it('reads an upload of 10 MB by events, and by iteration', async (t) => {
      const url = await start(t, async (req, res) => {
        const hash = createHash('sha256');
        if (req.headers['x-way'] === 'events') {
          req.on('data', (block: Buffer) => hash.update(block));
          await once(req, 'end');
        } else for await (const block of req) hash.update(block as Buffer);
        res.end(hash.digest('hex'));
      });
      const content = randomBytes(10_000_000);
      const sha = createHash('sha256').update(content).digest('hex');
      for (const way of ['events', 'iteration']) {
        const response = await fetch(url, { method: 'POST', body: content, headers: { 'X-Way': way } });
        assert.equal(await response.text(), sha);
      }
    });

    it('streams in both directions at the same time', async (t) => {
      const url = await start(t, (req, res) => {
        res.flushHeaders();
        req.pipe(res);
      });
      const asked = httpRequest(url, { method: 'POST', agent: false });
      asked.write('first');
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      assert.equal(String((await once(response, 'data'))[0]), 'first');
      const ended = once(response, 'end');
      asked.end('second');
      assert.equal(String((await once(response, 'data'))[0]), 'second');
      await ended;
    });

    it('notices that the client has left', async (t) => {
      const { happened, happen } = createSignal();
      const url = await start(t, (_req, res) => {
        res.write('begun');
        res.on('close', () => {
          assert.equal(res.writableFinished, false);
          happen();
        });
      });
      const asked = httpRequest(url, { agent: false }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      response.socket.resetAndDestroy();
      await happened;
    });

    it('writes no more than the client reads', async (t) => {
      let written = 0;
      const total = 2000;
      const pump = (res: ServerResponse): void => {
        while (written < total) {
          written += 1;
          if (!res.write(Buffer.alloc(65536))) {
            res.once('drain', () => pump(res));
            return;
          }
        }
        res.end();
      };
      const url = await start(t, (_req, res) => pump(res));
      const asked = httpRequest(url, { agent: false });
      asked.end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      const reached = await untilStable(() => written);
      assert.ok(reached > 0 && reached < total / 2, `${reached}`);
      let received = 0;
      for await (const block of response) received += (block as Buffer).length;
      assert.equal(received, total * 65536);
    });

    it('answers HEAD, 204 and 304 without content', async (t) => {
      const url = await start(t, (req, res) => {
        res.statusCode = Number(req.url?.slice(1));
        res.end(res.statusCode === 200 ? 'hello' : undefined);
      });
      const head = await fetch(`${url}/200`, { method: 'HEAD' });
      assert.deepEqual([head.status, await head.text()], [200, '']);
      for (const status of [204, 304]) {
        const response = await fetch(`${url}/${status}`);
        assert.deepEqual([response.status, await response.text()], [status, '']);
      }
    });

    it('breaks off a response that it destroys', async (t) => {
      const url = await start(t, (req, res) => {
        res.write('begun');
        req.once('data', () => res.destroy());
      });
      const asked = httpRequest(url, { method: 'POST', agent: false });
      asked.on('error', () => {});
      asked.flushHeaders();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      assert.equal(response.statusCode, 200);
      assert.equal(String((await once(response, 'data'))[0]), 'begun');
      const [error] = await Promise.all([once(response, 'error'), asked.write('go on')]);
      assert.equal((error[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
    });
  });
}

describe('fromNode', () => {
  it('throws what the listener throws before its response starts, at once or later', async () => {
    const listeners: NodeListener[] = [
      () => {
        throw new Error('on purpose');
      },
      async (req) => {
        for await (const _ of req);
        throw new Error('on purpose');
      },
    ];
    for (const listener of listeners) {
      const ask = toFetch(fromNode(listener));
      const content = new Request('http://localhost/', { method: 'POST', body: 'content' });
      await assert.rejects(ask(content), /on purpose/);
    }
  });

  it('supports features of frameworks: parsers, JSON, cookies, streams, modules', async (t) => {
    const app = express().use(express.json());
    app.post('/json', (req, res) => void res.cookie('seen', '1').json({ ...(req.body as object), secure: req.secure }));
    const init = { method: 'POST', body: '{"a":1}', headers: { 'Content-Type': 'application/json' } };
    const answered = await toFetch(fromNode(app))(new Request('https://localhost/json', init));
    assert.deepEqual(
      [answered.headers.getSetCookie(), await answered.json()],
      [['seen=1; Path=/'], { a: 1, secure: true }],
    );

    const server = fastify();
    t.after(() => server.close());
    server.post('/json', (request) => ({ got: request.body }));
    await server.ready();
    const got = await toFetch(fromNode(server.routing))(new Request('http://localhost/json', init));
    assert.deepEqual(await got.json(), { got: { a: 1 } });

    const koa = new Koa().use((context) => {
      context.body = new Blob(['from a stream']).stream();
    });
    const streamed = await toFetch(fromNode(koa.callback()))(new Request('http://localhost/'));
    assert.equal(await streamed.text(), 'from a stream');
  });
});
