import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Response } from '../../src/http/response.ts';
import { responseFields } from '../../src/http/response-fields.ts';
import { STANDARD_PLACEHOLDERS } from '../../src/placeholders/placeholders.ts';
import { type RewritingOptions, rewritingOf } from '../../src/proxy/rewritten-response.ts';
import { startBackend } from '../support/backend.ts';
import { requestOf } from '../support/handler.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';

const NONE: RewritingOptions = { redirects: [], cookiePath: [], cookieDomain: [], cookieFlags: [], ownCookie: null };

const REQUEST = requestOf({
  ...{ path: '/a', query: 'next=%3B%0D%0Ax', host: 'Shop.example:81', peer: { secure: true } },
});

function rewritingFor(options: Partial<RewritingOptions>): ReturnType<typeof rewritingOf> {
  return rewritingOf({ ...NONE, ...options }, STANDARD_PLACEHOLDERS);
}

function rewrite(options: Partial<RewritingOptions>, fields: readonly string[], status = 302): string[] {
  return responseFields(rewritingFor(options)(REQUEST, Response.fromHeaders(status, fields, null)));
}

describe('redirects of a backend', () => {
  const redirects = [
    { from: 'http://up:8000/two/', to: '/one/' },
    { from: 'http://up:8000/two/special/', to: '/never/' },
    { from: '/two/', to: 'https://public.example/one/' },
  ];
  for (const [url, expected] of [
    ['http://up:8000/two/some/uri/?a=/two/', '/one/some/uri/?a=/two/'],
    ['http://up:8000/two/special/', '/one/special/'],
    ['http://up:8000/three/', 'http://up:8000/three/'],
    ['HTTP://up:8000/two/', 'HTTP://up:8000/two/'],
    ['/two/x', 'https://public.example/one/x'],
    ['two/x', 'two/x'],
    ['', ''],
  ] as const) {
    it(`become ${JSON.stringify(expected)} from ${JSON.stringify(url)}`, () => {
      assert.deepEqual(rewrite({ redirects }, ['X-A', url, 'location', url, 'X-B', '/two/']), [
        ...['X-A', url, 'location', expected],
        ...['X-B', '/two/'],
      ]);
    });
  }

  it('never become the address of another host', () => {
    const toRoot = [{ from: 'http://up/', to: '/' }];
    for (const path of ['/evil.example/', '//evil.example', '\\evil.example', '/\\evil.example', '\t/evil.example'])
      assert.deepEqual(
        rewrite({ redirects: toRoot }, ['Location', `http://up/${path}`])[1],
        `/${path.replace(/^[/\\\t]+/, '')}`,
      );
  });

  for (const [value, expected] of [
    ['5; url=http://up:8000/two/x', '5; url=/one/x'],
    ['0;URL="http://up:8000/two/x"', '0;URL="/one/x"'],
    ['5', '5'],
    ['5; url=http://other/two/', '5; url=http://other/two/'],
  ] as const) {
    it(`in Refresh become ${expected}`, () =>
      assert.deepEqual(rewrite({ redirects }, ['Refresh', value], 200), ['Refresh', expected]));
  }

  it('stay the same response when nothing matches, and in interim responses', () => {
    const response = Response.fromHeaders(302, ['Location', '/other'], null);
    assert.equal(rewritingFor({ redirects })(REQUEST, response), response);
    const early = Response.fromHeaders(103, ['Location', '/two/'], null);
    assert.equal(rewritingFor({ redirects })(REQUEST, early), early);
  });
});

