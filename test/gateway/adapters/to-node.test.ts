import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { createServer as createVite } from 'vite';
import { toNode } from '../../../src/gateway/adapters/to-node.ts';
import type { Application, Environ } from '../../../src/gateway/contract.ts';
import { nodeServer, signalled } from '../../support/node-server.ts';
import { SocketClient } from '../../support/socket-client.ts';

const NAMES = ['SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'REQUEST_URI'] as const;

/** Tells what it was asked. */
const echo: Application = async (environ, startResponse) => {
  const content = await environ['wsgi.input'].read();
  startResponse('200 OK', [
    ['Content-Type', 'application/json'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  const { REQUEST_METHOD, CONTENT_LENGTH, HTTP_HOST, REMOTE_ADDR } = environ;
  const names = Object.fromEntries(NAMES.map((name) => [name, environ[name]]));
  const length = content.length;
  const hash = createHash('sha256').update(content).digest('hex');
  const scheme = environ['wsgi.url_scheme'];
  return [
    Buffer.from(
      JSON.stringify({ ...names, REQUEST_METHOD, CONTENT_LENGTH, HTTP_HOST, REMOTE_ADDR, scheme, length, hash }),
    ),
  ];
};

interface Echo extends Environ {
  readonly length: number;
  readonly hash: string;
  readonly scheme: string;
}

async function ask(url: string, init?: RequestInit): Promise<Echo> {
  const response = await fetch(url, init);
  assert.equal(response.status, 200);
  return (await response.json()) as Echo;
}

function target(echoed: Echo): (string | undefined)[] {
  return NAMES.map((name) => echoed[name]);
}

describe('toNode under Express', () => {
  it('makes what app.use() cuts the SCRIPT_NAME', async (t) => {
    const app = express().use('/admin', toNode(echo));
    const { url } = await nodeServer(t, app);
    assert.deepEqual(target(await ask(`${url}/admin/a/?q=1`)), ['/admin', '/a/', 'q=1', '/admin/a/?q=1']);
    assert.deepEqual(target(await ask(`${url}/admin?q=1`)), ['/admin', '', 'q=1', '/admin?q=1']);
    assert.deepEqual(target(await ask(`${url}/admin/`)), ['/admin', '/', '', '/admin/']);
    assert.equal((await fetch(`${url}/other`)).status, 404);
  });

  it('decodes UTF-8 and %2F in PATH_INFO, and keeps them in REQUEST_URI', async (t) => {
    const { url } = await nodeServer(t, express().use('/admin', toNode(echo)));
    const echoed = await ask(`${url}/admin/caf%C3%A9/a%2Fb`);
    assert.equal(echoed.PATH_INFO, '/cafÃ©/a/b');
    assert.equal(echoed.REQUEST_URI, '/admin/caf%C3%A9/a%2Fb');
  });

  it('sees nested routers as one SCRIPT_NAME', async (t) => {
    const app = express().use('/one', express.Router().use('/two', toNode(echo)));
    const { url } = await nodeServer(t, app);
    assert.deepEqual(target(await ask(`${url}/one/two/three`)).slice(0, 2), ['/one/two', '/three']);
  });

  it('believes of a proxy what Express believes', async (t) => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' };
    const trusting = express().set('trust proxy', true).use(toNode(echo));
    const trusted = await ask((await nodeServer(t, trusting)).url, { headers });
    assert.deepEqual([trusted.scheme, trusted.REMOTE_ADDR], ['https', '203.0.113.9']);
    const refused = await ask((await nodeServer(t, express().use(toNode(echo)))).url, { headers });
    assert.deepEqual([refused.scheme, refused.REMOTE_ADDR], ['http', '127.0.0.1']);
  });

  it('passes uploads of 10 MB on, with and without a length', async (t) => {
    const { url } = await nodeServer(t, express().use(toNode(echo)));
    const bytes = randomBytes(10_000_000);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const whole = await ask(url, { method: 'POST', body: bytes });
    assert.deepEqual([whole.hash, whole.CONTENT_LENGTH], [hash, '10000000']);
    const chunked = await ask(url, { method: 'POST', body: new Blob([bytes]).stream(), duplex: 'half' });
    assert.deepEqual([chunked.hash, chunked.CONTENT_LENGTH], [hash, undefined]);
  });

  it('takes the bytes that a body parser kept', async (t) => {
    const app = express().use(express.raw({ type: '*/*' }), toNode(echo));
    assert.equal((await ask((await nodeServer(t, app)).url, { method: 'POST', body: 'kept' })).length, 4);
    const verify = (request: object, _response: unknown, rawBody: Buffer) => void Object.assign(request, { rawBody });
    const json = express().use(express.json({ verify }), toNode(echo));
    const headers = { 'content-type': 'application/json' };
    const { url } = await nodeServer(t, json);
    assert.equal((await ask(url, { method: 'POST', headers, body: '{ "a": 1 }' })).length, 10);
  });

  it('hands on an error that names the body parser when the bytes are lost', async (t) => {
    const told = signalled<Error>();
    const app = express().use(express.json(), toNode(echo), ((error, _request, response, _next) => {
      told.resolve(error);
      response.status(500).end();
    }) satisfies express.ErrorRequestHandler);
    const { url } = await nodeServer(t, app);
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(url, { method: 'POST', headers, body: '{}' })).status, 500);
    assert.match((await told.promise).message, /a body parser has read it/);
  });

  it('hands an error before the response on to next, and cuts the connection after', async (t) => {
    const errors: string[] = [];
    const app = express()
      .use(
        '/before',
        toNode(() => {
          throw new Error('before');
        }),
      )
      .use(
        '/after',
        toNode(async function* (_environ: Environ, startResponse: Parameters<Application>[1]) {
          startResponse('200 OK', []);
          yield Buffer.from('part');
          throw new Error('after');
        } as unknown as Application),
      )
      .use(((error, _request, response, _next) => {
        errors.push(error.message);
        if (!response.headersSent) response.status(503).end();
      }) satisfies express.ErrorRequestHandler);
    const { url } = await nodeServer(t, app);
    assert.equal((await fetch(`${url}/before`)).status, 503);
    await assert.rejects(async () => (await fetch(`${url}/after`)).text());
    assert.deepEqual(errors, ['before', 'after']);
  });

  it('keeps fields of the framework, adds cookies and Vary, and replaces the rest', async (t) => {
    const app = express()
      .use((_request, response, next) => {
        response.set({ 'X-Frame': 'express', 'Content-Type': 'text/html', Vary: 'Origin' });
        response.append('Set-Cookie', 'own=1');
        next();
      })
      .use(
        toNode((_environ, startResponse) => {
          startResponse('201 Made Here', [
            ['Content-Type', 'text/plain'],
            ['Vary', 'Cookie'],
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
            ['X-Byte', '\xe9'],
          ]);
          return [Buffer.from('x')];
        }),
      );
    const { url } = await nodeServer(t, app);
    const { status, statusText, headers } = await fetch(url);
    assert.deepEqual([status, statusText], [201, 'Made Here']);
    assert.equal(headers.get('x-frame'), 'express');
    assert.equal(headers.get('content-type'), 'text/plain');
    assert.equal(headers.get('vary'), 'Origin, Cookie');
    assert.equal(headers.get('x-byte'), '\xe9');
    assert.equal(headers.get('content-length'), '1');
    assert.deepEqual(headers.getSetCookie(), ['own=1', 'a=1', 'b=2']);
  });

  it('sends no content for HEAD, 204 and 304', async (t) => {
    const app = toNode((environ, startResponse) => {
      startResponse(environ.QUERY_STRING === '' ? '200 OK' : `${environ.QUERY_STRING} X`, []);
      return [Buffer.from('content')];
    });
    const { port } = await nodeServer(t, app);
    const client = await SocketClient.open(port);
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    client.send('GET /?204 HTTP/1.1\r\nHost: a\r\n\r\n');
    client.send('GET /?304 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const bytes = await client.until(/ 304 X[\s\S]*\r\n\r\n/);
    assert.doesNotMatch(String(bytes), /content$/m);
    client.close();
  });

  it('sends each block before it asks for the next', async (t) => {
    const more = signalled();
    const app = toNode((_environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield Buffer.from('first');
        await more.promise;
        yield Buffer.from('second');
      })();
    });
    const { url } = await nodeServer(t, app);
    const reader = (await fetch(url)).body?.getReader();
    assert.equal(String(Buffer.from((await reader?.read())?.value ?? [])), 'first');
    more.resolve();
    assert.equal(String(Buffer.from((await reader?.read())?.value ?? [])), 'second');
    assert.equal((await reader?.read())?.done, true);
  });

  it('asks for no more than a slow client reads, and closes when it leaves', async (t) => {
    const closed = signalled();
    let pulled = 0;
    let signal: AbortSignal | undefined;
    const app = toNode((environ, startResponse) => {
      signal = environ['viaduct.client']?.signal;
      startResponse('200 OK', []);
      const block = Buffer.alloc(65536);
      return {
        *[Symbol.iterator]() {
          for (; pulled < 10_000; pulled += 1) yield block;
        },
        close: () => closed.resolve(),
      };
    });
    const { port } = await nodeServer(t, app);
    const client = await SocketClient.open(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/\r\n\r\n/);
    client.close();
    await closed.promise;
    assert.ok(pulled < 1000, `${pulled} blocks`);
    assert.equal(signal?.aborted, true);
  });

  it('cuts what is longer than its Content-Length, and the connection when it is shorter', async (t) => {
    const onError = () => {};
    const app = toNode(
      (environ, startResponse) => {
        startResponse('200 OK', [['Content-Length', environ.QUERY_STRING]]);
        return [Buffer.from('12345')];
      },
      { onError },
    );
    const { url } = await nodeServer(t, app);
    assert.equal(await (await fetch(`${url}/?3`)).text(), '123');
    await assert.rejects(async () => (await fetch(`${url}/?9`)).text());
  });
});

