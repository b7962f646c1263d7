import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { hashPassword } from '../../src/handlers/auth/passwords.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { assertShows, basicAuth, formFields, Visitor } from '../support/visitor.ts';

const JANE = basicAuth('jane', 'secret');

describe('Trac, a tracker of tickets', { skip: notInstalled('trac') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let settings: { readonly TRAC_ENV: string };
  let jane: Visitor;

  before(async () => {
    site = makeSite(suite, 'trac');
    settings = { TRAC_ENV: site.path('env') };
    site.run('trac-admin', [site.path('env'), 'initenv', 'Project', 'sqlite:db/trac.db']);
    site.run('trac-admin', [site.path('env'), 'deploy', site.path('deploy')]);
    writeFileSync(site.path('users.htpasswd'), `jane:${await hashPassword('secret')}\n`);
    server = await site.start(suite, settings, ['--workers', '2']);
    jane = new Visitor(server.url);
  });

  it('passes viaduct check', () => {
    assert.match(site.check(settings), /The application can be served/);
  });

  it('signs its users in with the name that Viaduct has verified', async () => {
    const stranger = await jane.ask('GET', '/login');
    assert.equal(stranger.status, 401);
    assert.equal(stranger.headers.get('www-authenticate'), 'Basic realm="Trac", charset="UTF-8"');
    const page = await jane.follow(await jane.ask('GET', '/login', { headers: JANE }));
    assert.equal(page.status, 200);
    assertShows(page, /logged in as[^j]*jane/);
  });

  it('ignores the names that a client sends', async () => {
    const forged = { 'Remote-User': 'jane', 'X-Remote-User': 'jane' };
    const headers = Object.fromEntries(Object.entries(forged).map(([name, value]) => [name, encodeURI(value)]));
    assert.doesNotMatch((await new Visitor(server.url, headers).get('/wiki')).text, /logged in as/);
  });

  it('makes a ticket of a form, and keeps a file with it', async () => {
    const form = await jane.get('/newticket');
    const created = await jane.submit('/newticket', {
      __FORM_TOKEN: formFields(form.text).__FORM_TOKEN ?? '',
      field_summary: 'Dächer lecken & tropfen',
      field_description: 'Since = yesterday\r\n{{{\r\n<b>\r\n}}}',
      submit: 'Create ticket',
    });
    assert.equal(created.target, '/ticket/1', created.text.slice(0, 3000));
    assertShows(created, /Dächer lecken &amp; tropfen/);
    assertShows(created, /&lt;b&gt;/);

    const content = Buffer.alloc(200_000, 'drip \xe4\n', 'latin1');
    const upload = new FormData();
    const page = await jane.get('/attachment/ticket/1/?action=new');
    upload.set('__FORM_TOKEN', formFields(page.text).__FORM_TOKEN ?? '');
    upload.set('action', 'new');
    upload.set('realm', 'ticket');
    upload.set('id', '1');
    upload.set('description', 'Photo');
    upload.set('attachment', new Blob([content]), 'dach über uns.txt');
    const attached = await jane.submit('/attachment/ticket/1/', upload);
    assertShows(attached, /dach über uns\.txt/);
    const path = `/raw-attachment/ticket/1/${encodeURIComponent('dach über uns.txt')}`;
    const file = await fetch(new URL(path, server.url));
    assert.deepEqual(Buffer.from(await file.arrayBuffer()), content);
  });

  it('refuses a form without its token', async () => {
    const refused = await jane.submit('/newticket', { field_summary: 'forged', submit: 'Create ticket' });
    assert.equal(refused.status, 400);
    assertShows(refused, /Missing or invalid form token/);
  });

  it('finds the ticket', async () => {
    const found = await jane.get('/search?q=tropfen&ticket=on&noquickjump=1');
    assertShows(found, /Dächer lecken &amp; <strong[^>]*>tropfen|Dächer lecken &amp; tropfen/);
    assert.match((await jane.get('/query?status=new&format=csv&col=id&col=summary')).text, /1,Dächer lecken & tropfen/);
  });

  it('keeps the scheme of a proxy in its links', async () => {
    const { host } = new URL(server.url);
    const secure = await jane.ask('GET', '/logout', { headers: { 'X-Forwarded-Proto': 'https' } });
    const feed = await jane.ask('GET', '/timeline?format=rss', { headers: { 'X-Forwarded-Proto': 'https' } });
    assert.ok(feed.text.includes(`<link>https://${host}/timeline</link>`), feed.text.slice(0, 1000));
    if (secure.status !== 200) assert.match(secure.headers.get('location') ?? '', /^https:/);
  });

  it('has its static files from Viaduct, compressed', async () => {
    const style = await jane.get('/chrome/common/css/trac.css');
    assert.equal(style.status, 200);
    assert.match(style.headers.get('content-type') ?? '', /^text\/css/);
    assert.notEqual(style.headers.get('etag'), null);
    const range = await jane.ask('GET', '/chrome/common/css/trac.css', { headers: { Range: 'bytes=0-9' } });
    assert.equal(range.status, 206);
    assert.equal(range.text, style.text.slice(0, 10));
  });

  it('answers each request while it reloads', async () => {
    const visits = await reloadDuring(server, async () =>
      assert.equal((await jane.ask('GET', '/ticket/1')).status, 200),
    );
    assert.ok(visits > 0);
  });
});
