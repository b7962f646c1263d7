import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Peer, Request } from '../../src/http/message.ts';
import { type RouteMatch, Router } from '../../src/routing/router.ts';
import { djangoReading, literalReading, oneSlash, routingPath } from '../../src/routing/routing-path.ts';
import { requestOf } from '../support/handler.ts';

const ANY: RouteMatch = {
  listen: [],
  hosts: [],
  hostPatterns: [],
  paths: [],
  patterns: [],
  beforePatterns: false,
  methods: [],
  headers: [],
  query: [],
  when: [],
};

function peerOf(listener: number): Peer {
  return { ...requestOf().peer, listener };
}

/** Builds a router of the named routes and returns the name of the route for a request. */
function find(routes: Record<string, Partial<RouteMatch>>, parts: Partial<Request>): string | null {
  const all = Object.entries(routes).map(([value, match]) => ({ match: { ...ANY, ...match }, value }));
  const testRequest = requestOf(parts);
  const path = routingPath(testRequest.path);
  return path === null ? 'refused' : new Router(all).find(testRequest, path);
}

describe('the order of routes', () => {
  const paths = {
    everything: {},
    'docs below': { paths: ['/docs/*'] },
    'api docs below': { paths: ['/docs/api/*'] },
    'numbered docs': { patterns: [/^\/docs\/\d+$/] },
    'more numbered docs': { patterns: [/^\/docs\/\d+/] },
    'docs 1': { paths: ['/docs/1'] },
    root: { paths: ['/'] },
  };
  for (const [path, expected] of [
    ['/', 'root'],
    ['/x', 'everything'],
    ['*', 'everything'],
    ['/docs', 'docs below'],
    ['/docs/', 'docs below'],
    ['/docsx', 'everything'],
    ['/docs/a', 'docs below'],
    ['/docs/api', 'api docs below'],
    ['/docs/api/x/y', 'api docs below'],
    ['/docs/apix', 'docs below'],
    ['/docs/1', 'docs 1'],
    ['/docs/2', 'numbered docs'],
    ['/docs/2/a', 'more numbered docs'],
    ['/d%6fcs/api/x', 'api docs below'],
    ['//docs///api//x', 'api docs below'],
    ['/docs%2Fapi%2Fx', 'api docs below'],
    ['/docs/%E0/api', 'docs below'],
    ['/docs/x%FFy', 'docs below'],
    ['/docs/..%5cadmin', 'refused'],
    ['/docs/..;/admin', 'refused'],
    ['/docs/x%0Ay', 'refused'],
    ['/docs/x%0d', 'refused'],
    ['/docs/..x;', 'docs below'],
    ['/docs/../admin', 'refused'],
    ['/docs/%2e%2E/admin', 'refused'],
    ['/docs/%2e%2e%2fadmin', 'refused'],
    ['/docs/.', 'refused'],
    ['/docs/...', 'docs below'],
    ['/docs/.well-known/x', 'docs below'],
  ] as const) {
    it(`routes ${path} to: ${expected}`, () => assert.equal(find(paths, { path }), expected));
  }

  const hosts = {
    'any host': {},
    'one host': { hosts: ['example.org'], paths: ['/here/*'] },
    'below it': { hosts: ['*.example.org'] },
    'far below it': { hosts: ['*.b.example.org'] },
    address: { hosts: ['[::1]'] },
    'a pattern': { hostPatterns: [/^shop\d*\.example\./], paths: ['/x'] },
    'a later pattern': { hostPatterns: [/^shop/] },
    'a name or a pattern': { hosts: ['shop.example.org'], hostPatterns: [/\.test$/] },
  };
  for (const [host, path, expected] of [
    ['example.org', '/here', 'one host'],
    ['EXAMPLE.ORG.:8080', '/here/x', 'one host'],
    ['example.org', '/elsewhere', 'any host'],
    ['a.example.org', '/', 'below it'],
    ['a.c.example.org:1', '/', 'below it'],
    ['a.b.example.org', '/', 'far below it'],
    ['badexample.org', '/here', 'any host'],
    ['example.org.evil.net', '/here', 'any host'],
    ['[::1]:8000', '/', 'address'],
    ['', '/', 'any host'],
    ['shop7.example.net', '/x', 'a pattern'],
    ['SHOP.example.net:80', '/y', 'a later pattern'],
    ['shops.example', '/x', 'a later pattern'],
    ['shop.example.org', '/x', 'a name or a pattern'],
    ['a.example.org', '/x', 'below it'],
    ['www.test', '/x', 'a name or a pattern'],
    ['test', '/x', 'any host'],
  ] as const) {
    it(`routes ${host}${path} to: ${expected}`, () => assert.equal(find(hosts, { host, path }), expected));
  }

  // nginx: the longest prefix is found first; patterns are tried unless it has `^~`.
  const prefixes = {
    everything: { paths: ['/*'] },
    'starts with foo': { paths: ['/foo*'] },
    'below foo': { paths: ['/foo/*'] },
    'starts with foobar': { paths: ['/foobar*'] },
    images: { patterns: [/\.png$/] },
    'images below static': { paths: ['/static/*'], beforePatterns: true },
    'uploads below static': { paths: ['/static/uploads/*'] },
    'starts with asset': { paths: ['/asset*'], beforePatterns: true },
    'one asset': { paths: ['/assets/one.png'] },
  };
  for (const [path, expected] of [
    ['/fo', 'everything'],
    ['/foo', 'below foo'],
    ['/foo/', 'below foo'],
    ['/foo/x', 'below foo'],
    ['/foob', 'starts with foo'],
    ['/foobar', 'starts with foobar'],
    ['/foobar/x', 'starts with foobar'],
    ['/f%6fob', 'starts with foo'],
    ['//foob//x', 'starts with foo'],
    ['/foo%2Fx', 'below foo'],
    ['/%66oo%62', 'starts with foo'],
    ['/FOOB', 'everything'],
    ['/x/foob', 'everything'],
    ['/foob.png', 'images'],
    ['/static/a.png', 'images below static'],
    ['/static/uploads/a.png', 'images'],
    ['/static/uploads/a.txt', 'uploads below static'],
    ['/assets/a.png', 'starts with asset'],
    ['/assets/one.png', 'one asset'],
    ['/ass.png', 'images'],
    ['*', null],
  ] as const) {
    it(`routes ${path} among prefixes to: ${expected}`, () => assert.equal(find(prefixes, { path }), expected));
  }

  it('tries the patterns when the conditions of a route that comes before them are not met', () => {
    const routes = {
      posts: { paths: ['/static/*'], beforePatterns: true, methods: ['POST'] },
      images: { patterns: [/\.png$/] },
    };
    assert.equal(find(routes, { path: '/static/a.png' }), 'images');
    assert.equal(find(routes, { path: '/static/a.png', method: 'POST' }), 'posts');
  });

  const addresses = {
    'any address': {},
    exact: { paths: ['/exact'] },
    internal: { listen: [{ address: '127.0.0.1:9000', listeners: [1, 3] }] },
    admin: { listen: [{ address: '127.0.0.1:9000', listeners: [1, 3] }], hosts: ['a.org'], paths: ['/admin/*'] },
    socket: { listen: [{ address: 'unix:/a', listeners: [2] }], paths: ['/x'] },
  };
  for (const [listener, host, path, expected] of [
    [0, 'a.org', '/admin/', 'any address'],
    [0, 'a.org', '/exact', 'exact'],
    [1, 'a.org', '/admin/', 'admin'],
    [3, 'a.org', '/admin/', 'admin'],
    [1, 'b.org', '/admin/', 'internal'],
    [1, 'a.org', '/exact', 'internal'],
    [2, 'a.org', '/admin/', 'any address'],
    [2, 'a.org', '/x', 'socket'],
    [4, 'a.org', '/x', 'any address'],
    [-1, 'a.org', '/admin/', 'any address'],
  ] as const) {
    it(`routes ${host}${path} over listener ${listener} to: ${expected}`, () =>
      assert.equal(find(addresses, { host, path, peer: peerOf(listener) }), expected));
  }

  it('routes nothing to an address that no listener is bound to', () => {
    assert.equal(find({ gone: { listen: [{ address: '127.0.0.1:9', listeners: [] }] } }, {}), null);
  });

  it('routes a request without a host to the name of its listener', () => {
    const routes = ['localhost', '[::1]'].map((host) => ({ match: { ...ANY, hosts: [host] }, value: host }));
    const router = new Router(routes, ['127.0.0.1', 'localhost', '::1']);
    const found = [0, 1, 2, 3].map((listener) => router.find(requestOf({ host: '', peer: { listener } }), '/'));
    assert.deepEqual(found, [null, 'localhost', '[::1]', null]);
    assert.equal(router.find(requestOf({ peer: { listener: 1 } }), '/'), null);
  });

  it('caches the right tables for each host', () => {
    const router = new Router([{ match: { ...ANY, hosts: ['a.org'] }, value: 'a' }]);
    for (const host of ['a.org', 'b.org', 'a.org', 'b.org', 'a.org:1']) {
      assert.equal(router.find(requestOf({ host }), '/'), host.startsWith('a') ? 'a' : null);
    }
  });
});

