import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { copyExample, type ExampleCopy, prepareDjangoSite } from '../support/examples.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { BIN, NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

describe('examples/django-site', { skip: NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let site: ExampleCopy;
  let viaduct: Viaduct;

  before(async () => {
    site = prepareDjangoSite(suite);
    viaduct = await startViaduct(suite, ['serve', site.directory, ...python()]);
  });

  it('is found', () => {
    const output = check(site.directory);
    assert.match(output, /application +bridgebook\.wsgi:application \(Django [\d.]+, settings bridgebook\.settings\)/);
    assert.match(output, /static +\/static\/ from var\/static/);
    assert.match(output, /The application can be served\./);
  });

  it('answers on all of its pages', async () => {
    for (const path of [
      '/',
      '/bridges/',
      '/bridges/?page=4',
      '/bridges/thornby-viaduct/',
      '/accounts/login/',
      '/admin/login/',
    ]) {
      const response = await fetch(viaduct.url + path);
      assert.equal(response.status, 200, path);
      assert.match(await response.text(), /<\/html>\s*$/, path);
    }
    assert.equal((await fetch(`${viaduct.url}/bridges/?page=5`)).status, 404);
    assert.deepEqual(await (await fetch(`${viaduct.url}/health`)).json(), { status: 'ok' });
    const admin = await fetch(`${viaduct.url}/admin/`, { redirect: 'manual' });
    assert.equal(admin.headers.get('location'), '/admin/login/?next=/admin/');
  });

  it('serves its static files, and its uploads through a view', async () => {
    const sheet = await fetch(`${viaduct.url}/static/bridges/site.css`);
    assert.match(sheet.headers.get('content-type') ?? '', /^text\/css/);
    const tag = sheet.headers.get('etag') as string;
    const again = await fetch(`${viaduct.url}/static/bridges/site.css`, { headers: { 'if-none-match': tag } });
    assert.equal(again.status, 304);
    const list = site.manage(
      'shell',
      '-c',
      'from bridges.models import *; print(Inspection.objects.exclude(report="")[0].report.url)',
    );
    const report = await fetch(viaduct.url + (list.trim().split('\n').at(-1) as string));
    assert.equal(report.headers.get('content-type'), 'application/pdf');
    assert.match(await report.text(), /^%PDF-1\.4\n[\s\S]*%%EOF\n$/);
    assert.equal((await fetch(`${viaduct.url}/media/db.sqlite3`)).status, 404);
  });

  it('accepts many forms at once: each writer waits for the previous one', async () => {
    const address = `${viaduct.url}/bridges/priory-bridge/notice/`;
    const form = await fetch(address);
    const cookie = (form.headers.getSetCookie()[0] ?? '').split(';')[0] as string;
    const token = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(await form.text())?.[1] as string;
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, number) => {
        const body = new URLSearchParams({ csrfmiddlewaretoken: token, name: `Visitor ${number}`, message: 'Crowd' });
        return (await fetch(address, { method: 'POST', headers: { cookie }, body, redirect: 'manual' })).status;
      }),
    );
    assert.deepEqual([...new Set(statuses)], [302]);
    const count = site.manage(
      'shell',
      '-c',
      'from bridges.models import *; print(Notice.objects.filter(message="Crowd").count())',
    );
    assert.match(count, /^40$/m);
  });

  it('shows a changed template in development', async (t) => {
    const template = join(site.directory, 'bridges/templates/bridges/home.html');
    const dev = await startViaduct(t, ['serve', site.directory, '--dev', ...python()], { env: { DJANGO_DEBUG: '1' } });
    assert.match(await (await fetch(dev.url)).text(), /Latest inspections/);
    writeFileSync(template, readFileSync(template, 'utf8').replace('Latest inspections', 'Fresh from the river'));
    await eventually('the page shows it', async () => /Fresh from the river/.test(await (await fetch(dev.url)).text()));
  });

  it('has all migrations, and requires the Django version of the tests', () => {
    assert.match(site.manage('makemigrations', '--check', '--dry-run'), /No changes detected/);
    assertPinned('django-site', 'django');
  });

  it('has a README whose commands work', async (t) => {
    await followReadme(t, 'django-site', '/');
  });
});

