import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mount } from '../../../src/handlers/rewriting/mount.ts';
import { type RewriteOptions, rewrite } from '../../../src/handlers/rewriting/rewrite.ts';
import { placeholders } from '../../../src/placeholders/maps.ts';
import { pass, requestOf } from '../../support/handler.ts';

/** `path?query` as the client sends it, and as the next handler receives it. */
const CASES: readonly (readonly [options: RewriteOptions, sent: string, received: string])[] = [
  [{ prefix: '/api' }, '/api/users?x=1', '/users?x=1'],
  [{ prefix: '/api' }, '/api', '/'],
  [{ prefix: '/api/' }, '/api/', '/'],
  [{ prefix: '/api' }, '/apis', '/apis'],
  [{ prefix: '/api' }, '/%61pi/a%2Fb%20c', '/a%2Fb%20c'],
  [{ prefix: '/old', replacement: '/new/place' }, '/old/x%3Fy?q', '/new/place/x%3Fy?q'],
  [{ prefix: '/old', replacement: '/über 100%' }, '/old/x', '/%C3%BCber%20100%25/x'],
  [{ prefix: '/', replacement: '/v1/' }, '/x', '/v1/x'],
  [{ prefix: '/', replacement: '/v1' }, '/', '/v1/'],
  [{ prefix: '/', replacement: '/v1' }, '*', '*'],
  [{ pattern: '^/(\\d+)$', to: '/item/{1}' }, '/12?a=b', '/item/12?a=b'],
  [{ pattern: '^/(\\d+)$', to: '/item/{1}' }, '/x', '/x'],
  [{ pattern: '^/(\\d+)$', to: '/item?id={1}' }, '/12?a=b', '/item?id=12'],
  [{ pattern: '^/(\\d+)$', to: '/item?id={1}&{query}' }, '/12?a=b', '/item?id=12&a=b'],
  [{ pattern: '^/(\\d+)$', to: '/item?id={1}&{query}' }, '/12', '/item?id=12'],
  [{ pattern: '^/(\\d+)$', to: '/item?' }, '/12?a=b', '/item'],
  [{ pattern: '^/p/(.*)$', to: '/q?name={1}' }, '/p/a&b=c%26', '/q?name=a%26b%3Dc%26'],
  [{ pattern: '^/p/(.*)$', to: '/{1}' }, '/p/a%2e%2E%2Fb', '/a%2e%2E%2Fb'],
  [{ pattern: '^/p/(.*)$', to: '/{1}' }, '/p//x', '/x'],
  [{ pattern: 'x', to: '{path}/y' }, '/x', '/x/y'],
  [{ prefix: '/api' }, '//api/x', '/x'],
  [{ prefix: '/api' }, '/api%2Fx', '/x'],
  [{ pattern: '^/p/(.*)$', decoded: true, to: '/q/{1}' }, '//%70/a%20b', '/q/a%20b'],
  [{ pattern: '^/p/(.*)$', decoded: true, to: '/q/{1}' }, '/p%2Fx%2Fy?a', '/q/x/y?a'],
  [{ pattern: '^/p/(.*)$', decoded: true, to: '/q/{1}' }, '/p/%C3%BC%FF%3Fb', '/q/%C3%BC%EF%BF%BD%3Fb'],
  [{ pattern: '^/p/(.*)$', decoded: true, to: '/q?x={1}' }, '/p/a%26b', '/q?x=a%26b'],
  [{ pattern: '^/p/(.*)$', to: '/q/{1}' }, '/%70/x', '/%70/x'],
  [{ query: { remove: ['a'] } }, '/x?a=1&b=2&a&%61=3&A=4', '/x?b=2&A=4'],
  [{ query: { remove: ['a b'] } }, '/x?a+b=1&a%20b&c=%zz', '/x?c=%zz'],
  [{ query: { set: ['a', '1 &', 'n', 'ü'] } }, '/x?b=2&a=0', '/x?b=2&a=1%20%26&n=%C3%BC'],
  [{ query: { set: ['a', '1'] } }, '/x', '/x?a=1'],
  [{ prefix: '/api', query: { set: ['v', '1'] } }, '/api/x?y', '/x?y&v=1'],
  [{ prefix: '/api', query: { set: ['v', '1'] } }, '/x?y', '/x?y'],
];

