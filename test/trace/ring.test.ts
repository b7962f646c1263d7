import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TraceDocument } from '../../src/trace/document.ts';
import { TraceRing } from '../../src/trace/ring.ts';
import type { TraceSummary } from '../../src/trace/store.ts';
import { Trace, USUAL_DETAILS } from '../../src/trace/trace.ts';
import { marshalled, recordOf } from '../support/payload.ts';

const LIMITS = { bytesMax: 64 * 1024 * 1024, entriesMax: 10_000 };

interface Parts {
  readonly id?: string;
  readonly method?: string;
  readonly path?: string;
  readonly route?: string;
  readonly status?: number;
  readonly kept?: TraceDocument['kept'];
  readonly reason?: string;
  readonly payload?: Uint8Array;
  readonly us?: number;
}

let made = 0;

/** A trace of a request that is over. */
function traceOf(parts: Parts = {}): Trace {
  made += 1;
  const { id = `id-${made}`, method = 'GET', path = '/', status = 200, kept = 'sampled', us = 1000 } = parts;
  const request = { method, path, query: '', protocol: 'HTTP/1.1', secure: false, host: 'a.example', client: '' };
  const traced = { ...request, listener: '', headers: ['Host', 'a.example'], bodyBytes: 0 };
  const now = performance.now();
  const trace = new Trace(id, kept, 'full', USUAL_DETAILS, traced, now - us / 1000, null);
  trace.routeName = parts.route ?? '';
  trace.reason = parts.reason ?? '';
  if (parts.payload !== undefined) {
    trace.awaitPython(42);
    trace.receivePython(parts.payload);
  }
  trace.answered(status, 10);
  return trace;
}

const QUERIES = marshalled(
  recordOf({
    spans:
      '[("python", "t", 1_000_000_000, 1_010_000_000, -1, None, "", 0), ' +
      '("query", "SELECT", 1_000_000_000, 1_001_000_000, 0, {"sql": "SELECT Name FROM shop_product"}, "shop/views.py", 7)]',
  }),
);
const FAILED = marshalled(
  recordOf({
    exception:
      '{"type": "KeyError", "message": "\'price\'", "traceback": "Traceback: price", "members": 0, "chain": [], "frames": [' +
      '("shop/views.py", 12, "page", [], 0, [], True), ("/lib/django.py", 9, "get", [], 0, [], False)]}',
  }),
);

function ids(summaries: readonly TraceSummary[]): string[] {
  return summaries.map(({ id }) => id);
}

