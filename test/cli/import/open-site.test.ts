import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readImported } from '../../../src/cli/import/open-site.ts';
import type { Outcome, PathKind, Probe } from '../../../src/import/check/outcome.ts';

const SETTINGS = {
  listen: ['http://0.0.0.0:80', 'https://0.0.0.0:443'],
  tls: { certificate: '/nowhere/cert.pem' },
  route: [
    { host: 'example.org', path: '/static/*', static: '/srv/static', headers: { set: { 'X-A': '1' } } },
    { host: 'example.org', path: '/list/*', static: '/srv/static', static_options: { listing: true } },
    { host: 'example.org', path: '/admin/*', access: { allow: '10.0.0.0/8' }, proxy: 'http://127.0.0.1:9000' },
    { host: 'example.org', path: '/secret/*', basic_auth: { file: '/nowhere/users' }, respond: { body: 'in' } },
    {
      host: 'example.org',
      path: '/asked/*',
      forward_auth: { url: 'http://127.0.0.1:9/ask' },
      proxy: 'uwsgi://unix:/a',
    },
    { host: 'example.org', path: '/old', redirect: { to: 'https://{host}/new', status: 301 } },
    { host: 'example.org', proxy: ['http://10.0.0.1', { url: 'unix:/run/b.sock', backup: true }] },
  ],
};
const DISK = new Map<string, Exclude<PathKind, null>>([
  ['/srv/static', 'directory'],
  ['/srv/static/a.css', 'file'],
  ['/srv/static/sub', 'directory'],
]);

async function ask(changes: Partial<Probe>): Promise<Outcome> {
  const site = (await readImported(SETTINGS, '/etc/site')).open();
  site.fill((path) => DISK.get(path) ?? null);
  try {
    return await site.ask({
      address: '0.0.0.0:80',
      secure: false,
      client: '192.0.2.7',
      authorized: false,
      method: 'GET',
      target: '/',
      fields: [['Host', 'example.org']],
      ...changes,
    });
  } finally {
    site.close();
  }
}

/** An outcome of this kind, for tests that look at its parts. */
async function askFor<K extends Outcome['kind']>(kind: K, changes: Partial<Probe>) {
  const outcome = await ask(changes);
  assert.equal(outcome.kind, kind, JSON.stringify(outcome));
  return outcome as Extract<Outcome, { readonly kind: K }>;
}

describe('a site that is asked what it would do', () => {
  it('sends a file that the disk of the question has', async () => {
    assert.deepEqual(await ask({ target: '/static/a.css' }), {
      kind: 'file',
      path: '/srv/static/a.css',
      listing: false,
      status: 200,
      type: 'text/css',
      fields: [
        ['Cache-Control', 'no-cache'],
        ['X-Content-Type-Options', 'nosniff'],
        ['X-A', '1'],
      ],
    });
  });

  it('has no file that the disk lacks', async () => {
    const outcome = await askFor('answer', { target: '/static/b.css' });
    assert.deepEqual([outcome.status, outcome.content], [404, null]);
  });

  it('lists a directory', async () => {
    const outcome = await askFor('file', { target: '/list/sub/' });
    assert.deepEqual([outcome.path, outcome.listing], ['/srv/static/sub', true]);
  });

  it('passes a request on to all backends of its route, with the fields that they get', async () => {
    const outcome = await askFor('backend', { target: '/x?y=1' });
    assert.deepEqual(outcome.to, ['http://10.0.0.1']);
    assert.equal(outcome.target, '/x?y=1');
    const sent = new Map(outcome.sent);
    assert.equal(sent.get('Host'), 'example.org');
    assert.equal(sent.get('X-Forwarded-For'), '192.0.2.7');
    assert.equal(sent.get('X-Forwarded-Proto'), 'http');
  });

  it('sees the address of the client', async () => {
    assert.equal((await askFor('answer', { target: '/admin/' })).status, 403);
    await askFor('backend', { target: '/admin/', client: '10.1.2.3' });
  });

  it('trusts nobody who claims to be another client', async () => {
    const fields: Probe['fields'] = [
      ['Host', 'example.org'],
      ['X-Forwarded-For', '10.1.2.3'],
    ];
    assert.equal((await askFor('answer', { target: '/admin/', fields })).status, 403);
  });

  it('asks for a password, and accepts the one of an authorized client', async () => {
    assert.equal((await askFor('answer', { target: '/secret/' })).status, 401);
    assert.equal((await askFor('answer', { target: '/secret/', authorized: true })).content, 'in');
  });

  it('asks the service for authentication, and the backend gets no password of the question', async () => {
    assert.equal((await askFor('answer', { target: '/asked/' })).status, 401);
    const outcome = await askFor('backend', { target: '/asked/', authorized: true });
    assert.deepEqual(outcome.to, ['uwsgi://unix:/a']);
    assert.equal(new Map(outcome.sent).get('PATH_INFO'), '/asked/');
    assert.equal(new Map(outcome.sent).get('HTTP_AUTHORIZATION'), undefined);
  });

  it('redirects', async () => {
    const outcome = await askFor('answer', { target: '/old' });
    assert.deepEqual([outcome.status, outcome.location], [301, 'https://example.org/new']);
  });

  it('has no opinion about requests that each site refuses', async () => {
    await askFor('unknown', { target: '/%00' });
    await askFor('unknown', { target: '/../x' });
    await askFor('unknown', { fields: [] });
  });

  it('is closed where it does not listen', async () => {
    await askFor('closed', { address: '0.0.0.0:8080' });
    await askFor('closed', { secure: true });
    await askFor('backend', { address: '0.0.0.0:443', secure: true });
  });
});