describe('the readings of a path', () => {
  for (const [path, routing, django, plain, literal] of [
    ['/a', '/a', '/a', '/a', '/a'],
    ['/priv%C3%A9/x%FF', '/privé/x\ufffd', '/privé/x%FF', '/priv%C3%A9/x%FF', '/privé/x\ufffd'],
    [
      '/%e2%82/%ED%A0%80',
      '/\ufffd/\ufffd\ufffd\ufffd',
      '/%E2%82/%ED%A0%80',
      '/%e2%82/%ED%A0%80',
      '/\ufffd/\ufffd\ufffd\ufffd',
    ],
    ['/%F0%9F%98%80%C1%A1', '/😀\ufffd\ufffd', '/😀%C1%A1', '/%F0%9F%98%80%C1%A1', '/😀\ufffd\ufffd'],
    ['//a%2Fb/%2f/c', '/a/b/c', '/a/b/c', '/a/b/c', '\0a\0b\0c'],
    ['/x%FF//y', '/x\ufffd/y', '/x%FF/y', '/x%FF/y', '/x\ufffd\0y'],
  ] as const) {
    it(`${path} are those of Flask, of Django, with plain slashes, and without`, () => {
      assert.deepEqual(
        [routingPath(path), djangoReading(path), oneSlash(path), literalReading(path)],
        [routing, django, plain, literal],
      );
    });
  }
});