describe('examples/flask-site', { skip: NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let site: ExampleCopy;
  let viaduct: Viaduct;

  before(async () => {
    site = copyExample(suite, 'flask-site');
    // Without preload the workers create the key and the database at the same time.
    viaduct = await startViaduct(suite, ['serve', site.directory, '--no-preload', '--workers', '3', ...python()]);
  });

  it('is found, with the settings of its file', () => {
    const output = check(site.directory);
    assert.match(output, /application +app:create_app\(\) \(Flask\)/);
    assert.match(output, /static +\/static\/ from static/);
    assert.match(output, /viaduct\.toml/);
  });

  it('accepts an entry with a photo and shows it', async () => {
    const { cookie, token } = await openForm();
    const response = await write(cookie, token, 'Over the ridge <in snow>', new Blob([PNG]));
    assert.equal(response.status, 303);
    const page = await (await fetch(viaduct.url)).text();
    assert.match(page, /Over the ridge &lt;in snow&gt;/);
    const photo = await fetch(viaduct.url + (/src="(\/photos\/\w+\.png)"/.exec(page)?.[1] as string));
    assert.equal(photo.headers.get('content-type'), 'image/png');
    assert.ok(Buffer.from(await photo.arrayBuffer()).equals(PNG));
    assert.match(await (await fetch(`${viaduct.url}/book.txt`)).text(), /Ann \(Wend\):\nOver the ridge <in snow>\n/);
  });

  it('keeps a session across workers, and splits entries into pages', async () => {
    const { cookie, token } = await openForm();
    const answers = Array.from({ length: 20 }, (_, number) => write(cookie, token, `Night ${number}`));
    assert.deepEqual([...new Set((await Promise.all(answers)).map(({ status }) => status))], [303]);
    assert.match(await (await fetch(`${viaduct.url}/?page=2`)).text(), /Page 2 of 3/);
    assert.equal((await fetch(`${viaduct.url}/?page=9`)).status, 404);
  });

  it('refuses entries that are forged, have no photo or are too large', async () => {
    const { cookie, token } = await openForm();
    assert.equal((await write(cookie, 'förged', 'x')).status, 403);
    assert.equal((await write('', token, 'x')).status, 403);
    assert.equal((await write(cookie, token, 'x', new Blob([Buffer.alloc(9 * 1024 * 1024)]))).status, 413);
    assert.equal((await write(cookie, token, 'not kept', new Blob(['<svg>']))).status, 303);
    assert.doesNotMatch(await (await fetch(viaduct.url)).text(), /not kept/);
  });

  it('serves its static files', async () => {
    const sheet = await fetch(`${viaduct.url}/static/book.css`);
    assert.equal(sheet.status, 200);
    assert.match(sheet.headers.get('content-type') ?? '', /^text\/css/);
    assert.equal((await fetch(`${viaduct.url}/static/../app.py`)).status, 404);
  });

  it('has a README whose commands work', async (t) => {
    assertPinned('flask-site', 'flask');
    await followReadme(t, 'flask-site', '/');
  });

  async function openForm(): Promise<{ cookie: string; token: string }> {
    const form = await fetch(viaduct.url);
    const cookie = (form.headers.getSetCookie()[0] ?? '').split(';')[0] as string;
    return { cookie, token: /name="token" value="([\w-]+)"/.exec(await form.text())?.[1] as string };
  }

  function write(cookie: string, token: string, message: string, photo?: Blob): Promise<Response> {
    const body = new FormData();
    for (const [name, value] of Object.entries({ token, name: 'Ann', place: 'Wend', message }))
      body.append(name, value);
    if (photo !== undefined) body.append('photo', photo, 'photo.png');
    return fetch(viaduct.url, { method: 'POST', headers: { cookie }, body, redirect: 'manual' });
  }
});

