import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Environ } from '../../src/wsgi/contract.ts';
import { pathText } from '../../src/wsgi/variables.ts';
import type { HttpRequest } from '../support/http-message.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';

/** The strings in the environ that the application gets. */
async function environs(t: TestContext) {
  const seen: Environ[] = [];
  const server = await serveWsgi(t, (environ, startResponse) => {
    seen.push({ ...environ });
    environ.HTTP_X_LEFT = 'by the application';
    environ.PATH_INFO = '/changed';
    startResponse('200 OK', []);
    return [];
  });
  return async (target: string, request?: HttpRequest): Promise<Environ> => {
    assert.equal((await server.ask(target, request)).status, 200);
    return seen.pop() as Environ;
  };
}

describe('the environ', { concurrency: 4 }, () => {
  for (const [target, path, text] of [
    ['/a%2Fb', '/a/b', '/a/b'],
    ['/a%2fb%25', '/a/b%', '/a/b%'],
    ['/caf%C3%A9', '/caf\xc3\xa9', '/café'],
    ['/%E2%82%AC', '/\xe2\x82\xac', '/€'],
    ['/%ff%C3', '/\xff\xc3', '/\ufffd\ufffd'],
    ['/a+b;c=d', '/a+b;c=d', '/a+b;c=d'],
    ['/%3F?a%2Fb=%C3', '/?', '/?'],
    ['//a//b/', '//a//b/', '//a//b/'],
    ['/a?', '/a', '/a'],
    ['/?', '/', '/'],
    ['/a%3F?', '/a?', '/a?'],
  ] as const) {
    it(`has the PATH_INFO ${JSON.stringify(path)} when the path is ${target}`, async (t) => {
      const { PATH_INFO, SCRIPT_NAME, QUERY_STRING, REQUEST_URI, RAW_URI } = await (await environs(t))(target);
      assert.deepEqual([PATH_INFO, pathText(PATH_INFO), SCRIPT_NAME], [path, text, '']);
      assert.deepEqual([QUERY_STRING, REQUEST_URI, RAW_URI], [target.split('?')[1] ?? '', target, target]);
    });
  }

  it('has the target as received in REQUEST_URI and RAW_URI, also one that is a URI or has angle brackets', async (t) => {
    const ask = await environs(t);
    for (const [target, path, query] of [
      ['http://other.example/a%2Fb//c?x', '/a/b//c', 'x'],
      ['http://other.example', '/', ''],
      ['http://other.example?', '/', ''],
      ['/a<b>/c?q=<x>', '/a<b>/c', 'q=%3Cx%3E'],
      ['/a<b?', '/a<b', ''],
    ] as const) {
      const { PATH_INFO, QUERY_STRING, REQUEST_URI, RAW_URI } = await ask(target);
      assert.deepEqual([PATH_INFO, QUERY_STRING, REQUEST_URI, RAW_URI], [path, query, target, target]);
    }
  });

  for (const target of ['/%', '/%4', '/%zz%41', '/%00']) {
    it(`is not made when the path is ${target}: the client gets 400`, async (t) => {
      const server = await serveWsgi(t, () => assert.fail());
      assert.deepEqual([(await server.ask(target)).status, server.errors], [400, []]);
    });
  }

  it('has an empty PATH_INFO when the target of OPTIONS is *', async (t) => {
    const { PATH_INFO, REQUEST_METHOD } = await (await environs(t))('*', { method: 'OPTIONS' });
    assert.deepEqual([PATH_INFO, REQUEST_METHOD], ['', 'OPTIONS']);
  });

  it('is a new plain object for each request, without the changes that were made to the last one', async (t) => {
    const ask = await environs(t);
    for (let i = 0; i < 3; i += 1) {
      const environ = await ask('/same');
      assert.deepEqual([environ.HTTP_X_LEFT, environ.PATH_INFO], [undefined, '/same']);
      assert.equal(Object.getPrototypeOf(environ), Object.prototype);
    }
  });

  it('joins repeated fields, and drops fields that could be mistaken for others', async (t) => {
    const environ = await (await environs(t))('/', {
      headers: [
        ['X-Twice', 'a'],
        ['x-twice', 'b'],
        ['Cookie', 'a=1'],
        ['Cookie', 'b=2'],
        ['X_Real_IP', 'mine'],
        ['X-Real-IP', 'proxy'],
        ['Proxy', 'http://evil'],
        ['X-Name', 'caf\xe9'],
        ['Content-Type', 'a/b'],
      ],
    });
    assert.deepEqual(
      [environ.HTTP_X_TWICE, environ.HTTP_COOKIE, environ.HTTP_X_REAL_IP, environ.HTTP_PROXY, environ.HTTP_X_NAME],
      ['a, b', 'a=1; b=2', 'proxy', undefined, 'caf\xe9'],
    );
    assert.deepEqual([environ.CONTENT_TYPE, 'HTTP_CONTENT_TYPE' in environ], ['a/b', false]);
  });

  it('names the protocol of the request', async (t) => {
    const ask = await environs(t);
    assert.equal((await ask('/', { version: '1.0' })).SERVER_PROTOCOL, 'HTTP/1.0');
    assert.equal((await ask('/')).SERVER_PROTOCOL, 'HTTP/1.1');
  });
});