describe('patterns and placeholders for addresses of a backend', () => {
  const redirects = [
    { pattern: '^http://[^:/]+:(\\d+)(/.*)$', to: '{scheme}://{hostname}/by-port/{1}{2}' },
    { from: 'http://{host}/', to: '{scheme}://{host}/' },
    { pattern: '^//up(/.*)$', to: '/{1}' },
    { from: '/next/', to: '/{query.next}/' },
  ];
  for (const [url, expected] of [
    ['http://up:8000/two', 'https://shop.example/by-port/8000/two'],
    ['http://up/two', 'http://up/two'],
    ['http://Shop.example:81/x', 'https://Shop.example:81/x'],
    ['//up//evil.example/', '/evil.example/'],
    ['/next/x', '/%3B%0D%0Ax/x'],
  ] as const) {
    // the first rule would take what the second is for
    const own = url.includes('Shop') ? redirects.slice(1) : redirects;
    it(`make ${expected} of ${url}`, () =>
      assert.deepEqual(rewrite({ redirects: own }, ['Location', url]), ['Location', expected]));
  }

  it('are for the paths and domains of cookies, too', () => {
    const options = {
      cookiePath: [{ pattern: '^/v\\d+(/.*)?$', to: '/api{1};{query.next}' }],
      cookieDomain: [
        { pattern: '^\\.?([a-z]+)\\.internal$', to: '{1}.{hostname}' },
        { from: '{hostname}', to: '' },
      ],
    };
    const cookies = ['a=1; Path=/v2/x; Domain=.two.internal', 'b=1; Domain=shop.EXAMPLE; Path=/w'];
    assert.deepEqual(
      rewrite(
        options,
        cookies.flatMap((cookie) => ['Set-Cookie', cookie]),
      ),
      [...['Set-Cookie', 'a=1; Path=/api/x;%3B%0D%0Ax; Domain=two.shop.example'], ...['Set-Cookie', 'b=1; Path=/w']],
    );
  });

  it('are refused if they are not valid', () => {
    assert.throws(() => rewritingFor({ redirects: [{ pattern: '(', to: '/' }] }), /redirects "\("/);
    assert.throws(() => rewritingFor({ cookiePath: [{ from: '/', to: '/{1}' }] }), /\{1\} in cookie_path/);
    assert.throws(() => rewritingFor({ redirects: [{ from: '/{status}', to: '/' }] }), /there is no response yet/);
  });
});

describe('cookies of a backend', () => {
  const options = {
    cookiePath: [{ from: '/two/', to: '/' }],
    cookieDomain: [
      { from: 'localhost', to: 'example.org' },
      { from: '.internal.example', to: '' },
    ],
    ownCookie: 'viaduct_backend',
  };
  for (const [cookie, expected] of [
    ['a=1; path=/two/some/uri/; Secure', 'a=1; path=/some/uri/; Secure'],
    ['a=1;PATH = /two/ ;HttpOnly', 'a=1;PATH=/;HttpOnly'],
    ['a=1; Path=/twofold/', 'a=1; Path=/twofold/'],
    ['path=/two/; Path=/', 'path=/two/; Path=/'],
    ['a=1; Domain=LocalHost; Path=/two/', 'a=1; Domain=example.org; Path=/'],
    ['a=1; domain=.localhost', 'a=1; domain=example.org'],
    ['a=1; Domain=sub.localhost', 'a=1; Domain=sub.localhost'],
    ['a=1; Domain=internal.example; Secure', 'a=1; Secure'],
    ['a=1; Path=/two/; Path=/two/b', 'a=1; Path=/; Path=/b'],
    ['viaduct_backend=x; Path=/two/', 'viaduct_backend=x; Path=/two/'],
    ['a', 'a'],
  ] as const) {
    it(`become ${expected} from ${cookie}`, () =>
      assert.deepEqual(rewrite(options, ['Set-Cookie', cookie, 'Set-Cookie', 'b=2'], 200), [
        ...['Set-Cookie', expected],
        ...['Set-Cookie', 'b=2'],
      ]));
  }
});

