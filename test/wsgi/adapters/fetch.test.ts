import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { Hono } from 'hono';
import { type Application, createServer } from 'viaduct';
import { type FetchHandler, fromFetch, fromNode, toFetch } from 'viaduct/adapters';
import { collectGarbageRepeatedly } from '../../support/collect-garbage.ts';
import { createSignal, untilStable } from '../../support/wait.ts';

async function serve(t: TestContext, handler: FetchHandler): Promise<string> {
  const log = { info() {}, warn() {}, error() {} };
  const server = await createServer({ application: fromFetch(handler), listen: '127.0.0.1:0', log });
  t.after(() => server.stop());
  return server.url;
}

async function head(url: string): Promise<IncomingMessage> {
  const [response] = (await once(httpRequest(url, { agent: false }).end(), 'response')) as [IncomingMessage];
  return response;
}

const sha = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

describe('a fetch handler as an application', () => {
  it('gets the request unchanged, and answers with status, cookies and latin-1', async (t) => {
    const app = new Hono<{ Bindings: { remoteAddress: string } }>();
    app.put('*', (c) => {
      c.header('Set-Cookie', 'a=1', { append: true });
      c.header('Set-Cookie', 'b=2', { append: true });
      c.header('X-Latin', 'é');
      return c.json([c.req.url, c.req.header('x-sent'), c.env.remoteAddress], 201);
    });
    const url = await serve(t, app.fetch);
    const response = await fetch(`${url}/caf%C3%A9/a%2Fb?q=%20`, { method: 'PUT', headers: { 'X-Sent': 'é' } });
    assert.equal(response.status, 201);
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(response.headers.get('x-latin'), 'é');
    assert.deepEqual(await response.json(), [`${url}/caf%C3%A9/a%2Fb?q=%20`, 'é', '127.0.0.1']);
  });

  it('reads uploads: 10 MB, and a form with a file', async (t) => {
    const app = new Hono();
    app.post('/raw', async (c) => c.text(sha(new Uint8Array(await c.req.arrayBuffer()))));
    app.post('/form', async (c) => c.text(await ((await c.req.formData()).get('file') as File).text()));
    const url = await serve(t, app.fetch);
    const content = randomBytes(10_000_000);
    const raw = await fetch(`${url}/raw`, { method: 'POST', body: content });
    assert.equal(await raw.text(), sha(content));
    const form = new FormData();
    form.set('file', new Blob(['in a file']), 'name.txt');
    assert.equal(await (await fetch(`${url}/form`, { method: 'POST', body: form })).text(), 'in a file');
  });

  it('streams in both directions at the same time', async (t) => {
    const url = await serve(t, (request) => new Response(request.body));
    const upload = httpRequest(url, { method: 'POST', agent: false });
    upload.write('first');
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    assert.equal(String((await once(response, 'data'))[0]), 'first');
    const ended = once(response, 'end');
    upload.end('second');
    assert.equal(String((await once(response, 'data'))[0]), 'second');
    await ended;
  });

  it('notices that the client has left: the signal is aborted, the stream cancelled', async (t) => {
    const aborted = createSignal();
    const cancelled = createSignal();
    const url = await serve(t, (request) => {
      request.signal.addEventListener('abort', aborted.happen);
      const start = (controller: ReadableStreamDefaultController) => controller.enqueue(Buffer.from('begun'));
      return new Response(new ReadableStream({ start, cancel: cancelled.happen }));
    });
    const response = await head(url);
    await collectGarbageRepeatedly(); // Node loses the abortion of a Request that is garbage, although its signal is not
    response.socket.resetAndDestroy();
    await Promise.all([aborted.happened, cancelled.happened]);
  });

  it('hears that the client has left while it waits for nothing else', async (t) => {
    const entered = createSignal();
    const aborted = createSignal();
    const url = await serve(t, ({ signal }) => {
      entered.happen();
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.happen();
          resolve(new Response());
        });
      });
    });
    const client = httpRequest(url, { agent: false }).on('error', () => {});
    client.end();
    await entered.happened;
    await collectGarbageRepeatedly();
    client.destroy();
    await aborted.happened;
  });

  it('is pulled no faster than the client reads', async (t) => {
    let pulled = 0;
    const total = 2000;
    const url = await serve(t, () => {
      const pull = (controller: ReadableStreamDefaultController): void => {
        pulled += 1;
        controller.enqueue(new Uint8Array(65536));
        if (pulled === total) controller.close();
      };
      return new Response(new ReadableStream({ pull }));
    });
    const response = await head(url);
    const reached = await untilStable(() => pulled);
    assert.ok(reached > 0 && reached < total / 2, `${reached}`);
    let received = 0;
    for await (const block of response) received += (block as Buffer).length;
    assert.equal(received, total * 65536);
  });

  it('answers HEAD, 204 and 304 without content, 500 when it throws, 501 to TRACE, and breaks off when its stream fails', async (t) => {
    const url = await serve(t, (request) => {
      const path = new URL(request.url).pathname.slice(1);
      if (path === 'throws') throw new Error('on purpose');
      if (path === 'fails') {
        let blocks = 0;
        const pull = (controller: ReadableStreamDefaultController): void => {
          blocks += 1;
          if (blocks > 2) controller.error(new Error('on purpose'));
          else controller.enqueue(Buffer.from('block'));
        };
        return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
      }
      return new Response(path === '200' ? 'hello' : null, { status: Number(path) });
    });
    const upload = await fetch(`${url}/200`, { method: 'HEAD' });
    assert.deepEqual([upload.status, await upload.text()], [200, '']);
    for (const status of [204, 304]) assert.equal((await fetch(`${url}/${status}`)).status, status);
    assert.equal((await fetch(`${url}/throws`)).status, 500);
    const [traced] = (await once(httpRequest(`${url}/`, { method: 'TRACE' }).end(), 'response')) as [IncomingMessage];
    assert.ok([405, 501].includes(traced.statusCode ?? 0));
    const failing = await fetch(`${url}/fails`);
    assert.equal(failing.status, 200);
    await assert.rejects(failing.text());
  });
});

