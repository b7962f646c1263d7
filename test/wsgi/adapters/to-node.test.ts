import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import type { Application } from 'viaduct';
import { FRAMEWORKS } from '../../support/frameworks.ts';
import { createSignal, untilStable } from '../../support/wait.ts';

const TEXT = [['Content-Type', 'text/plain']] as const;
const quiet = { onError() {} };

/** Answers with its environ as JSON. */
const environ: Application = (given, startResponse) => {
  startResponse('200 All Right', [...TEXT, ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2; Path=/'], ['X-Latin', 'é']]);
  const strings = Object.entries(given).filter(([, value]) => typeof value === 'string');
  return [Buffer.from(JSON.stringify(Object.fromEntries(strings)))];
};

const digest: Application = async (given, startResponse) => {
  const hash = createHash('sha256');
  for await (const block of given['wsgi.input'].blocks()) hash.update(block);
  startResponse('200 OK', TEXT);
  return [Buffer.from(`${given.CONTENT_LENGTH ?? 'chunked'} ${hash.digest('hex')}`)];
};

const statuses: Application = (given, startResponse) => {
  const status = given.PATH_INFO.slice(1);
  startResponse(`${status} X`, status === '200' ? [['Content-Length', '5']] : []);
  return given.REQUEST_METHOD === 'HEAD' || status !== '200' ? [] : [Buffer.from('hello')];
};

async function head(url: string, method = 'GET', headers: readonly string[] = ['Host', 'localhost']) {
  const asked = httpRequest(url, { method, headers: headers as never, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

for (const [name, mount] of Object.entries(FRAMEWORKS)) {
  describe(`an application in ${name}`, () => {
    it('gets its mount, the original path, and the headers that an application may see', async (t) => {
      const url = await mount(t, environ);
      const headers = ['Host', 'shop.example', 'X-Kept', '1', 'X-Kept', '2', 'X_Kept', '3', 'Proxy', 'evil'];
      const response = await head(`${url}/admin/caf%C3%A9/a%2Fb?q=%20`, 'GET', headers);
      assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2; Path=/']);
      assert.deepEqual([response.statusCode, response.statusMessage], [200, 'All Right']);
      assert.equal(response.headers['x-latin'], 'é');
      const seen = JSON.parse(Buffer.concat(await response.toArray()).toString()) as Record<string, string>;
      assert.deepEqual(
        [seen.SCRIPT_NAME, seen.PATH_INFO, seen.QUERY_STRING, seen.REQUEST_URI],
        ['/admin', '/cafÃ©/a/b', 'q=%20', '/admin/caf%C3%A9/a%2Fb?q=%20'],
      );
      assert.deepEqual([seen.HTTP_HOST, seen.HTTP_X_KEPT, seen.HTTP_PROXY], ['shop.example', '1, 2', undefined]);
      assert.deepEqual([seen.REMOTE_ADDR, seen.SERVER_PORT], ['127.0.0.1', new URL(url).port]);
    });

    it('answers for the mount itself, and not for paths beside it', async (t) => {
      const url = await mount(t, environ);
      const paths: (string | undefined)[] = [];
      for (const path of ['/admin', '/admin/', '/admin?q']) {
        const seen = JSON.parse(await (await fetch(url + path)).text()) as Record<string, string>;
        paths.push(seen.SCRIPT_NAME, seen.PATH_INFO);
      }
      assert.deepEqual(
        paths.filter((_, index) => index % 2 === 0),
        ['/admin', '/admin', '/admin'],
      );
      assert.equal(paths[3], '/');
      assert.equal((await fetch(`${url}/administrator`)).status, 404);
    });

    it('reads an upload of 10 MB, with and without a length', async (t) => {
      const url = await mount(t, digest);
      const content = randomBytes(10_000_000);
      const sha = createHash('sha256').update(content).digest('hex');
      const whole = await fetch(`${url}/admin/`, { method: 'POST', body: content });
      assert.equal(await whole.text(), `10000000 ${sha}`);
      const body = new Blob([content]).stream();
      const chunked = await fetch(`${url}/admin/`, { method: 'POST', body, duplex: 'half' });
      assert.equal(await chunked.text(), `chunked ${sha}`);
    });

    it('streams in both directions at the same time', async (t) => {
      const echo: Application = (given, startResponse) => {
        startResponse('200 OK', TEXT);
        return given['wsgi.input'].blocks();
      };
      const url = await mount(t, echo);
      const asked = httpRequest(`${url}/admin/`, { method: 'POST', agent: false });
      asked.write('first');
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      assert.equal(String((await once(response, 'data'))[0]), 'first');
      const ended = once(response, 'end');
      asked.end('second');
      assert.equal(String((await once(response, 'data'))[0]), 'second');
      await ended;
    });

    it('notices that its client has left: the iteration ends, the body is closed once, the signal is aborted', async (t) => {
      const seen: string[] = [];
      const { happened, happen } = createSignal();
      const application: Application = (given, startResponse) => {
        given['viaduct.client']?.signal.addEventListener('abort', () => seen.push('signal'));
        startResponse('200 OK', TEXT);
        const blocks = (async function* () {
          try {
            for (;;) yield Buffer.from('block');
          } finally {
            seen.push('return');
          }
        })();
        const close = (): void => {
          seen.push('close');
          happen();
        };
        return { [Symbol.asyncIterator]: () => blocks, close };
      };
      const url = await mount(t, application);
      (await head(`${url}/admin/`)).destroy();
      await happened;
      await new Promise(setImmediate);
      assert.deepEqual(seen.toSorted(), ['close', 'return', 'signal']);
    });

    it('causes a 500 when it throws, and breaks off its response when it throws later', async (t) => {
      const errors: unknown[] = [];
      const application: Application = (given, startResponse) => {
        if (given.PATH_INFO === '/before') throw new Error('before on purpose');
        startResponse('200 OK', TEXT);
        return (async function* () {
          yield Buffer.from('begun');
          throw new Error('after on purpose');
        })();
      };
      const url = await mount(t, application, { onError: (error) => errors.push(error) });
      assert.equal((await fetch(`${url}/admin/before`)).status, 500);
      const response = await fetch(`${url}/admin/after`);
      assert.equal(response.status, 200);
      await assert.rejects(response.text());
      assert.match(String(errors.at(-1)), /after on purpose/);
    });

    it('answers HEAD, 204 and 304 without content', async (t) => {
      const url = await mount(t, statuses);
      const asked = await head(`${url}/admin/200`, 'HEAD');
      assert.deepEqual([asked.statusCode, asked.headers['content-length']], [200, '5']);
      for (const status of [204, 304]) {
        const response = await head(`${url}/admin/${status}`);
        assert.equal(response.statusCode, status);
        assert.equal(response.headers['transfer-encoding'], undefined);
        assert.equal((await response.toArray()).length, 0);
      }
    });

    it('produces no more than the client reads', async (t) => {
      let pulled = 0;
      const total = 2000;
      const application: Application = (_given, startResponse) => {
        startResponse('200 OK', TEXT);
        return (function* () {
          for (; pulled < total; pulled += 1) yield Buffer.alloc(65536);
        })();
      };
      const url = await mount(t, application);
      const response = await head(`${url}/admin/`);
      response.pause();
      const reached = await untilStable(() => pulled);
      assert.ok(reached > 0 && reached < total / 2, `${reached}`);
      let received = 0;
      for await (const block of response) received += (block as Buffer).length;
      assert.equal(received, total * 65536);
    });

    it('may send more or less than it has announced', async (t) => {
      const application: Application = (given, startResponse) => {
        startResponse('200 OK', [['Content-Length', '4']]);
        const text = given.PATH_INFO.slice(1);
        return given.QUERY_STRING === 'whole' ? [Buffer.from(text)] : characters(text);
      };
      const url = await mount(t, application, quiet);
      for (const query of ['whole', 'parts']) {
        assert.equal(await (await fetch(`${url}/admin/123456?${query}`)).text(), '1234');
        await assert.rejects(fetch(`${url}/admin/12?${query}`).then((response) => response.text()));
      }
    });
  });
}

async function* characters(text: string): AsyncGenerator<Buffer> {
  for (const character of text) yield Buffer.from(character);
}
