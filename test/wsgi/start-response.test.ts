import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Application, Header, StartResponse } from '../../src/wsgi/contract.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';

const block = Buffer.from('block');
const TEXT: readonly Header[] = [['Content-Type', 'text/plain']];

describe('start_response', { concurrency: 4 }, () => {
  it('fails the request when it is called twice without excInfo', async (t) => {
    const { ask, errors } = await serveWsgi(t, (_environ, startResponse) => {
      startResponse('200 OK', TEXT);
      startResponse('201 Created', TEXT);
      return [block];
    });
    const { status, body } = await ask();
    assert.deepEqual([status, body], [500, 'failed']);
    assert.match(errors.join(), /start_response was called a second time without excInfo/);
  });

  for (const [what, application] of Object.entries<Application>({
    'an array': () => [block],
    'an empty array': () => [],
    'a generator': () => [block][Symbol.iterator](),
    'an empty async generator': () => (async function* () {})(),
    'a promise': async () => [block],
  })) {
    it(`fails the request when it was never called, with ${what}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, application);
      const { status, body } = await ask();
      assert.deepEqual([status, body], [500, 'failed']);
      assert.match(errors.join(), /start_response/);
      assert.equal(errors.length, 1);
    });
  }

  it('may be called during the iteration, before the first block that is not empty', async (t) => {
    for (const isAsync of [false, true]) {
      const { ask, errors } = await serveWsgi(t, (_environ, startResponse) => {
        const late = function* () {
          yield Buffer.alloc(0);
          startResponse('202 Accepted', TEXT);
          yield block;
        };
        return isAsync
          ? (async function* () {
              yield* late();
            })()
          : late();
      });
      const { status, body, whole } = await ask();
      assert.deepEqual([status, body, whole, errors], [202, 'block', true, []]);
    }
  });

  it('replaces status and headers when it is called with excInfo before they were sent', async (t) => {
    const { ask, errors } = await serveWsgi(t, (_environ, startResponse) => {
      startResponse('200 OK', [['X-First', '1']]);
      startResponse('503 Service Unavailable', [['X-Second', '2']], new Error('on purpose'));
      return [block];
    });
    const answer = await ask();
    assert.deepEqual([answer.status, answer.header('x-first'), answer.header('x-second')], [503, null, '2']);
    assert.deepEqual(errors, []);
  });

  it('may be called with excInfo the first time, and treats null as absent', async (t) => {
    const { ask, errors } = await serveWsgi(t, (environ, startResponse) => {
      startResponse('500 Internal Server Error', TEXT, environ.PATH_INFO === '/error' ? 'any value' : null);
      if (environ.PATH_INFO === '/twice') startResponse('200 OK', TEXT, null);
      return [block];
    });
    assert.equal((await ask('/error')).body, 'block');
    assert.equal((await ask('/null')).body, 'block');
    assert.deepEqual(errors, []);
    assert.equal((await ask('/twice')).body, 'failed');
    assert.match(errors.join(), /a second time/);
  });

  it('throws excInfo when the headers were sent, with write or with a block, and the response breaks off', async (t) => {
    const caught: unknown[] = [];
    const problem = new Error('on purpose');
    const again = (startResponse: StartResponse): void => {
      try {
        startResponse('500 Internal Server Error', TEXT, problem);
      } catch (error) {
        caught.push(error);
        throw error;
      }
    };
    const { ask, errors } = await serveWsgi(t, (environ, startResponse) => {
      const write = startResponse('200 OK', TEXT);
      if (environ.PATH_INFO === '/write') {
        void write(block);
        again(startResponse);
      }
      return (function* () {
        yield block;
        again(startResponse);
      })();
    });
    for (const target of ['/write', '/iteration']) {
      const { status, whole } = await ask(target);
      assert.deepEqual([status === 200 && whole, caught.splice(0)], [false, [problem]], target);
    }
    assert.match(errors.join(), /on purpose/);
  });

  for (const status of [
    '200OK',
    '20 OK',
    '2000 OK',
    '101 Switching Protocols',
    '100 Continue',
    ' 200 OK',
    '200 O\r\nK',
    '200 €',
    '',
    200,
  ]) {
    it(`refuses the status ${JSON.stringify(status)}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, (_environ, startResponse) => {
        startResponse(status as string, TEXT);
        return [block];
      });
      assert.equal((await ask()).body, 'failed');
      assert.match(errors.join(), /Cannot send status/);
    });
  }

  it('keeps the reason of the application', async (t) => {
    const { ask } = await serveWsgi(t, (_environ, startResponse) => {
      startResponse('299 Fine, caf\xe9', TEXT);
      return [];
    });
    const { status, reason } = await ask();
    assert.deepEqual([status, reason], [299, 'Fine, caf\xe9']);
  });

  for (const [what, headers] of Object.entries<unknown>({
    'CR and LF in a value': [['X-A', 'a\r\nSet-Cookie: b']],
    'LF in a value': [['X-A', 'a\nb']],
    'NUL in a value': [['X-A', 'a\0']],
    'DEL in a value': [['X-A', 'a\x7f']],
    'CR and LF in a name': [['X-A: a\r\nX-B', 'b']],
    'a space in a name': [['X A', 'a']],
    'an empty name': [['', 'a']],
    'a value beyond latin-1': [['X-A', '€']],
    'a name beyond ASCII': [['X-Ä', 'a']],
    'a value that is a number': [['X-A', 7]],
    'a header that is no pair': [['X-A']],
    'a header that is a string': ['X-A'],
    'headers that are an object': { 'X-A': 'a' },
    'headers that are null': null,
    'headers that are missing': undefined,
    'a Content-Length that is no number': [['Content-Length', '5, 5']],
    'a second Content-Length': [
      ['Content-Length', '5'],
      ['Content-Length', '5'],
    ],
  })) {
    it(`refuses ${what} when it is called`, async (t) => {
      let caught: unknown;
      const { ask, errors } = await serveWsgi(t, (_environ, startResponse) => {
        try {
          startResponse('200 OK', headers as readonly Header[]);
        } catch (error) {
          caught = error;
          throw error;
        }
        return [block];
      });
      const { status, body, headers: sent } = await ask();
      assert.deepEqual(
        [status, body, sent.some(([name]) => name.startsWith('x-') || name === 'set-cookie')],
        [500, 'failed', false],
      );
      assert.equal((caught as { code?: string }).code, 'HEADER_INVALID');
      assert.equal(errors.length, 1);
    });
  }

  it('leaves out hop-by-hop fields, with a notice for each place', async (t) => {
    const names = ['Connection', 'keep-alive', 'Transfer-Encoding', 'TE', 'Trailer', 'Upgrade', 'Proxy-Connection'];
    const { ask, errors, notices } = await serveWsgi(t, (_environ, startResponse) => {
      startResponse('200 OK', [['X-A', '1'], ...names.map((name) => [name, 'x'] as const), ['X-B', '2']]);
      return [block];
    });
    for (let round = 0; round < 2; round += 1) {
      const { body, header } = await ask();
      assert.deepEqual([body, header('x-a'), header('x-b')], ['block', '1', '2']);
      for (const name of names) assert.notEqual(header(name.toLowerCase()), 'x');
    }
    assert.deepEqual([errors, notices.length], [[], names.length]);
    assert.match(
      notices[0] as string,
      /the field Connection, which belongs to the server.*start-response\.test\.[jt]s:\d+/,
    );
  });

  it('sends names unchanged, values as latin-1, and fields in their order, also repeated fields', async (t) => {
    const { ask } = await serveWsgi(t, (_environ, startResponse) => {
      startResponse('200 OK', [
        ['x-Name', 'caf\xe9\ttab'],
        ['Set-Cookie', 'a=1'],
        ['X-Empty', ''],
        ['Set-Cookie', 'b=2'],
      ]);
      return [];
    });
    const { headers } = await ask();
    assert.deepEqual(headers.slice(0, 4), [
      ['x-name', 'caf\xe9\ttab'],
      ['set-cookie', 'a=1'],
      ['x-empty', ''],
      ['set-cookie', 'b=2'],
    ]);
  });

  it('lets an application catch the error about a header, and send another answer', async (t) => {
    const { ask, errors } = await serveWsgi(t, (_environ, startResponse) => {
      try {
        startResponse('200 OK', [['X-A', 'a\nb']]);
      } catch {
        startResponse('400 Bad Request', TEXT);
      }
      return [block];
    });
    const { status, body } = await ask();
    assert.deepEqual([status, body, errors], [400, 'block', []]);
  });
});