describe('examples/plain-wsgi', () => {
  const directory = join(ROOT, 'examples/plain-wsgi');
  const suite = suiteLifetime();
  let viaduct: Viaduct;

  before(async () => {
    viaduct = await startViaduct(suite, ['serve', directory]);
  });

  it('is found', () => {
    assert.match(check(directory, []), /application +wsgi:application/);
  });

  it('shows the environ, without the variables of the process', async () => {
    assert.match(await (await fetch(viaduct.url)).text(), /what the server passes with a request/);
    const page = await (await fetch(`${viaduct.url}/environ?greeting=hello`)).text();
    assert.match(page, /<th>QUERY_STRING<td>&#x27;greeting=hello&#x27;/);
    assert.match(page, /<th>wsgi\.url_scheme<td>&#x27;http&#x27;/);
    assert.doesNotMatch(page, /<th>PATH</);
  });

  it('sends itself through wsgi.file_wrapper', async () => {
    const response = await fetch(`${viaduct.url}/source`);
    const source = readFileSync(join(directory, 'wsgi.py'), 'utf8');
    assert.equal(response.headers.get('content-length'), String(Buffer.byteLength(source)));
    assert.equal(await response.text(), source);
  });

  it('streams an answer, and notices when the client leaves', async () => {
    const client = await SocketClient.open(viaduct.port);
    client.send('GET /clock HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/tick 1 at [\d:]+\n/);
    client.close();
    await eventually('close() was called', () => /clock: closed after [1-9] ticks/.test(viaduct.output()));
  });

  it('reads a form, and refuses other methods than POST', async () => {
    const answer = await fetch(`${viaduct.url}/count`, { method: 'POST', body: new URLSearchParams({ text: 'ä<b>' }) });
    assert.match(await answer.text(), /<q>ä&lt;b&gt;<\/q> has 5 bytes/);
    const get = await fetch(`${viaduct.url}/count`);
    assert.equal(get.status, 405);
    assert.equal(get.headers.get('allow'), 'POST');
    assert.equal((await fetch(`${viaduct.url}/none`)).status, 404);
  });

  it('has a README whose commands work', async (t) => {
    await followReadme(t, 'plain-wsgi', '/');
  });
});

function python(): string[] {
  return ['--python', PYTHON_WITH_PACKAGES as string];
}

function check(directory: string, args = python()): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'check', directory, ...args], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

/** Asserts that an example pins the version of a package that the tests use. */
function assertPinned(example: string, name: string): void {
  const lineOf = (path: string) =>
    readFileSync(join(ROOT, path), 'utf8')
      .split('\n')
      .find((line) => line.startsWith(`${name}==`));
  assert.notEqual(lineOf('test/requirements.txt'), undefined);
  assert.equal(lineOf(`examples/${example}/requirements.txt`), lineOf('test/requirements.txt'));
}

/**
 * Runs the commands of an example's README in a copy of the example, one after the other. The interpreter of the tests replaces a fresh
 * environment. Fails for a command that it cannot run.
 */
async function followReadme(t: TestContext, example: string, page: string): Promise<void> {
  const copy = copyExample(t, example);
  const commands = readFileSync(join(copy.directory, 'README.md'), 'utf8').match(/(?<=^ {4})\S.*$/gm) ?? [];
  assert.ok(commands.some((command) => command.includes('bin/viaduct.js')));
  let viaduct: Viaduct | null = null;
  for (const command of commands) {
    const words = command.split(' ');
    const env = Object.fromEntries(words.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split('=')));
    const [program, ...args] = words.filter((word) => !/^[A-Z_]+=/.test(word)) as [string, ...string[]];
    if (program === 'node') {
      assert.equal(args[0], '../../bin/viaduct.js');
      await viaduct?.stop();
      const interpreter = example === 'plain-wsgi' ? [] : python();
      viaduct = await startViaduct(t, [...args.slice(1), ...interpreter], { cwd: copy.directory, env });
      assert.equal((await fetch(viaduct.url + page)).status, 200, command);
    } else if (program === '.venv/bin/python') {
      assert.equal(args[0], 'manage.py');
      copy.manage(...args.slice(1));
    } else if (program === 'curl') {
      await curl(viaduct as Viaduct, args);
    } else {
      assert.match(command, /^(python3 -m venv \.venv|\.venv\/bin\/pip install -r requirements\.txt)$/);
    }
  }
}

async function curl(viaduct: Viaduct, args: readonly string[]): Promise<void> {
  const url = args.at(-1)?.replace('http://localhost:8000', viaduct.url) as string;
  const data = args[args.indexOf('-d') + 1] as string;
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(url, args.includes('-d') ? { method: 'POST', body: data, headers } : {});
  assert.equal(response.status, 200, url);
  const reader = response.body?.getReader();
  const first = await reader?.read();
  assert.ok((first?.value?.length ?? 0) > 0, url);
  await reader?.cancel();
}
