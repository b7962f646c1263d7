import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ExplainedRoute, explainRoute } from '../../src/routing/explain-route.ts';
import { type RouteMatch, Router } from '../../src/routing/router.ts';
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

const ROUTES: readonly ExplainedRoute[] = [
  { name: 'host', match: { ...ANY, hosts: ['*.shop.example'], paths: ['/a/*'] } },
  { name: 'hosts', match: { ...ANY, hostPatterns: [/^shop\./], paths: ['/a/*'] } },
  { name: 'exact', match: { ...ANY, paths: ['/a/b'] } },
  { name: 'post', match: { ...ANY, paths: ['/a/*'], methods: ['POST'] } },
  { name: 'field', match: { ...ANY, paths: ['/a/*'], headers: [['x-beta', 'yes']] } },
  { name: 'query', match: { ...ANY, paths: ['/a/*'], query: [['v', '2']] } },
  {
    name: 'condition',
    match: {
      ...ANY,
      paths: ['/a/*'],
      when: [{ text: '{cookie.beta} is present', test: ({ headers }) => headers.includes('beta=1') }],
    },
  },
  { name: 'below', match: { ...ANY, paths: ['/a/*'] } },
  { name: 'pattern', match: { ...ANY, patterns: [{ source: '^/p\\d$', test: (path) => /^\/p\d$/.test(path) }] } },
  { name: 'all', match: ANY },
];

function explained(path: string, parts: object = {}) {
  const router = new Router(ROUTES.map((value) => ({ match: value.match, value })));
  const request = requestOf({ path, host: 'www.example', ...parts });
  const chosen = router.find(request, path);
  const { why, rejected } = explainRoute(request, path, router.hostOf(request), ROUTES, chosen);
  return { chosen: chosen?.name, why, rejected: new Map(rejected) };
}

describe('explainRoute', () => {
  it('says why a route matched and each other did not', () => {
    const { chosen, why, rejected } = explained('/a/c');
    assert.equal(chosen, 'below');
    assert.equal(why, 'The path /a/c matches /a/*.');
    assert.deepEqual(
      rejected,
      new Map([
        ['host', 'Its host is *.shop.example, not www.example.'],
        ['hosts', 'Its host is ^shop\\., not www.example.'],
        ['exact', 'The path /a/c does not match /a/b.'],
        ['post', 'Its methods are POST, not GET.'],
        ['field', 'The request does not have the field x-beta = yes.'],
        ['query', 'The query does not have v = 2.'],
        ['condition', 'It needs that {cookie.beta} is present.'],
        ['pattern', 'The path /a/c does not match ^/p\\d$.'],
        ['all', 'It matches, too, but another route is more exact or comes before it.'],
      ]),
    );
  });

  it('names all conditions that were met', () => {
    assert.equal(
      explained('/a/c', { method: 'POST' }).why,
      'The path /a/c matches /a/*, and the method is one of POST.',
    );
    assert.match(
      explained('/a/c', { host: 'x.shop.example:8000' }).why,
      /^The host x\.shop\.example is \*\.shop\.example, and/,
    );
    assert.match(explained('/a/c', { query: 'v=2' }).why, /its query has v = 2\.$/);
    const met = explained('/a/c', { headers: ['Cookie', 'beta=1'] });
    assert.deepEqual([met.chosen, met.why], ['condition', 'The path /a/c matches /a/*, and {cookie.beta} is present.']);
    assert.match(explained('/p1').why, /matches \^\/p\\d\$/);
    assert.equal(explained('/other').why, 'It takes every request.');
  });

  it('names the address over which a request came, or had to come', () => {
    const match = { ...ANY, listen: [{ address: '127.0.0.1:9000', listeners: [1] }] };
    const route = { name: 'admin', match };
    const over = (listener: number) => requestOf({ peer: { listener } });
    assert.equal(explainRoute(over(1), '/', '', [route], route).why, 'It came over 127.0.0.1:9000.');
    assert.deepEqual(explainRoute(over(0), '/', '', [route], null).rejected, [
      ['admin', 'The request did not come over 127.0.0.1:9000.'],
    ]);
  });

  it('never says that a route does not match which the router chose', () => {
    for (const { name, match } of ROUTES) {
      const request = requestOf({ path: '/a', host: 'x.shop.example' });
      if (new Router([{ match, value: name }]).find(request, '/a') === null) continue;
      const { rejected } = explainRoute(request, '/a', 'x.shop.example', ROUTES, null);
      assert.match(new Map(rejected).get(name) ?? '', /^It matches/, name);
    }
  });
});
