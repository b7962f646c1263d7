import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FileBody, ResponseBody as HttpBody } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import type { Middleware, ResponseBody } from '../../src/wsgi/contract.ts';
import { applicationOf } from '../../src/wsgi/native-application.ts';
import { BlockSource } from '../support/block-source.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

const THIS = fileURLToPath(import.meta.url);
const TEXT = readFileSync(THIS, 'latin1');

/** An application that answers requests, as Python applications do. */
function python(make: () => HttpBody, length = -1) {
  const headers = length < 0 ? [] : ['Content-Length', `${length}`];
  return applicationOf(() => Response.fromHeaders(200, headers, make()));
}

const passing: Middleware = (application) => (environ, startResponse) => application(environ, startResponse);

/** Iterates the body, as middleware that changes blocks does. */
const upper: Middleware = (application) => async (environ, startResponse) => {
  const body = await application(environ, startResponse);
  const blocks = (async function* () {
    for await (const block of body) yield Buffer.from(Buffer.from(block).toString('latin1').toUpperCase(), 'latin1');
  })();
  return Object.assign(blocks, { close: () => body.close?.() }) as ResponseBody;
};

const WAYS: readonly [string, Middleware, (text: string) => string][] = [
  ['passed on', passing, (text) => text],
  ['iterated', upper, (text) => text.toUpperCase()],
];

/** A stream of these blocks that then fails or ends. */
function streaming(source: BlockSource, blocks: readonly string[], error?: Error): void {
  void source.sink.then((sink) => {
    for (const block of blocks) sink.write(Buffer.from(block));
    if (error === undefined) sink.end();
    else sink.fail(error);
  });
}

/** A part of a file, and how often it was released. */
function part(start: number, end: number): { readonly body: FileBody; released(): number } {
  const fd = openSync(THIS, 'r');
  let released = 0;
  const release = (): void => {
    released += 1;
    if (released === 1) closeSync(fd);
  };
  return { body: { fd, start, end, release }, released: () => released };
}

describe('the body of an application that answers requests', { concurrency: 4 }, () => {
  for (const [way, middleware, expected] of WAYS) {
    it(`arrives whole when a stream is ${way} by middleware`, async (t) => {
      const source = new BlockSource();
      streaming(source, ['one ', 'two ', 'x'.repeat(200_000)]);
      const { ask, errors } = await serveWsgi(t, middleware(python(() => source)));
      const { body, whole } = await ask();
      assert.ok(body === expected(`one two ${'x'.repeat(200_000)}`));
      assert.deepEqual([whole, errors, source.cancelled], [true, [], 0]);
    });

    it(`breaks off when a stream fails that is ${way} by middleware`, async (t) => {
      const source = new BlockSource();
      streaming(source, ['one '], new Error('on purpose'));
      const { ask, errors } = await serveWsgi(t, middleware(python(() => source)));
      const { body, whole } = await ask();
      assert.deepEqual([body, whole, errors], [expected('one '), false, ['on purpose']]);
    });

    it(`is cancelled when the client leaves, also while it waits for a block of a stream that is ${way}`, async (t) => {
      const source = new BlockSource();
      const server = await serveWsgi(t, middleware(python(() => source)));
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      (await source.sink).write(Buffer.from('one '));
      await client.until(/one /i);
      client.socket.resetAndDestroy();
      await source.until(({ cancelled }) => cancelled === 1);
      assert.deepEqual(server.errors, []);
    });

    it(`is released once when a file is ${way} by middleware, and for HEAD`, async (t) => {
      for (const method of ['GET', 'HEAD']) {
        const file = part(10, 500);
        const { ask, errors } = await serveWsgi(t, middleware(python(() => file.body, 490)));
        const { body, header } = await ask('/', { method });
        assert.equal(body, method === 'HEAD' ? '' : expected(TEXT.slice(10, 500)));
        assert.equal(header('content-length'), '490');
        await eventually('the file is released', () => file.released() > 0);
        assert.deepEqual([file.released(), errors], [1, []]);
      }
    });

    it(`is cancelled for HEAD when a stream is ${way} by middleware`, async (t) => {
      const source = new BlockSource();
      void source.sink.then((sink) => sink.write(Buffer.from('one ')));
      const { ask } = await serveWsgi(t, middleware(python(() => source)));
      assert.equal((await ask('/', { method: 'HEAD' })).body, '');
      await source.until(({ cancelled }) => cancelled === 1);
    });
  }

  it('pauses the stream while the iteration does not take its blocks', async (t) => {
    const source = new BlockSource();
    let go = (): void => {};
    const isFree = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow: Middleware = (application) => async (environ, startResponse) => {
      const body = await application(environ, startResponse);
      return (async function* () {
        for await (const block of body) {
          await isFree;
          yield block;
        }
      })();
    };
    const { ask } = await serveWsgi(t, slow(python(() => source)));
    const answer = ask();
    const sink = await source.sink;
    for (let i = 0; i < 10; i += 1) sink.write(Buffer.alloc(20_000, 'x'));
    assert.equal(source.paused, true);
    go();
    await source.until(({ paused }) => !paused);
    sink.end();
    assert.equal((await answer).body.length, 200_000);
  });

  it('is released when middleware answers with another body and closes it', async (t) => {
    const file = part(0, 100);
    const source = new BlockSource();
    const instead: Middleware = (application) => async (environ, startResponse) => {
      const body = await application(environ, startResponse);
      await body.close?.();
      await body.close?.();
      return [Buffer.from('instead')];
    };
    for (const body of [file.body, source]) {
      const { ask } = await serveWsgi(t, instead(python(() => body)));
      assert.equal((await ask()).body, 'instead');
    }
    assert.deepEqual([file.released(), source.cancelled], [1, 1]);
  });

  it('is closed when middleware stops the iteration of a file early', async (t) => {
    const file = part(0, TEXT.length);
    const first: Middleware = (application) => async (environ, startResponse) => {
      const body = await application(environ, startResponse);
      const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
      const block = iterator.next();
      await body.close?.(); // during a read
      assert.equal(file.released(), 0);
      return [((await block).value as Uint8Array).subarray(0, 5)];
    };
    const { ask, errors } = await serveWsgi(t, first(python(() => file.body)));
    assert.deepEqual([(await ask()).body, errors], [TEXT.slice(0, 5), []]);
    await eventually('the file is released', () => file.released() === 1);
  });
});
