import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, type Site } from '../support/real-applications.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { assertShows, basicAuth, Visitor } from '../support/visitor.ts';
import { eventually } from '../support/wait.ts';

const ADMIN = basicAuth('admin', 'secret');
const ADD = '/manage_addProduct/OFSP';
/** Longer than what Viaduct and Zope keep in memory. */
const PICTURE = Buffer.alloc(3_000_000, 'picture ');
const SMALL = Buffer.from('picture ');

describe('Zope, with its objects in one file', { skip: notInstalled('zope') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let admin: Visitor;
  let checked: string;

  before(async () => {
    site = makeSite(suite, 'zope');
    site.run('mkwsgiinstance', ['-d', site.path('instance'), '-u', 'admin:secret']);
    checked = site.check(); // before the server has the lock
    server = await site.start(suite);
    admin = new Visitor(server.url, ADMIN);
  });

  const upload = (name: string, content: Buffer<ArrayBuffer>) => {
    const form = new FormData();
    form.set('id', name);
    form.set('title', 'Übersicht');
    form.set('file', new Blob([content], { type: 'image/png' }), name);
    return admin.submit(`/docs${ADD}/manage_addFile`, form);
  };

  it('gets advice from viaduct check: only one process can have the file', () => {
    assert.match(checked, /The application can be served/);
    if (process.platform === 'linux') assert.match(checked, /a lock on .*Data\.fs\.lock.*write workers = 1/);
  });

  it('shows its management pages to its administrator only', async () => {
    const stranger = await new Visitor(server.url).ask('GET', '/manage_main');
    assert.equal(stranger.status, 401);
    assert.match(stranger.headers.get('www-authenticate') ?? '', /basic realm="Zope"/);
    assertShows(await admin.get('/manage_main'), /Control_Panel|acl_users/);
  });

  it('keeps what its administrator makes of forms', async () => {
    const made = await admin.submit(`${ADD}/manage_addFolder`, {
      id: 'docs',
      title: 'Papers & drawings',
      submit: 'Add',
    });
    assert.equal(made.status, 200);
    const uploaded = await upload('picture.png', PICTURE);
    assert.equal(uploaded.status, 200, uploaded.text.slice(0, 2000));
    const picture = await new Visitor(server.url).get('/docs/picture.png');
    assert.equal(picture.headers.get('content-type'), 'image/png');
    assert.equal(picture.text, PICTURE.toString('latin1'));
    const part = await admin.ask('GET', '/docs/picture.png', { headers: { Range: 'bytes=8-15' } });
    assert.deepEqual([part.status, part.text], [206, 'picture ']);
  });

  it('answers as pages of a proxy that speaks HTTPS', async () => {
    const secure = new Visitor(server.url, { ...ADMIN, 'X-Forwarded-Proto': 'https' });
    assertShows(await secure.get('/manage_main'), new RegExp(`https://${new URL(server.url).host}`));
  });

  it('loses nothing of what it has answered when its worker is killed', async () => {
    const worker = await workerOf(server);
    const kept: string[] = [];
    let going = true;
    const uploading = (async () => {
      for (let count = 0; going; count += 1) {
        const answer = await upload(`drawing-${count}`, SMALL).catch(() => null);
        if (answer?.status === 200) kept.push(`drawing-${count}`);
      }
    })();
    await eventually('some drawings are there', () => kept.length >= 5);
    process.kill(worker, 'SIGKILL');
    const before = kept.length;
    await eventually('the next worker takes drawings', () => kept.length >= before + 5);
    going = false;
    await uploading;
    assert.notEqual(await workerOf(server), worker);
    for (const name of kept) assert.equal((await admin.get(`/docs/${name}`)).text, 'picture ', name);
  });

  it('goes on when a reload cannot have the file', async () => {
    process.kill(server.pid, 'SIGHUP');
    await eventually('the reload has failed', () => server.output().includes('Cannot reload'));
    assert.match(server.output(), /restart instead of reloading/);
    assert.equal((await admin.get('/docs/drawing-0')).text, 'picture ');
  });

  it('has everything after a restart', async () => {
    await server.stop();
    server = await site.start(suite);
    admin = new Visitor(server.url, ADMIN);
    assert.equal((await admin.get('/docs/picture.png')).text, PICTURE.toString('latin1'));
  });

  it('does not start with two workers, which would damage the file', async () => {
    await server.stop();
    const second = await startViaduct(suite, ['--workers', '2'], { cwd: site.directory, awaitReady: false });
    assert.equal((await second.exited).code, 1);
    assert.match(second.output(), /only one process at a time can import the application: write workers = 1/);
  });
});

/** The process id of the worker, from the access log. */
async function workerOf(server: Viaduct): Promise<number> {
  const { length } = server.output();
  await new Visitor(server.url).ask('GET', '/');
  const worker = () => Number(/"worker":(\d+)/.exec(server.output().slice(length))?.[1] ?? 0);
  await eventually('the log has the request', () => worker() > 0);
  return worker();
}
