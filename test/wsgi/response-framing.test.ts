import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Application, Header, ResponseBody, StartResponse } from '../../src/wsgi/contract.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';

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

    it(`is sent unchanged when ${way} has that length`, async (t) => {
      const { ask, errors } = await serveWsgi(t, application);
      const { header, body, whole } = await ask('/?10');
      assert.deepEqual([header('content-length'), body, whole, errors], ['10', 'blockblock', true, []]);
    });

    it(`cuts content of ${way} that is too long, and requests no more of it`, async (t) => {
      const { ask, errors } = await serveWsgi(t, application);
      for (const length of ['5', '7', '3', '0']) {
        const { header, body, whole } = await ask(`/?${length}`);
        assert.deepEqual(
          [header('content-length'), body, whole],
          [length, 'blockblock'.slice(0, Number(length)), true],
        );
      }
      assert.ok(errors.length >= 3, `${errors.length} reports`);
      for (const line of errors) assert.match(line, /Content-Length/);
    });

    it(`that ${way} does not reach cuts the connection, and is reported`, async (t) => {
      const { ask, errors } = await serveWsgi(t, application);
      const { status, body, whole } = await ask('/?11');
      assert.deepEqual([status, body, whole], [200, 'blockblock', false]);
      assert.match(errors.join(), /Content-Length/);
    });
  }
});

describe('a response without content', { concurrency: 4 }, () => {
  for (const [way, answer] of Object.entries(WAYS)) {
    it(`has none for HEAD, whatever ${way} contains, and keeps its Content-Length`, async (t) => {
      const { ask, errors } = await serveWsgi(t, (environ, startResponse) =>
        answer(startResponse, '200 OK', environ.QUERY_STRING === '' ? [] : [['Content-Length', environ.QUERY_STRING]]),
      );
      for (const length of [null, '10', '99']) {
        const { status, body, header } = await ask(length === null ? '/' : `/?${length}`, { method: 'HEAD' });
        assert.deepEqual([status, body, header('content-length')], [200, '', length]);
        assert.equal(header('transfer-encoding'), null);
      }
      assert.deepEqual(errors, []);
    });

    for (const status of ['204 No Content', '304 Not Modified']) {
      it(`has none for ${status}, whatever ${way} contains`, async (t) => {
        const { ask, errors } = await serveWsgi(t, (_environ, startResponse) =>
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
        assert.deepEqual(errors, []);
      });
    }
  }
});
