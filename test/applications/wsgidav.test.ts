import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { assertShows, basicAuth, Visitor } from '../support/visitor.ts';

const MEGABYTE = 1024 * 1024;
/** Longer than what Viaduct keeps in memory. */
const LARGE = Buffer.alloc(24 * MEGABYTE, 'a line of a large file\n');

const LOCK = `<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>
<D:locktype><D:write/></D:locktype><D:owner>jane</D:owner></D:lockinfo>`;
const PATCH = `<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:N="urn:note"><D:set><D:prop>
<N:note>grün</N:note></D:prop></D:set></D:propertyupdate>`;

describe('WsgiDAV, a server of files', { skip: notInstalled('wsgidav') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let jane: Visitor;

  before(async () => {
    site = makeSite(suite, 'wsgidav');
    mkdirSync(site.path('files'));
    writeFileSync(site.path('files/welcome.txt'), 'Welcome');
    server = await site.start(suite);
    jane = new Visitor(server.url, basicAuth('jane', 'secret'));
  });

  it('passes viaduct check', () => {
    assert.match(site.check(), /The application can be served/);
  });

  it('offers both kinds of authentication', async () => {
    const refused = await new Visitor(server.url).ask('GET', '/welcome.txt');
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('www-authenticate') ?? '', /Digest realm=/);
    assert.equal((await jane.get('/welcome.txt')).text, 'Welcome');
  });

  it('lists a directory as pages and as properties', async () => {
    assertShows(await jane.get('/'), /welcome\.txt/);
    const listed = await jane.ask('PROPFIND', '/', { headers: { Depth: '1' } });
    assert.equal(listed.status, 207);
    assertShows(listed, /welcome\.txt[\s\S]*getcontentlength>7</);
    const options = await jane.ask('OPTIONS', '/');
    assert.equal(options.headers.get('dav'), '1,2');
  });

  it('takes a large file with its length, and gives parts of it', async () => {
    const put = await jane.ask('PUT', '/large.bin', { body: LARGE });
    assert.equal(put.status, 201, put.text);
    assert.ok(readFileSync(site.path('files/large.bin')).equals(LARGE));
    const start = LARGE.length - 100;
    const part = await jane.ask('GET', '/large.bin', { headers: { Range: `bytes=${start}-` } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${LARGE.length - 1}/${LARGE.length}`);
    assert.equal(part.text, LARGE.toString('latin1', start));
    const whole = await jane.ask('GET', '/large.bin');
    assert.equal(whole.text.length, LARGE.length);
  });

  it('takes a file in chunks, as the Finder sends it', async () => {
    const blocks = Array.from({ length: 8 }, (_, index) => Buffer.alloc(MEGABYTE, `${index}`));
    const body = new ReadableStream({
      pull(controller) {
        const block = blocks.shift();
        if (block === undefined) controller.close();
        else controller.enqueue(new Uint8Array(block));
      },
    });
    const put = await jane.ask('PUT', '/chunks.bin', { body });
    assert.equal(put.status, 201, put.text);
    const stored = readFileSync(site.path('files/chunks.bin'));
    assert.equal(stored.length, 8 * MEGABYTE);
    assert.equal(stored.toString('latin1', 5 * MEGABYTE - 1, 5 * MEGABYTE + 1), '45');
  });

  it('makes, copies and moves what is behind a proxy that speaks HTTPS', async () => {
    const { host } = new URL(server.url);
    const proxied = new Visitor(server.url, { ...basicAuth('jane', 'secret'), 'X-Forwarded-Proto': 'https' });
    const name = encodeURIComponent('Bilder & Töne');
    assert.equal((await proxied.ask('MKCOL', `/${name}`)).status, 201);
    const copied = await proxied.ask('COPY', '/welcome.txt', {
      headers: { Destination: `https://${host}/${name}/copy.txt` },
    });
    assert.equal(copied.status, 201, copied.text);
    const moved = await proxied.ask('MOVE', `/${name}`, { headers: { Destination: `https://${host}/moved/` } });
    assert.equal(moved.status, 201, moved.text);
    assert.equal(readFileSync(site.path('files/moved/copy.txt'), 'utf8'), 'Welcome');
    assert.equal((await proxied.ask('DELETE', '/moved/')).status, 204);
  });

  it('locks a file for one client', async () => {
    const locked = await jane.ask('LOCK', '/welcome.txt', {
      headers: { Depth: '0', Timeout: 'Second-600', 'Content-Type': 'application/xml' },
      body: LOCK,
    });
    assert.equal(locked.status, 200, locked.text);
    const token = locked.headers.get('lock-token') ?? '';
    for (let count = 0; count < 8; count += 1) {
      assert.equal((await jane.ask('PUT', '/welcome.txt', { body: 'other' })).status, 423);
    }
    const owner = await jane.ask('PUT', '/welcome.txt', { headers: { If: `(${token})` }, body: 'Changed' });
    assert.equal(owner.status, 204, owner.text);
    assert.equal((await jane.ask('UNLOCK', '/welcome.txt', { headers: { 'Lock-Token': token } })).status, 204);
    assert.equal((await jane.ask('PUT', '/welcome.txt', { body: 'Welcome' })).status, 204);
  });

  it('keeps properties of its own', async () => {
    const set = await jane.ask('PROPPATCH', '/welcome.txt', {
      headers: { 'Content-Type': 'application/xml' },
      body: PATCH,
    });
    assert.equal(set.status, 207, set.text);
    assertShows(await jane.ask('PROPFIND', '/welcome.txt', { headers: { Depth: '0' } }), />grün</);
  });

  it('answers each request while it reloads', async () => {
    const visits = await reloadDuring(server, async () => {
      assert.equal((await jane.ask('PUT', '/again.txt', { body: 'again' })).status < 300, true);
      assert.equal((await jane.get('/again.txt')).text, 'again');
    });
    assert.ok(visits > 0);
  });
});
