import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../support/viaduct.ts';

const PYTHON = PYTHON_WITH_PACKAGES ?? 'python3';

/** Starts an example's program on a free port, until the test ends. Returns its address, without the last slash. */
async function start(t: TestContext, example: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = spawn(process.execPath, [join(ROOT, 'examples', example, 'server.mjs')], {
    env: { ...process.env, ...env, PYTHON, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => stop(program));
  let output = '';
  for await (const text of program.stdout) {
    output += text;
    const url = /(http:\/\/127\.0\.0\.1:\d+)\/\n/.exec(output)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`${example} ended before it listened: ${output}`);
}

async function stop(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null) return;
  const exit = once(program, 'exit');
  program.kill('SIGTERM');
  const [code] = (await exit) as [number | null];
  assert.ok(code === 0 || code === 143, `${code}`); // Vite leaves as a shell would say it
}

/** A database with the user `clerk`, whose password is `secret`. */
function makeDatabase(t: TestContext, example: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-mounted-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const DATABASE = join(directory, 'db.sqlite3');
  const user = { DJANGO_SUPERUSER_USERNAME: 'clerk', DJANGO_SUPERUSER_PASSWORD: 'secret' };
  for (const command of [['migrate'], ['createsuperuser', '--noinput', '--email', 'clerk@example.org']]) {
    const { status, stderr } = spawnSync(PYTHON, ['office.py', ...command], {
      cwd: join(ROOT, 'examples', example),
      env: { ...process.env, ...user, DATABASE, PYTHONDONTWRITEBYTECODE: '1' },
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }
  return DATABASE;
}

/** Logs in to Django's admin under `/admin`, as a browser does, and looks at its style sheet. */
async function visitAdmin(url: string): Promise<void> {
  const first = await fetch(`${url}/admin/`, { redirect: 'manual' });
  assert.deepEqual([first.status, first.headers.get('location')], [302, '/admin/login/?next=/admin/']);
  const page = await fetch(`${url}/admin/login/?next=/admin/`);
  const html = await page.text();
  const sheet = /href="(\/admin\/static\/[^"]*base\.css)"/.exec(html)?.[1];
  const style = await fetch(url + sheet);
  assert.equal(style.status, 200);
  assert.match(style.headers.get('content-type') ?? '', /^text\/css/);
  assert.match(await style.text(), /--primary/);
  const token = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(html)?.[1] as string;
  const cookie = page.headers.getSetCookie()[0]?.split(';')[0] as string;
  const body = new URLSearchParams({
    csrfmiddlewaretoken: token,
    username: 'clerk',
    password: 'secret',
    next: '/admin/',
  });
  const headers = { cookie, origin: url };
  const login = await fetch(`${url}/admin/login/`, { method: 'POST', headers, body, redirect: 'manual' });
  assert.deepEqual([login.status, login.headers.get('location')], [302, '/admin/']);
  const cookies = login.headers.getSetCookie().map((field) => field.split(';')[0]);
  assert.equal(cookies.length, 2);
  const inside = await (await fetch(`${url}/admin/`, { headers: { cookie: cookies.join('; ') } })).text();
  assert.match(inside, /Site administration/);
  assert.match(inside, /action="\/admin\/logout\/"/);
}

describe('the examples of docs/adapters.md', { skip: NO_PACKAGES }, () => {
  it('have Django under /admin of an Express app', async (t) => {
    const url = await start(t, 'express-django', { DATABASE: makeDatabase(t, 'express-django') });
    assert.match(await (await fetch(url)).text(), /<h1>Express/);
    await visitAdmin(url);
    assert.equal((await fetch(`${url}/none`)).status, 404);
  });

  it('have a Hono API and Django under one origin', async (t) => {
    const url = await start(t, 'hono-django', { DATABASE: makeDatabase(t, 'hono-django') });
    const echoed = await fetch(`${url}/api/echo`, { method: 'POST', body: '{"a":1}' });
    assert.deepEqual(await echoed.json(), { a: 1 });
    await visitAdmin(url);
    assert.equal((await fetch(`${url}/none`)).status, 404);
  });

  it("have Flask inside Vite's dev server", async (t) => {
    const url = await start(t, 'vite-flask');
    assert.match(await (await fetch(url)).text(), /@vite\/client/);
    const headers = { 'content-type': 'application/json' };
    const added = await fetch(`${url}/api/notes`, { method: 'POST', headers, body: '{"text":"é"}' });
    assert.deepEqual([added.status, await added.json()], [201, { notes: ['é'] }]);
    assert.deepEqual(await (await fetch(`${url}/api/notes`)).json(), { add: '/api/notes', notes: ['é'] });
  });

  it('stand there as they are run', () => {
    const page = readFileSync(join(ROOT, 'docs/adapters.md'), 'utf8');
    for (const example of ['express-django', 'hono-django', 'vite-flask']) {
      const program = readFileSync(join(ROOT, 'examples', example, 'server.mjs'), 'utf8');
      assert.ok(page.includes(`\`\`\`js\n${program}\`\`\`\n`), example);
    }
  });
});