describe('an application as a fetch handler', () => {
  const answers: Application = async (environ, startResponse) => {
    startResponse('201 All Right', [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    const { SCRIPT_NAME, PATH_INFO, QUERY_STRING, HTTP_HOST, REMOTE_ADDR, SERVER_PORT } = environ;
    const content = String(await environ['wsgi.input'].read());
    const seen = [SCRIPT_NAME, PATH_INFO, QUERY_STRING, HTTP_HOST, REMOTE_ADDR, SERVER_PORT];
    return [Buffer.from(JSON.stringify([...seen, environ['wsgi.url_scheme'], content]))];
  };

  it('sees the request in its environ, below its mount', async () => {
    const ask = toFetch(answers, { mount: '/admin' });
    const request = new Request('https://shop.example/admin/a%2Fb?q=%20', { method: 'POST', body: 'content' });
    const response = await ask(request, { remoteAddress: '192.0.2.7' });
    assert.deepEqual([response.status, response.statusText], [201, 'All Right']);
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    const seen = ['/admin', '/a/b', 'q=%20', 'shop.example', '192.0.2.7', '443', 'https', 'content'];
    assert.deepEqual(await response.json(), seen);
    assert.equal((await ask(new Request('https://shop.example/administrator'))).status, 404);
  });

  it('works in Hono, also after a conversion to an application and back', async () => {
    const app = new Hono();
    app.all('/admin/*', (c) => toFetch(answers)(c.req.raw));
    const direct = (await (await app.request('/admin/x', { method: 'POST', body: 'content' })).json()) as string[];
    assert.deepEqual([direct[1], direct.at(-1)], ['/admin/x', 'content']);
    const around = toFetch(fromFetch(toFetch(answers)));
    const response = await around(new Request('http://localhost/b%2Fc', { method: 'POST', body: 'content' }));
    assert.equal(((await response.json()) as string[])[1], '/b/c');
  });

  it('is iterated only as far as the response is read, and closed when the response is cancelled or the request aborted', async () => {
    for (const way of ['cancel', 'abort']) {
      let pulled = 0;
      const { happened, happen } = createSignal();
      const endless: Application = (_environ, startResponse) => {
        startResponse('200 OK', []);
        const blocks = (function* () {
          for (; ; pulled += 1) yield Buffer.alloc(65536);
        })();
        return { [Symbol.iterator]: () => blocks, close: happen };
      };
      const controller = new AbortController();
      const response = await toFetch(endless)(new Request('http://localhost/', { signal: controller.signal }));
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      assert.ok((await untilStable(() => pulled)) < 10);
      await collectGarbageRepeatedly();
      if (way === 'cancel') await reader.cancel();
      else {
        controller.abort();
        await assert.rejects(async () => {
          for (let end = false; !end; ) end = (await reader.read()).done;
        });
      }
      await happened;
    }
  });

  it('ends with its request also while it waits for nothing else', async () => {
    const aborted = createSignal();
    const waiting: Application = (environ) =>
      new Promise(() => environ['viaduct.client']?.signal.addEventListener('abort', aborted.happen));
    const controller = new AbortController();
    const rejected = assert.rejects(
      toFetch(waiting)(new Request('http://localhost/', { signal: controller.signal })),
      /aborted/,
    );
    await collectGarbageRepeatedly();
    controller.abort();
    await Promise.all([rejected, aborted.happened]);
  });

  it('rejects with errors before the response, fails its stream with later errors, and sends what it writes', async () => {
    const application: Application = async (environ, startResponse) => {
      if (environ.PATH_INFO === '/before') throw new Error('before on purpose');
      const write = startResponse('200 OK', []);
      await write(Buffer.from('written '));
      if (environ.PATH_INFO === '/written') return [Buffer.from('returned')];
      return (async function* () {
        yield Buffer.from('begun');
        throw new Error('after on purpose');
      })();
    };
    const ask = toFetch(application, { onError() {} });
    await assert.rejects(ask(new Request('http://localhost/before')), /before on purpose/);
    await assert.rejects((await ask(new Request('http://localhost/after'))).text(), /after on purpose/);
    assert.equal(await (await ask(new Request('http://localhost/written'))).text(), 'written returned');
  });

  it('reads no more of an upload than the application does, also through a handler and a listener', async () => {
    const total = 2000;
    const readers: Readonly<Record<string, (until: Promise<void>) => Application>> = {
      application: (until) => async (environ, startResponse) => {
        const blocks = environ['wsgi.input'].blocks()[Symbol.asyncIterator]();
        let bytes = (await blocks.next()).value?.length ?? 0;
        await until;
        for (let step = await blocks.next(); step.done !== true; step = await blocks.next()) bytes += step.value.length;
        startResponse('200 OK', []);
        return [Buffer.from(`${bytes}`)];
      },
      handler: (until) =>
        fromFetch(async (request) => {
          let bytes = 0;
          for await (const block of request.body as ReadableStream<Uint8Array>) {
            await until;
            bytes += block.length;
          }
          return new Response(`${bytes}`);
        }),
      listener: (until) =>
        fromNode(async (req, res) => {
          let bytes = 0;
          for await (const block of req) {
            await until;
            bytes += (block as Buffer).length;
          }
          res.end(`${bytes}`);
        }),
    };
    for (const [name, reader] of Object.entries(readers)) {
      const { happened, happen } = createSignal();
      let pulled = 0;
      const pull = (controller: ReadableStreamDefaultController): void => {
        pulled += 1;
        controller.enqueue(new Uint8Array(65536));
        if (pulled === total) controller.close();
      };
      const body = new ReadableStream({ pull }, { highWaterMark: 0 });
      const upload = toFetch(reader(happened))(
        new Request('http://localhost/', { method: 'POST', body, duplex: 'half' }),
      );
      const reached = await untilStable(() => pulled);
      assert.ok(reached > 0 && reached < 50, `${name}: ${reached}`);
      happen();
      assert.equal(await (await upload).text(), `${total * 65536}`);
    }
  });

  it('rejects when the request is aborted before the response has arrived', async () => {
    const controller = new AbortController();
    const waiting: Application = () => {
      queueMicrotask(() => controller.abort(new Error('left on purpose')));
      return new Promise(() => {});
    };
    const upload = toFetch(waiting)(new Request('http://localhost/', { signal: controller.signal }));
    await assert.rejects(upload, /left on purpose/);
  });

  it('answers HEAD, 204, 205 and 304 without content', async () => {
    const application: Application = (environ, startResponse) => {
      startResponse(`${environ.PATH_INFO.slice(1)} X`, []);
      return [Buffer.from('hello')];
    };
    const ask = toFetch(application);
    const head = await ask(new Request('http://localhost/200', { method: 'HEAD' }));
    assert.deepEqual([head.status, head.body], [200, null]);
    for (const status of [204, 205, 304]) {
      const response = await ask(new Request(`http://localhost/${status}`));
      assert.deepEqual([response.status, response.body], [status, null]);
    }
  });
});