describe('TraceRing', () => {
  it('lists the newest first, and only those after a number', () => {
    const ring = new TraceRing(LIMITS);
    for (const id of ['a', 'b', 'c']) ring.keep(traceOf({ id, kept: id === 'b' ? 'failed' : 'sampled' }));
    assert.deepEqual(ids(ring.list({ limit: 10 })), ['c', 'b', 'a']);
    assert.deepEqual(ids(ring.list({ limit: 2 })), ['c', 'b']);
    const [, second] = ring.list({ limit: 10 });
    assert.deepEqual(ids(ring.list({ limit: 10, after: second?.number ?? 0 })), ['c']);
  });

  it('finds requests by method, path, status, route, time, text of SQL and error', () => {
    const ring = new TraceRing(LIMITS);
    ring.keep(traceOf({ id: 'a', method: 'POST', path: '/cart', route: 'shop', status: 404, us: 5_000_000 }));
    ring.keep(traceOf({ id: 'b', path: '/products', status: 503, reason: 'queue full' }));
    ring.keep(traceOf({ id: 'c', path: '/products', payload: QUERIES }));
    ring.keep(traceOf({ id: 'd', path: '/broken', status: 500, payload: FAILED }));
    const found = (filter: object): string[] => ids(ring.list({ limit: 10, ...filter }));
    assert.deepEqual(found({ method: 'post' }), ['a']);
    assert.deepEqual(found({ path: 'prod' }), ['c', 'b']);
    assert.deepEqual(found({ status: '5xx' }), ['d', 'b']);
    assert.deepEqual(found({ status: '404' }), ['a']);
    assert.deepEqual(found({ route: 'shop' }), ['a']);
    assert.deepEqual(found({ minUs: 4_000_000 }), ['a']);
    assert.deepEqual(found({ sql: 'from SHOP_product' }), ['c']);
    assert.deepEqual(found({ error: 'keyerror' }), ['d']);
    assert.deepEqual(found({ error: 'queue' }), ['b']);
    assert.deepEqual(found({ path: 'prod', status: '200' }), ['c']);
    const [summary] = ring.list({ limit: 1 });
    assert.equal(summary?.error, "KeyError: 'price'");
    assert.equal(ring.list({ limit: 10, sql: 'select' })[0]?.queries, 1);
  });

  it('drops the oldest when there are too many', () => {
    const ring = new TraceRing({ ...LIMITS, entriesMax: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) ring.keep(traceOf({ id }));
    assert.deepEqual(ids(ring.list({ limit: 10 })), ['e', 'd', 'c']);
    assert.equal(ring.find('a'), null);
    assert.deepEqual([ring.usage.traces, ring.usage.evicted], [3, 2]);
  });

  it('keeps failed and slow requests longer than others: half of the room is theirs', () => {
    const ring = new TraceRing({ ...LIMITS, entriesMax: 10 });
    ring.keep(traceOf({ id: 'failed', kept: 'failed', status: 500 }));
    ring.keep(traceOf({ id: 'slow', kept: 'slow' }));
    for (let i = 0; i < 1000; i += 1) ring.keep(traceOf());
    assert.notEqual(ring.find('failed'), null);
    assert.notEqual(ring.find('slow'), null);
    for (let i = 0; i < 1000; i += 1) ring.keep(traceOf({ kept: 'failed' }));
    assert.equal(ring.find('failed'), null);
    assert.equal(ring.list({ limit: 100 }).filter(({ kept }) => kept === 'sampled').length, 5);
  });

  it('takes no more memory than it may, whatever clients ask for and people search', () => {
    const ring = new TraceRing({ bytesMax: 200_000, entriesMax: 1_000_000 });
    for (let i = 0; i < 2000; i += 1) {
      ring.keep(traceOf({ path: `/${i}/${'x'.repeat(i % 3000)}`, payload: i % 2 === 0 ? QUERIES : FAILED }));
      if (i % 100 === 0) ring.list({ limit: 1000, sql: 'nothing' });
      assert.ok(ring.usage.bytes <= 200_000);
    }
    ring.list({ limit: 1_000_000, sql: 'select' });
    assert.ok(ring.usage.bytes <= 200_000 && ring.usage.bytes > 0, `${ring.usage.bytes}`);
    assert.equal(ring.usage.traces, ring.list({ limit: 1_000_000 }).length);
  });

  it('counts nothing when it is empty again', () => {
    const ring = new TraceRing(LIMITS);
    for (let i = 0; i < 100; i += 1) ring.keep(traceOf({ payload: QUERIES, kept: i % 2 === 0 ? 'slow' : 'asked' }));
    ring.list({ limit: 100, sql: 'select' });
    ring.resize({ ...LIMITS, bytesMax: 0 });
    assert.deepEqual([ring.usage.traces, ring.usage.bytes], [0, 0]);
  });

  it('groups errors by the exception and the innermost line of the project, or by the reason of this server', () => {
    const ring = new TraceRing(LIMITS);
    ring.keep(traceOf({ id: 'a', status: 500, route: 'shop', payload: FAILED }));
    ring.keep(traceOf({ id: 'b', status: 500, route: 'cart', payload: FAILED }));
    ring.keep(traceOf({ id: 'c', status: 503, reason: 'queue full' }));
    ring.keep(traceOf({ id: 'd', status: 502 }));
    ring.keep(traceOf({ id: 'e' }));
    const groups = ring.errors();
    assert.deepEqual(
      groups.map(({ cause, count, traces, routes, traceback }) => [cause, count, traces, routes, traceback]),
      [
        ['status 502', 1, ['d'], [], ''],
        ['queue full', 1, ['c'], [], ''],
        ['KeyError at shop/views.py:12', 2, ['b', 'a'], ['cart', 'shop'], 'Traceback: price'],
      ],
    );
  });

  it('says of a group what the newest request was, and what happened to it', () => {
    const ring = new TraceRing(LIMITS);
    ring.keep(traceOf({ id: 'a', status: 500, payload: FAILED }));
    ring.keep(traceOf({ id: 'b', status: 502, method: 'POST' }));
    assert.deepEqual(
      ring.errors().map(({ error, request }) => [error, request.split(' ')[0]]),
      [
        ['status 502', 'POST'],
        ["KeyError: 'price'", 'GET'],
      ],
    );
  });

  it('finds the last good request of the same route and method', () => {
    const ring = new TraceRing(LIMITS);
    ring.keep(traceOf({ id: 'old', route: 'shop' }));
    ring.keep(traceOf({ id: 'good', route: 'shop' }));
    ring.keep(traceOf({ id: 'post', route: 'shop', method: 'POST' }));
    ring.keep(traceOf({ id: 'other', route: 'blog' }));
    ring.keep(traceOf({ id: 'hidden', route: 'shop', payload: FAILED }));
    ring.keep(traceOf({ id: 'bad', route: 'shop', status: 500, kept: 'failed' }));
    ring.keep(traceOf({ id: 'later', route: 'shop' }));
    assert.equal(ring.lastGood('bad')?.id, 'good');
    assert.equal(ring.lastGood('old'), null);
    assert.equal(ring.lastGood('nobody'), null);
  });

  it('leaves out the paths with a part', () => {
    const ring = new TraceRing(LIMITS);
    for (const path of ['/shop/', '/static/shop.css', '/static/']) ring.keep(traceOf({ id: path, path }));
    assert.deepEqual(ids(ring.list({ notPath: '/static/', limit: 10 })), ['/shop/']);
    assert.deepEqual(ids(ring.list({ path: 'shop', notPath: '.css', limit: 10 })), ['/shop/']);
  });

  it('compares a request with one of its own path: routes have several, and without routes all requests have the same', () => {
    const ring = new TraceRing(LIMITS);
    for (const route of ['', 'shop']) {
      ring.keep(traceOf({ id: `list${route}`, route, path: '/books/' }));
      ring.keep(traceOf({ id: `style${route}`, route, path: '/site.css' }));
      ring.keep(traceOf({ id: `bad${route}`, route, path: '/books/', status: 500, kept: 'failed' }));
      ring.keep(traceOf({ id: `new${route}`, route, path: '/new/' }));
    }
    assert.equal(ring.lastGood('bad')?.id, 'list');
    assert.equal(ring.lastGood('new'), null);
    assert.equal(ring.lastGood('badshop')?.id, 'listshop');
    assert.equal(ring.lastGood('newshop')?.id, 'styleshop', 'another path of the named route');
  });

  it('gives listeners each trace when it is over, and again when more of it is known', () => {
    const ring = new TraceRing(LIMITS);
    const seen: string[] = [];
    const stop = ring.onKept(({ id, state }) => seen.push(`${id} ${state}`));
    const trace = traceOf({ id: 'a' });
    trace.awaitPython(42);
    trace.losePython('The worker ended.');
    ring.keep(trace);
    trace.onOver = (one) => ring.keep(one);
    trace.receivePython(QUERIES);
    stop();
    ring.keep(traceOf({ id: 'b' }));
    assert.deepEqual(seen, ['a incomplete', 'a done']);
    assert.equal(ring.usage.traces, 2);
  });

  it('has one trace for an id that is used twice, the newer one', () => {
    const ring = new TraceRing({ ...LIMITS, entriesMax: 2 });
    ring.keep(traceOf({ id: 'same', path: '/1' }));
    ring.keep(traceOf({ id: 'same', path: '/2' }));
    ring.keep(traceOf({ id: 'c' }));
    assert.equal(ring.find('same')?.request.target, '/2');
  });

  it('keeps a trace once whose worker sends its record after another one took the id', () => {
    const ring = new TraceRing(LIMITS);
    const first = traceOf({ id: 'a', path: '/first' });
    ring.keep(first);
    ring.keep(traceOf({ id: 'a', path: '/second' }));
    ring.keep(first);
    assert.deepEqual(
      ring.list({ limit: 10 }).map(({ target }) => target),
      ['/second', '/first'],
    );
    assert.equal(ring.find('a')?.request.target, '/second');
  });
});