describe('conditions of routes', () => {
  const routes = {
    first: {},
    posts: { methods: ['POST'] },
    gets: { methods: ['GET'], headers: [['x-version', '2']] as const },
    beta: { headers: [['x-beta', '*']] as const, query: [['debug', '1']] as const, methods: ['GET'] },
  };
  for (const [description, parts, expected] of [
    ['a method', { method: 'POST' }, 'posts'],
    ['a method without a route', { method: 'DELETE' }, 'first'],
    ['a header', { headers: ['X-Version', '2'] }, 'gets'],
    ['a method in lower case', { method: 'post' }, 'posts'],
    ['HEAD as GET, in lower case', { method: 'head', headers: ['x-version', '2'] }, 'gets'],
    ['a second question mark', { headers: ['X-Beta', ''], query: '?debug=1' }, 'first'],
    ['HEAD as GET', { method: 'HEAD', headers: ['x-VERSION', '2'] }, 'gets'],
    ['a header with another value', { headers: ['X-Version', '3'] }, 'first'],
    ['one of two headers', { headers: ['X-Version', '3', 'X-Version', '2'] }, 'gets'],
    ['more conditions', { headers: ['X-Beta', '', 'X-Version', '2'], query: 'a=b&debug=1' }, 'beta'],
    ['an encoded parameter', { headers: ['X-Beta', ''], query: '%64ebug=%31' }, 'beta'],
    ['a parameter with another value', { headers: ['X-Beta', ''], query: 'debug=2' }, 'first'],
  ] as const) {
    it(`are met by ${description}: ${expected}`, () => assert.equal(find(routes, parts), expected));
  }

  it('leave other requests to a shorter prefix, then to routes for any host', () => {
    const falling = {
      deep: { hosts: ['a.org'], paths: ['/x/y/*'], methods: ['POST'] },
      shallow: { hosts: ['a.org'], paths: ['/x/*'], methods: ['PUT'] },
      any: { methods: ['GET'] },
    };
    const parts = { host: 'a.org', path: '/x/y/z' };
    assert.equal(find(falling, { ...parts, method: 'POST' }), 'deep');
    assert.equal(find(falling, { ...parts, method: 'PUT' }), 'shallow');
    assert.equal(find(falling, { ...parts, method: 'HEAD' }), 'any');
    assert.equal(find(falling, { ...parts, method: 'PATCH' }), null);
  });
});