describe('toNode elsewhere', () => {
  it('takes a scriptName in a bare server, and answers 404 outside it', async (t) => {
    const { url } = await nodeServer(t, toNode(echo, { scriptName: '/admin' }));
    assert.deepEqual(target(await ask(`${url}/admin/a`)).slice(0, 2), ['/admin', '/a']);
    assert.equal((await fetch(`${url}/administrator`)).status, 404);
  });

  it('answers 500 without a word of the error when there is no next', async (t) => {
    const told = signalled<unknown>();
    const app = toNode(
      () => {
        throw new Error('secret');
      },
      { onError: told.resolve },
    );
    const response = await fetch((await nodeServer(t, app)).url);
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
    assert.match(String(await told.promise), /secret/);
  });

  it('mounts in Koa', async (t) => {
    const mounted = toNode(echo, { scriptName: '/admin' });
    const app = new Koa().use(async (context, next) => {
      if (!context.path.startsWith('/admin/')) return next();
      context.respond = false;
      mounted(context.req, context.res);
    });
    const { url } = await nodeServer(t, app.callback());
    assert.equal((await ask(`${url}/admin/x`, { method: 'POST', body: 'abc' })).length, 3);
    assert.equal((await fetch(`${url}/x`)).status, 404);
  });

  it('mounts in Fastify, whose parsers leave the content alone', async (t) => {
    const mounted = toNode(echo, { scriptName: '/admin' });
    const app = Fastify();
    app.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
      scope.all('/admin/*', (request, reply) => {
        reply.hijack();
        mounted(request.raw, reply.raw);
      });
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    t.after(() => app.close());
    const headers = { 'content-type': 'application/json' };
    assert.equal((await ask(`${url}/admin/x`, { method: 'POST', headers, body: '{"a":1}' })).length, 7);
  });

  it("mounts in Vite's dev server", async (t) => {
    const vite = await createVite({
      configFile: false,
      logLevel: 'silent',
      root: import.meta.dirname,
      appType: 'custom',
      server: { middlewareMode: true, ws: false, watch: null },
    });
    t.after(() => vite.close());
    vite.middlewares.use('/flask', toNode(echo));
    const { url } = await nodeServer(t, vite.middlewares);
    assert.deepEqual(target(await ask(`${url}/flask/a?b`)), ['/flask', '/a', 'b', '/flask/a?b']);
    assert.deepEqual(target(await ask(`${url}/flask`)).slice(0, 2), ['/flask', '']);
  });
});
