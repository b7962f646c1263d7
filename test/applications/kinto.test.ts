import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { type Answer, basicAuth, Visitor } from '../support/visitor.ts';

const RECORDS = '/v1/buckets/notes/collections/todo/records';

interface Stored {
  readonly data: { readonly id: string; readonly title: string; readonly last_modified: number };
}

describe('Kinto, a store of documents', { skip: notInstalled('kinto') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let jane: Visitor;

  before(async () => {
    site = makeSite(suite, 'kinto');
    server = await site.start(suite);
    jane = new Visitor(server.url, basicAuth('jane', 'secret'));
    const account = JSON.stringify({ data: { password: 'secret' } });
    const created = await put(new Visitor(server.url), '/v1/accounts/jane', account);
    assert.equal(created.status, 201, created.text);
    for (const path of ['/v1/buckets/notes', '/v1/buckets/notes/collections/todo'])
      assert.equal((await put(jane, path, '')).status, 201);
  });

  function put(visitor: Visitor, path: string, body: string, fields: Readonly<Record<string, string>> = {}) {
    return visitor.ask('PUT', path, { headers: { 'Content-Type': 'application/json', ...fields }, body });
  }

  function write(id: string, title: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return put(jane, `${RECORDS}/${id}`, JSON.stringify({ data: { title } }), fields);
  }

  it('passes viaduct check, which finds its file', () => {
    assert.match(site.check(), /kinto\.ini \(PasteDeploy, \[app:main\]\)[\s\S]*The application can be served/);
  });

  it('keeps what two people change at once', async () => {
    const made = await write('first', 'Zwölf 🦆', { 'If-None-Match': '*' });
    assert.equal(made.status, 201, made.text);
    assert.equal((JSON.parse(made.text) as Stored).data.title, 'Zwölf 🦆');
    assert.equal((await write('first', 'Again', { 'If-None-Match': '*' })).status, 412);
    const version = made.headers.get('etag') ?? '';
    assert.match(version, /^"\d+"$/);
    assert.equal((await write('first', 'Thirteen', { 'If-Match': version })).status, 200);
    assert.equal((await write('first', 'Fourteen', { 'If-Match': version })).status, 412);
  });

  it('knows what has not changed', async () => {
    const read = await jane.get(`${RECORDS}/first`);
    const again = await jane.ask('GET', `${RECORDS}/first`, {
      headers: { 'If-None-Match': read.headers.get('etag') ?? '' },
    });
    assert.deepEqual([again.status, again.text], [304, '']);
    const head = await jane.ask('HEAD', `${RECORDS}/first`);
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers.get('content-length'), read.headers.get('content-length'));
  });

  it('lists pages, with the address that its clients use', async () => {
    for (const id of ['second', 'third']) assert.equal((await write(id, id)).status, 201);
    const page = await jane.get(`${RECORDS}?_sort=id`);
    assert.equal((JSON.parse(page.text) as { data: readonly unknown[] }).data.length, 2);
    const next = page.headers.get('next-page') ?? '';
    assert.ok(next.startsWith(`${server.url.replace(/\/$/, '')}${RECORDS}?`), next);
    const { pathname, search } = new URL(next);
    const last = await jane.get(pathname + search);
    assert.deepEqual(
      (JSON.parse(last.text) as { data: readonly { id: string }[] }).data.map(({ id }) => id),
      ['third'],
    );
    const secure = new Visitor(server.url, { ...basicAuth('jane', 'secret'), 'X-Forwarded-Proto': 'https' });
    assert.match((await secure.get(RECORDS)).headers.get('next-page') ?? '', /^https:/);
  });

  it('changes parts of a document, and several in one request', async () => {
    const patch = await jane.ask('PATCH', `${RECORDS}/first`, {
      headers: { 'Content-Type': 'application/json-patch+json' },
      body: JSON.stringify([{ op: 'add', path: '/data/done', value: true }]),
    });
    assert.equal(patch.status, 200, patch.text);
    const body = JSON.stringify({
      defaults: { method: 'DELETE' },
      requests: [{ path: `${RECORDS}/second` }, { path: `${RECORDS}/absent` }],
    });
    const batch = await jane.ask('POST', '/v1/batch', { headers: { 'Content-Type': 'application/json' }, body });
    const { responses } = JSON.parse(batch.text) as { responses: readonly { status: number }[] };
    assert.deepEqual(
      responses.map(({ status }) => status),
      [200, 404],
    );
  });

  it('lets nobody else in', async () => {
    assert.equal((await new Visitor(server.url).ask('GET', RECORDS)).status, 401);
    assert.equal((await new Visitor(server.url, basicAuth('jane', 'wrong')).ask('GET', RECORDS)).status, 401);
  });

  it('answers each request while it reloads', async () => {
    const visitor = new Visitor(server.url);
    const visits = await reloadDuring(server, async () => assert.equal((await visitor.get('/v1/')).status, 200));
    assert.ok(visits > 0);
  });
});
