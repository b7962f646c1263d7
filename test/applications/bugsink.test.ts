import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { assertShows, formFields, Visitor } from '../support/visitor.ts';
import { eventually } from '../support/wait.ts';

const SETTINGS = { DJANGO_SETTINGS_MODULE: 'bugsink_conf' };
const SUPERUSER = {
  ...SETTINGS,
  DJANGO_SUPERUSER_USERNAME: 'jane@example.org',
  DJANGO_SUPERUSER_EMAIL: 'jane@example.org',
  DJANGO_SUPERUSER_PASSWORD: 'secret',
};

/** What an application with the client of Sentry does. */
const REPORT = `
import sentry_sdk, sys
sentry_sdk.init(sys.argv[1], release='shop@1.0')
def order(basket):
    return basket['öl']
try:
    order({'padding': 'x' * 1000})
except KeyError as error:
    sentry_sdk.capture_exception(error)
sentry_sdk.flush(20)
`;

describe('Bugsink, a tracker of errors on Django', { skip: notInstalled('bugsink') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let jane: Visitor;
  let dsn: string;

  before(async () => {
    site = makeSite(suite, 'bugsink');
    site.run('bugsink-create-conf', ['--template=singleserver', '--host=127.0.0.1', `--base-dir=${site.directory}`]);
    site.run('bugsink-manage', ['migrate'], SETTINGS);
    site.run('bugsink-manage', ['migrate', '--database=snappea'], SETTINGS);
    site.run('bugsink-manage', ['createsuperuser', '--noinput'], SUPERUSER);
    server = await site.start(suite, SETTINGS, ['--workers', '2']);
    jane = new Visitor(server.url, { 'X-Forwarded-Proto': 'https' });
  });

  /** Fills the form of a page in, with the token that Django puts into it. */
  const fill = async (target: string, fields: Readonly<Record<string, string>>) =>
    jane.submit(target, { ...formFields((await jane.get(target)).text), ...fields });

  it('passes viaduct check', () => {
    assert.match(site.check(SETTINGS), /The application can be served/);
  });

  it('signs its user in behind a proxy that speaks HTTPS', async () => {
    const page = await jane.get('/');
    assert.match(page.target, /^\/accounts\/login\//);
    const home = await fill(page.target, { username: 'jane@example.org', password: 'secret' });
    assert.equal(home.status, 200);
    assert.doesNotMatch(home.target, /login/);
  });

  it('refuses a form of another site', async () => {
    const forged = await jane.ask('POST', '/teams/new/', {
      headers: { Origin: 'https://evil.example', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'name=evil',
    });
    assert.equal(forged.status, 403);
  });

  it('makes a team and a project', async () => {
    await fill('/teams/new/', { name: 'Shop', visibility: '1' });
    const form = await jane.get('/projects/new/');
    const team = /<option value="([0-9a-f-]{36})"/.exec(form.text)?.[1] ?? '';
    const made = await fill('/projects/new/', { team, name: 'Käse' });
    assert.equal(made.target, '/projects/1/sdk-setup/');
    dsn = /https?:\/\/[0-9a-f]{32}@[^\s"'&]+\/1/.exec(made.text)?.[0] ?? '';
    assert.match(dsn, /^https:/);
  });

  it('shows the error that a program reports', async () => {
    const address = dsn.replace('https://', 'http://').replace('@127.0.0.1', `@${new URL(server.url).host}`);
    site.run('python', ['-c', REPORT, address], { NO_PROXY: '127.0.0.1' });
    await eventually('the issue is there', async () => (await jane.get('/issues/1/')).text.includes('KeyError'));
    const list = await jane.get('/issues/1/');
    const issue = /\/issues\/issue\/[0-9a-f-]+\/event\/last\//.exec(list.text)?.[0] ?? '';
    assertShows(await jane.get(issue), /KeyError[\s\S]*öl/);
  });

  it('answers each event while it reloads', async () => {
    const key = /\/\/([0-9a-f]{32})@/.exec(dsn)?.[1];
    const visits = await reloadDuring(server, async () => {
      const answer = await jane.ask('POST', `/api/1/store/?sentry_key=${key}`, {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ message: 'again', platform: 'python', timestamp: Date.now() / 1000 }),
      });
      assert.equal(answer.status, 200, answer.text);
    });
    assert.ok(visits > 0);
  });

  it('has its style sheets', async () => {
    const page = await new Visitor(server.url, { 'X-Forwarded-Proto': 'https' }).get('/accounts/login/');
    const style = /href="(\/static\/[^"]+\.css)"/.exec(page.text)?.[1] ?? '';
    const answer = await jane.get(style);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/css/);
  });
});