describe('a rewrite', () => {
  for (const [options, sent, received] of CASES) {
    it(`${JSON.stringify(options)} changes ${sent} to ${received}`, async () => {
      const [path = '', query = ''] = sent.split('?');
      const request = requestOf({ path, query });
      const { passed } = await pass(rewrite(options), request);
      equal(`${passed?.path}${passed?.query === '' ? '' : `?${passed?.query}`}`, received);
      equal(passed === request, sent === received);
      equal(passed?.headerCacheId, request.headerCacheId);
    });
  }

  it('has placeholders, and refuses a value that leads to a directory above', async () => {
    const handler = rewrite({ pattern: '^/(?<kind>img)$', to: '/files/{kind}/{query.name}?by={header.X-User}' });
    const { passed } = await pass(handler, requestOf({ path: '/img', query: 'name=a+b', headers: ['X-User', 'a&b'] }));
    equal(`${passed?.path}?${passed?.query}`, '/files/img/a%20b?by=a%26b');
    for (const query of ['name=..', 'name=..%2Fsecret', 'name=%5C..%5C', 'name=a%0D%0Ab']) {
      const result = await pass(handler, requestOf({ path: '/img', query }));
      equal(result.response.status, 400, query);
      equal(result.passed, null);
    }
  });

  it('refuses a group that is a segment of dots only in the new path', async () => {
    const handler = rewrite({ pattern: '^/file(.*)$', to: '/files/{1}' });
    for (const path of ['/file..', '/file../secret', '/file%2e%2e/secret', '/file..%2Fsecret', '/file./x'])
      equal((await pass(handler, requestOf({ path }))).response.status, 400, path);
    equal((await pass(handler, requestOf({ path: '/file..a/x' }))).passed?.path, '/files/..a/x');
  });

  it('leads where a map says', async () => {
    const known = placeholders({ page: { source: '{query.id}', values: { 7: '/seven?{query}' } } });
    const handler = rewrite({ pattern: '^/page$', to: '{map.page}' }, known);
    const { passed } = await pass(handler, requestOf({ path: '/page', query: 'id=7' }));
    equal(`${passed?.path}?${passed?.query}`, '/seven?id=7');
    equal((await pass(handler, requestOf({ path: '/page', query: 'id=8' }))).passed?.path, '/page');
    throws(
      () =>
        rewrite({ pattern: 'a', to: '{map.out}' }, placeholders({ out: { source: '{path}', default: 'http://a/' } })),
      /not a path/,
    );
  });

  it('keeps the prefix of a mount', async () => {
    const request = requestOf({ path: '/%61pp/api/x', scriptName: '/%61pp' });
    for (const options of [{ prefix: '/api' }, { pattern: '^/api/(.*)$', to: '/{1}' }]) {
      const { passed } = await pass(rewrite(options), request);
      equal(passed?.path, '/%61pp/x');
      equal(passed?.scriptName, '/%61pp');
    }
    equal((await pass(rewrite({ pattern: 'x', to: '{path}/y' }), request)).passed?.path, '/%61pp/api/x/y');
    equal((await pass(rewrite({ prefix: '/app' }), request)).passed, request);
  });

  const invalid: readonly (readonly [RewriteOptions, RegExp])[] = [
    [{}, /no option is set/],
    [{ pattern: 'a' }, /to is missing/],
    [{ prefix: '/a', decoded: true }, /decoded is about pattern/],
    [{ to: '/a' }, /pattern is missing/],
    [{ prefix: '/a', to: '/b' }, /do not fit together/],
    [{ prefix: '/a', pattern: 'a', to: '/b' }, /do not fit together/],
    [{ replacement: '/a' }, /do not fit together/],
    [{ replacement: '/a', pattern: 'a', to: '/b' }, /do not fit together/],
    [{ prefix: 'a' }, /rewrite prefix/],
    [{ prefix: '/a', replacement: 'b' }, /rewrite replacement/],
    [{ pattern: '(', to: '/b' }, /rewrite pattern/],
    [{ pattern: 'a', to: 'https://other.example/' }, /not a path/],
    [{ pattern: 'a', to: '/b#c' }, /not a path/],
    [{ pattern: 'a', to: '/{1}' }, /\{1\}/],
    [{ pattern: 'a', to: '{header.X}' }, /neither/],
  ];
  for (const [options, message] of invalid) {
    it(`is refused at start with ${JSON.stringify(options)}`, () => {
      throws(() => rewrite(options), message);
    });
  }
});

describe('a mount', () => {
  const cases: readonly (readonly [prefix: string, path: string, scriptName: string | null])[] = [
    ['/app', '/app', '/app'],
    ['/app', '/app/', '/app'],
    ['/app/', '/app/x%2Fy', '/app'],
    ['/app', '/%61pp/x', '/%61pp'],
    ['/app', '/apple', null],
    ['/app', '/', null],
    ['/', '/x', ''],
    ['/a b/ü', '/a%20b/%C3%BC/x', '/a%20b/%C3%BC'],
  ];
  for (const [prefix, path, scriptName] of cases) {
    it(`at ${prefix} ${scriptName === null ? 'does not have' : 'has'} ${path}`, async () => {
      const { response, passed } = await pass(mount({ prefix }), requestOf({ path }));
      equal(response.status, scriptName === null ? 404 : 200);
      deepEqual([passed?.path, passed?.scriptName], scriptName === null ? [undefined, undefined] : [path, scriptName]);
    });
  }

  it('reads slashes of the prefix that are repeated or encoded as one slash', async () => {
    for (const path of ['//app/x', '/app%2Fx', '/%2fapp//x']) {
      const { passed } = await pass(mount({ prefix: '/app' }), requestOf({ path }));
      deepEqual([passed?.path, passed?.scriptName], ['/app/x', '/app']);
    }
    equal((await pass(mount({ prefix: '/app' }), requestOf({ path: '//apple' }))).response.status, 404);
  });

  it('inside a mount starts where the prefix of the outer mount ends', async () => {
    const { passed } = await pass(mount({ prefix: '/b' }), requestOf({ path: '/a/b/c', scriptName: '/a' }));
    equal(passed?.scriptName, '/a/b');
    equal((await pass(mount({ prefix: '/a' }), requestOf({ path: '/a/b/c', scriptName: '/a' }))).response.status, 404);
  });

  it('is refused at start when the prefix is not a path', () => {
    throws(() => mount({ prefix: 'app' }), /mount prefix/);
  });
});
