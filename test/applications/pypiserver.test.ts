import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { assertShows, basicAuth, Visitor } from '../support/visitor.ts';

/** Makes a password file, and a wheel with a module of 3 MB that cannot be compressed. */
const PREPARE = `
import os, zipfile
from passlib.apache import HtpasswdFile
users = HtpasswdFile('users.htpasswd', new=True)
users.set_password('jane', 'secret')
users.save()
with zipfile.ZipFile('sample-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('sample.py', 'DATA = ' + repr(os.urandom(1_000_000)))
    wheel.writestr('sample-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n')
    wheel.writestr('sample-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('sample-1.0.dist-info/RECORD', '')
`;
const WHEEL = 'sample-1.0-py3-none-any.whl';

describe('pypiserver, an index of packages', { skip: notInstalled('pypiserver') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;

  before(async () => {
    site = makeSite(suite, 'pypiserver');
    mkdirSync(site.path('packages'));
    site.run('python', ['-c', PREPARE]);
    server = await site.start(suite, {}, ['--workers', '2']);
  });

  /** As twine does. */
  function upload(visitor: Visitor, action = 'file_upload') {
    const form = new FormData();
    form.set(':action', action);
    form.set('protocol_version', '1');
    form.set('name', 'sample');
    form.set('version', '1.0');
    form.set('content', new Blob([readFileSync(site.path(WHEEL))]), WHEEL);
    return visitor.ask('POST', '/', { body: form });
  }

  const pip = (...args: string[]) =>
    site.run('python', ['-m', 'pip', ...args, '--isolated', '--no-cache-dir', '--disable-pip-version-check'], {
      NO_PROXY: '127.0.0.1',
    });

  it('passes viaduct check', () => {
    assert.match(site.check(), /The application can be served/);
  });

  it('takes packages only from its users', async () => {
    const stranger = await upload(new Visitor(server.url));
    assert.equal(stranger.status, 401);
    assert.match(stranger.headers.get('www-authenticate') ?? '', /^Basic realm=/);
    const wrong = await upload(new Visitor(server.url, basicAuth('jane', 'guess')));
    assert.ok([401, 403].includes(wrong.status));
    assert.deepEqual(readdirSync(site.path('packages')), []);
  });

  it('keeps a package, and takes it once', async () => {
    const jane = new Visitor(server.url, basicAuth('jane', 'secret'));
    const uploaded = await upload(jane);
    assert.equal(uploaded.status, 200, uploaded.text);
    assert.deepEqual(readFileSync(site.path('packages', WHEEL)), readFileSync(site.path(WHEEL)));
    assert.equal((await upload(jane)).status, 409);
  });

  it('shows pip the package, and gives it out', () => {
    pip(
      'download',
      '--no-deps',
      '--index-url',
      `${server.url}/simple/`,
      '--dest',
      site.path('downloads'),
      'sample==1.0',
    );
    assert.deepEqual(readFileSync(site.path('downloads', WHEEL)), readFileSync(site.path(WHEEL)));
  });

  it('answers the search of an old pip over XML-RPC', async () => {
    const answer = await new Visitor(server.url).ask('POST', '/RPC2', {
      headers: { 'Content-Type': 'text/xml' },
      body: `<?xml version="1.0"?><methodCall><methodName>search</methodName><params>
<param><value><struct><member><name>name</name><value><array><data><value><string>sample</string></value></data></array></value></member></struct></value></param>
<param><value><string>or</string></value></param></params></methodCall>`,
    });
    assertShows(answer, /<string>sample<\/string>/);
  });

  it('redirects to the scheme and host that a proxy states', async () => {
    const { host } = new URL(server.url);
    const answer = await new Visitor(server.url, { 'X-Forwarded-Proto': 'https' }).ask('GET', '/simple');
    assert.equal(answer.headers.get('location'), `https://${host}/simple/`);
  });

  it('gives parts of a file, and HEAD', async () => {
    const visitor = new Visitor(server.url);
    const part = await visitor.ask('GET', `/packages/${WHEEL}`, { headers: { Range: 'bytes=0-3' } });
    assert.deepEqual([part.status, part.text], [206, 'PK\x03\x04']);
    const head = await visitor.ask('HEAD', `/packages/${WHEEL}`);
    assert.equal(head.headers.get('content-length'), String(readFileSync(site.path(WHEEL)).length));
    assert.equal(head.text, '');
  });

  it('removes a package, and answers each request while it reloads', async () => {
    const jane = new Visitor(server.url, basicAuth('jane', 'secret'));
    const visits = await reloadDuring(server, async () =>
      assertShows(await jane.get('/simple/sample/'), /sample-1\.0/),
    );
    assert.ok(visits > 0);
    assert.equal((await jane.submit('/', { ':action': 'remove_pkg', name: 'sample', version: '1.0' })).status, 200);
    assert.deepEqual(readdirSync(site.path('packages')), []);
  });
});