describe('flags of cookies of a backend', () => {
  const options: Partial<RewritingOptions> = {
    cookiePath: [{ from: '/a', to: '/; Secure' }],
    cookieFlags: [
      { name: 'sid', secure: true, http_only: true, same_site: 'strict' },
      { pattern: '^[ab]', secure: false, http_only: false, same_site: 'off' },
      { name: '{query.name}', same_site: 'lax' },
      { name: 'c' },
      { pattern: '', secure: true },
    ],
    ownCookie: 'viaduct_backend',
  };
  for (const [cookie, expected] of [
    ['SID=1', 'SID=1; Secure; HttpOnly; SameSite=Strict'],
    ['sid=1; samesite=lax; Path=/;httponly', 'sid=1; SameSite=Strict; Path=/;httponly; Secure'],
    ['sid=1; Path=/ab', 'sid=1; Path=/; Secureb; Secure; HttpOnly; SameSite=Strict'],
    ['bc=1; SECURE; HttpOnly; Max-Age=5; samesite', 'bc=1; Max-Age=5'],
    ['n=Secure; SameSite = None', 'n=Secure; SameSite=Lax'],
    ['c=1', 'c=1'],
    ['C', 'C'],
    ['secure', 'secure; Secure'],
    ['=1', '=1; Secure'],
    ['viaduct_backend=x', 'viaduct_backend=x'],
  ] as const) {
    it(`make ${expected} of ${cookie}`, () => {
      const request = requestOf({ path: '/', query: 'name=N' });
      const response = Response.fromHeaders(200, ['Set-Cookie', cookie], null);
      assert.deepEqual(responseFields(rewritingFor(options)(request, response)), ['Set-Cookie', expected]);
    });
  }

  it('are refused without a cookie, and for two of them', async (t) => {
    for (const cookie of ['', 'name = "a", pattern = "b", ']) {
      const text = `[[route]]\nproxy = "http://127.0.0.1:9"\nproxy_options = { cookie_flags = { ${cookie}secure = true } }\n`;
      const { code, output } = await runViaduct(makeProject(t, { 'viaduct.toml': text }), 'check');
      assert.equal(code, 2, output);
      assert.match(output, /route\[1\]\.proxy_options\.cookie_flags = .*: it must have name or pattern/);
    }
  });
});

describe('proxy_options for addresses in responses', () => {
  it('rewrite them, for "backend" as nginx does by default', async (t) => {
    const backend = await startBackend(t, (request) => {
      const target = request.split(' ')[1];
      const own = `http://127.0.0.1:${backend.port}${target}further`;
      return `HTTP/1.1 302 Found\r\nLocation: ${own}\r\nSet-Cookie: a=1; Path=${target}\r\nContent-Length: 0\r\n\r\n`;
    });
    const project = makeProject(t, {
      'viaduct.toml': `
[[route]]
path = "/shop/*"
rewrite = { prefix = "/shop", replacement = "/app" }
proxy = "${backend.url}"
proxy_options = { redirects = "backend", cookie_path = { from = "/app/", to = "/shop/" } }

[[route]]
path = "/plain/*"
proxy = "${backend.url}"
proxy_options = { redirects = ["backend"] }

[[route]]
path = "/off/*"
proxy = "${backend.url}"
`,
    });
    const { port } = await startViaduct(t, ['web', '--access-log', 'off'], { cwd: project });
    const shop = await ask(port, '/shop/a/');
    assert.deepEqual([shop.header('location'), shop.header('set-cookie')], ['/shop/a/further', 'a=1; Path=/shop/a/']);
    assert.equal((await ask(port, '/plain/a/')).header('location'), '/plain/a/further');
    assert.equal((await ask(port, '/off/a/')).header('location'), `${backend.url}/off/a/further`);
  });

  it('are refused for backends without a URL', async (t) => {
    const route = '[[route]]\nproxy = "unix:a.sock"\nproxy_options = { redirects = "backend" }\n';
    const { output } = await runViaduct(makeProject(t, { 'viaduct.toml': route }), 'check');
    assert.match(output, /route\[1\]\.proxy_options\.redirects .*none of them has a URL of http/);
  });
});
