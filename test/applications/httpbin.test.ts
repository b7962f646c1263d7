import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { basicAuth, Visitor } from '../support/visitor.ts';

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly origin: string;
  readonly data: string;
  readonly args: Readonly<Record<string, string | readonly string[]>>;
  readonly form: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: Readonly<Record<string, string>>;
}

describe('httpbin, which shows each request', { skip: notInstalled('httpbin') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let visitor: Visitor;

  before(async () => {
    site = makeSite(suite, 'httpbin');
    server = await site.start(suite, {}, ['--workers', '2']);
    visitor = new Visitor(server.url);
  });

  const echo = async (...request: Parameters<Visitor['ask']>): Promise<Echo> =>
    JSON.parse((await visitor.ask(...request)).text) as Echo;

  it('passes viaduct check', () => {
    assert.match(site.check(), /The application can be served/);
  });

  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    it(`receives ${method}`, async () => {
      const answer = await echo(method, '/anything/%C3%BC?a=1&a=2&b=%26');
      assert.equal(answer.method, method);
      assert.equal(answer.url, `${server.url}/anything/ü?a=1&a=2&b=%26`);
      assert.deepEqual(answer.args, { a: ['1', '2'], b: '&' });
    });
  }

  it('receives forms, files, JSON and content in chunks', async () => {
    const form = new FormData();
    form.set('name', 'Jörg');
    form.set('file', new Blob(['content']), 'file.txt');
    const sent = await echo('POST', '/post', { body: form });
    assert.deepEqual([sent.form, sent.files], [{ name: 'Jörg' }, { file: 'content' }]);
    let count = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (count === 100) return controller.close();
        count += 1;
        controller.enqueue(new TextEncoder().encode('0123456789'));
      },
    });
    const chunks = await echo('PUT', '/put', { body, headers: { 'Content-Type': 'text/plain' } });
    assert.equal(chunks.data, '0123456789'.repeat(100));
  });

  it('receives fields and the address and scheme that a proxy states', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https', 'X-Custom': 'a, b' };
    const answer = await echo('GET', '/anything', { headers });
    assert.equal(answer.origin, '203.0.113.9');
    assert.match(answer.url, /^https:/);
    assert.equal(answer.headers['X-Custom'], 'a, b');
  });

  it('redirects, once or several times, to relative and absolute addresses', async () => {
    assert.match((await visitor.get('/redirect/3')).target, /\/get$/);
    assert.match((await visitor.get('/absolute-redirect/2')).target, /\/get$/);
    const secure = await visitor.ask('GET', '/absolute-redirect/2', { headers: { 'X-Forwarded-Proto': 'https' } });
    assert.match(secure.headers.get('location') ?? '', /^https:\/\/127\.0\.0\.1:\d+\/absolute-redirect\/1$/);
    const other = await visitor.ask('GET', '/redirect-to?url=https%3A%2F%2Fother.example%2F%3Fa%3Db&status_code=307');
    assert.deepEqual([other.status, other.headers.get('location')], [307, 'https://other.example/?a=b']);
  });

  it('streams, slowly and without a length', async () => {
    const lines = (await visitor.get('/stream/20')).text.trim().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { id: number }).id),
      Array.from({ length: 20 }, (_, index) => index),
    );
    const drip = await visitor.get('/drip?numbytes=5&duration=0.2&delay=0');
    assert.deepEqual([drip.status, drip.text], [200, '*****']);
    const part = await visitor.ask('GET', '/range/1024', { headers: { Range: 'bytes=0-25' } });
    assert.deepEqual([part.status, part.text], [206, 'abcdefghijklmnopqrstuvwxyz']);
    assert.equal((await visitor.get('/stream-bytes/70000?chunk_size=1000&seed=1')).status, 200);
  });

  for (const status of [200, 204, 304, 400, 404, 418, 429, 500, 503]) {
    it(`answers ${status}`, async () => {
      const answer = await visitor.ask('GET', `/status/${status}`);
      assert.equal(answer.status, status);
      const head = await visitor.ask('HEAD', `/status/${status}`);
      assert.deepEqual([head.status, head.text], [status, '']);
    });
  }

  for (const coding of ['gzip', 'deflate', 'brotli']) {
    it(`leaves what the application has compressed as it is: ${coding}`, async () => {
      const answer = JSON.parse((await visitor.get(`/${coding}`)).text) as Record<string, unknown>;
      assert.equal(answer[coding === 'gzip' ? 'gzipped' : coding === 'brotli' ? 'brotli' : 'deflated'], true);
    });
  }

  it('sets and deletes cookies, signs users in, and knows validators', async () => {
    const person = new Visitor(server.url);
    await person.get('/cookies/set?flavour=oat&size=2');
    const kept = JSON.parse((await person.get('/cookies')).text) as Echo;
    assert.deepEqual(kept.cookies, { flavour: 'oat', size: '2' });
    await person.get('/cookies/delete?size=');
    assert.deepEqual((JSON.parse((await person.get('/cookies')).text) as Echo).cookies, { flavour: 'oat' });
    assert.equal((await person.ask('GET', '/basic-auth/jane/secret')).status, 401);
    const headers = basicAuth('jane', 'secret');
    assert.equal((await person.ask('GET', '/basic-auth/jane/secret', { headers })).status, 200);
    assert.equal((await person.ask('GET', '/etag/tag', { headers: { 'If-None-Match': '"tag"' } })).status, 304);
    assert.equal((await person.ask('GET', '/etag/tag', { headers: { 'If-Match': '"other"' } })).status, 412);
  });

  it('passes repeated and unusual fields of a response on', async () => {
    const answer = await visitor.get('/response-headers?Warning=a&Warning=b&X-Long=%s'.replace('%s', 'x'.repeat(5000)));
    assert.equal(answer.headers.get('warning'), 'a, b');
    assert.equal(answer.headers.get('x-long'), 'x'.repeat(5000));
  });

  it('answers each request while it reloads', async () => {
    const visits = await reloadDuring(server, async () => {
      const answers = await Promise.all([visitor.ask('GET', '/get'), visitor.ask('POST', '/post', { body: 'data' })]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200],
      );
    });
    assert.ok(visits > 0);
  });
});
