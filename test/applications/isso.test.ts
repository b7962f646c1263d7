import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'node:test';
import { type Lifetime, suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { Visitor } from '../support/visitor.ts';

interface Comment {
  readonly id: number;
  readonly text: string;
  readonly author: string | null;
}

/** The blog that has the comments. Isso reads the titles of its pages. */
async function startBlog(t: Lifetime): Promise<string> {
  const blog = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!DOCTYPE html><html><body><h1>Moving in</h1><section id="isso-thread"></section></body></html>');
  });
  t.after(() => void blog.close());
  await new Promise<void>((resolve) => blog.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(blog.address() as AddressInfo).port}`;
}

describe('Isso, a server of comments', { skip: notInstalled('isso') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let settings: { readonly ISSO_SETTINGS: string };
  let reader: Visitor;
  let blog: string;

  before(async () => {
    blog = await startBlog(suite);
    site = makeSite(suite, 'isso', { WEBSITE: blog });
    settings = { ISSO_SETTINGS: site.path('isso.cfg') };
    server = await site.start(suite, settings, ['--workers', '2']);
    reader = new Visitor(server.url, { Origin: `http://${blog}` });
  });

  const comment = (visitor: Visitor, text: string) =>
    visitor.ask('POST', '/new?uri=/moving-in/', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ author: 'Max', text }),
    });

  const shown = async (): Promise<readonly Comment[]> => {
    const answer = await reader.get('/?uri=/moving-in/');
    return answer.status === 404 ? [] : (JSON.parse(answer.text) as { replies: readonly Comment[] }).replies;
  };

  it('passes viaduct check, which names the thread that removes old comments', () => {
    const output = site.check(settings);
    assert.match(output, /The application can be served/);
    if (process.platform === 'linux') assert.match(output, /a thread \(isso\.core:[\w.]+\)/);
  });

  it('has this thread in each worker, because a fork would lose it', () => {
    if (process.platform !== 'linux') return;
    assert.match(server.output(), /cannot share: a thread \(isso\.core:[\w.]+\)\. So each worker imports/);
  });

  it('lets pages of its website only use it', async () => {
    const preflight = await reader.ask('OPTIONS', '/new?uri=/moving-in/', {
      headers: { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' },
    });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers.get('access-control-allow-origin'), `http://${blog}`);
    assert.equal(preflight.headers.get('access-control-allow-credentials'), 'true');
    const other = await new Visitor(server.url, { Origin: 'http://evil.example' }).ask('GET', '/?uri=/moving-in/');
    assert.notEqual(other.headers.get('access-control-allow-origin'), 'http://evil.example');
  });

  it('shows a comment when the moderator has accepted it', async () => {
    const posted = await comment(reader, 'Good *day*, zwölf 🦆');
    assert.equal(posted.status, 202, posted.text);
    const { id, text } = JSON.parse(posted.text) as Comment;
    assert.match(text, /<em>day<\/em>, zwölf 🦆/);
    assert.notEqual(reader.cookie(String(id)), undefined);
    assert.deepEqual(await shown(), []);

    const moderator = new Visitor(server.url);
    assert.match((await moderator.get('/admin/')).text, /type="password"/);
    const admin = await moderator.submit('/login/', { password: 'moderator' });
    assert.equal(admin.target, '/admin/');
    const key = new RegExp(`validate_com\\(${id}, '([^']+)'`).exec(admin.text)?.[1];
    const accepted = await moderator.ask('POST', `/id/${id}/activate/${key}`);
    assert.equal(accepted.text, 'Comment has been activated');
    assert.deepEqual(
      (await shown()).map((each) => each.author),
      ['Max'],
    );
  });

  it('lets the author, and nobody else, change a comment', async () => {
    const [first] = await shown();
    assert.ok(first !== undefined);
    const change = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ text: 'Good night' }) };
    const stranger = new Visitor(server.url, { Origin: `http://${blog}` });
    assert.equal((await stranger.ask('PUT', `/id/${first.id}`, change)).status, 403);
    assert.equal((await reader.ask('PUT', `/id/${first.id}`, change)).status, 200);
    assert.match((await shown())[0]?.text ?? '', /Good night/);
  });

  it('makes cookies for HTTPS behind a proxy that speaks it', async () => {
    const secure = new Visitor(server.url, { Origin: `http://${blog}`, 'X-Forwarded-Proto': 'https' });
    const posted = await comment(secure, 'Hello over TLS');
    assert.match(posted.headers.getSetCookie().join(), /Secure/);
    assert.match(posted.headers.getSetCookie().join(), /SameSite=None/);
  });

  it('serves its script, and knows when it has not changed', async () => {
    const script = await reader.get('/js/embed.min.js');
    assert.equal(script.status, 200);
    assert.match(script.headers.get('content-type') ?? '', /javascript/);
    const again = await reader.ask('GET', '/js/embed.min.js', {
      headers: { 'If-None-Match': script.headers.get('etag') ?? '' },
    });
    assert.equal(again.status, 304);
  });

  it('answers each request while it reloads', async () => {
    const visits = await reloadDuring(server, async () => assert.equal((await shown()).length, 1));
    assert.ok(visits > 0);
  });
});
