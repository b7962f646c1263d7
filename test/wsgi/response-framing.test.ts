import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Application, Header, ResponseBody, StartResponse } from '../../src/wsgi/contract.ts';
import { serveHere } from '../support/application-server.ts';

const block = Buffer.from('block');

/** Ways to answer `blockblock`. */
const WAYS: Readonly<
  Record<string, (startResponse: StartResponse, status: string, headers: readonly Header[]) => ResponseBody>
> = {
  'an array': (startResponse, status, headers) => {
    startResponse(status, headers);
    return [block, block];
  },
  'a generator': (startResponse, status, headers) => {
    startResponse(status, headers);
    return [block, block].values();
  },
  'an async generator': (startResponse, status, headers) => {
    startResponse(status, headers);
    return (async function* () {
      yield block;
      yield block;
    })();
  },
  write: (startResponse, status, headers) => {
    const write = startResponse(status, headers);
    void write(block);
    void write(block);
    return [];
  },
  'write and an array': (startResponse, status, headers) => {
    void startResponse(status, headers)(block);
    return [block];
  },
};

describe('Content-Length', { concurrency: 4 }, () => {
  for (const [way, answer] of Object.entries(WAYS)) {
    const application: Application = (environ, startResponse) =>
      answer(startResponse, '200 OK', [['Content-Length', environ.QUERY_STRING]]);

    it(`is sent as it is when ${way} has that much`, async (t) => {
      const { ask, told } = await serveHere(t, application);
      const { header, body, whole } = await ask('/?10');
      assert.deepEqual([header('content-length'), body, whole, told], ['10', 'blockblock', true, []]);
    });

    it(`cuts what is too much of ${way}, and tells where there is no more to ask for`, async (t) => {
      const { ask, told } = await serveHere(t, application);
      for (const length of ['5', '7', '3', '0']) {
        const { header, body, whole } = await ask(`/?${length}`);
        assert.deepEqual(
          [header('content-length'), body, whole],
          [length, 'blockblock'.slice(0, Number(length)), true],
        );
      }
      for (const line of told) assert.match(line, /Content-Length/);
    });

    it(`that ${way} does not reach cuts the connection, and is told`, async (t) => {
      const { ask, told } = await serveHere(t, application);
      const { status, body, whole } = await ask('/?11');
      assert.deepEqual([status, body, whole], [200, 'blockblock', false]);
      assert.match(told.join(), /Content-Length/);
    });
  }
});

describe('a response without content', { concurrency: 4 }, () => {
  for (const [way, answer] of Object.entries(WAYS)) {
    it(`has none for HEAD, whatever ${way} holds, and keeps its Content-Length`, async (t) => {
      const { ask, told } = await serveHere(t, (environ, startResponse) =>
        answer(startResponse, '200 OK', environ.QUERY_STRING === '' ? [] : [['Content-Length', environ.QUERY_STRING]]),
      );
      for (const length of [null, '10', '99']) {
        const { status, body, header } = await ask(length === null ? '/' : `/?${length}`, { method: 'HEAD' });
        assert.deepEqual([status, body, header('content-length')], [200, '', length]);
        assert.equal(header('transfer-encoding'), null);
      }
      assert.deepEqual(told, []);
    });

    for (const status of ['204 No Content', '304 Not Modified']) {
      it(`has none for ${status}, whatever ${way} holds`, async (t) => {
        const { ask, told } = await serveHere(t, (_environ, startResponse) =>
          answer(startResponse, status, [
            ['Content-Length', '10'],
            ['ETag', '"x"'],
          ]),
        );
        const answered = await ask();
        assert.deepEqual(
          [answered.status, answered.body, answered.header('etag')],
          [Number(status.slice(0, 3)), '', '"x"'],
        );
        assert.equal(answered.header('content-length'), status.startsWith('204') ? null : '10'); // RFC 9110 section 8.6
        assert.equal(answered.header('transfer-encoding'), null);
        assert.deepEqual(told, []);
      });
    }
  }
});
