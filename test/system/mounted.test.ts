import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { prepareDjangoSite } from '../support/examples.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../support/viaduct.ts';
import { within } from '../support/wait.ts';

const PYTHON = PYTHON_WITH_PACKAGES ?? '';
const START_MS = 60_000;
const STOP_MS = 30_000;

interface Program {
  readonly url: string;
  /** Ends it with SIGTERM. Resolves with its exit code, and with its output to standard error. */
  end(): Promise<{ readonly code: number | null; readonly errors: string }>;
}

/** Starts an example like its README does, and waits for its URL. */
async function start(t: TestContext, name: string, env: Readonly<Record<string, string>>): Promise<Program> {
  const child = spawn(process.execPath, [join(ROOT, 'examples', name, 'server.mjs')], {
    env: { ...process.env, PORT: '0', PYTHON, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (block: Buffer) => (errors += block.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  t.after(() => child.kill('SIGKILL'));
  const address = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (block: Buffer) => {
      const [url] = /http:\/\/\S+/.exec(block.toString()) ?? [];
      if (url !== undefined) resolve(url);
    });
    void ended.then(() => reject(new Error(`${name} ended: ${errors}`)));
  });
  const url = await within(START_MS, `the URL of ${name}`, () => address);
  const end = async () => {
    child.kill('SIGTERM');
    return { code: await within(STOP_MS, `the end of ${name}`, () => ended), errors };
  };
  return { url, end };
}

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-mounted-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A client with cookies, as far as a login needs them. */
class Visitor {
  readonly #cookies = new Map<string, string>();

  async ask(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}

function hidden(page: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]+)"`).exec(page)?.[1] ?? '';
}

/** Logs in to a Django admin as `admin`. Returns the response to the form. */
async function logIn(visitor: Visitor, admin: string): Promise<Response> {
  const page = await (await visitor.ask(`${admin}login/`)).text();
  const csrfmiddlewaretoken = hidden(page, 'csrfmiddlewaretoken');
  const next = new URL(admin).pathname;
  const form = { csrfmiddlewaretoken, username: 'admin', password: 'admin', next };
  return visitor.ask(`${admin}login/`, { method: 'POST', body: new URLSearchParams(form) });
}

describe('docs/adapters.md', () => {
  const page = readFileSync(join(ROOT, 'docs/adapters.md'), 'utf8');
  for (const name of ['express-django', 'hono-django', 'vite-flask']) {
    it(`shows the real program of examples/${name}`, () => {
      const program = readFileSync(join(ROOT, 'examples', name, 'server.mjs'), 'utf8');
      assert.ok(page.includes(`\`\`\`js\n${program}\`\`\`\n`));
    });
  }
});

describe('an example of a mounted application', { skip: NO_PACKAGES, concurrency: 2 }, () => {
  it('serves Django under /admin in an Express application, with pages, style sheets and login', async (t) => {
    const OFFICE_VAR = temporary(t);
    const office = join(ROOT, 'examples/express-django/office.py');
    const admin = {
      DJANGO_SUPERUSER_USERNAME: 'admin',
      DJANGO_SUPERUSER_PASSWORD: 'admin',
      DJANGO_SUPERUSER_EMAIL: 'a@b.example',
    };
    for (const args of [['migrate'], ['createsuperuser', '--noinput']]) {
      const made = spawnSync(PYTHON, [office, ...args], {
        env: { ...process.env, OFFICE_VAR, ...admin },
        encoding: 'utf8',
      });
      assert.equal(made.status, 0, made.stderr);
    }
    const { url, end } = await start(t, 'express-django', { OFFICE_VAR });
    assert.match(await (await fetch(url)).text(), /Back office/);
    const ordered = await fetch(`${url}/orders`, {
      method: 'POST',
      body: '{"tea":2}',
      headers: { 'Content-Type': 'application/json' },
    });
    assert.deepEqual(await ordered.json(), { ordered: { tea: 2 } });
    const visitor = new Visitor();
    const away = await visitor.ask(`${url}/admin/`);
    assert.deepEqual([away.status, away.headers.get('location')], [302, '/admin/login/?next=/admin/']);
    const page = await (await visitor.ask(`${url}/admin/login/`)).text();
    const sheet = /href="([^"]+\/base\.css)"/.exec(page)?.[1] ?? '';
    assert.equal(sheet, '/admin/static/admin/css/base.css');
    const css = await fetch(url + sheet);
    assert.deepEqual([css.status, css.headers.get('content-type')], [200, 'text/css']);
    assert.match(await css.text(), /--primary/);
    const entered = await logIn(visitor, `${url}/admin/`);
    assert.deepEqual([entered.status, entered.headers.get('location')], [302, '/admin/']);
    assert.match(await (await visitor.ask(`${url}/admin/`)).text(), /Site administration/);
    assert.deepEqual(await end(), { code: 0, errors: '' });
  });

  it('serves a Hono API and Django under one origin', async (t) => {
    const site = prepareDjangoSite(t);
    const { url, end } = await start(t, 'hono-django', { DJANGO_SITE: site.directory });
    assert.deepEqual(await (await fetch(`${url}/api/hello/Zo%C3%AB`)).json(), { hello: 'Zoë' });
    const counted = await fetch(`${url}/api/count`, { method: 'POST', body: 'one two three' });
    assert.deepEqual(await counted.json(), { words: 3 });
    assert.deepEqual(await (await fetch(`${url}/api/health`)).json(), { site: 200 });
    const visitor = new Visitor();
    const entered = await logIn(visitor, `${url}/admin/`);
    assert.equal(entered.status, 302);
    assert.match(await (await visitor.ask(`${url}/admin/`)).text(), /Bridge book: administration/);
    assert.equal((await fetch(`${url}/nowhere`)).status, 404);
    assert.deepEqual(await end(), { code: 0, errors: '' });
  });

  it('serves Flask in the dev server of Vite, with an upload', async (t) => {
    const { url, end } = await start(t, 'vite-flask', { HUTBOOK_VAR: temporary(t) });
    assert.match(await (await fetch(url)).text(), /<script type="module" src="\/@vite\/client">/);
    assert.match(await (await fetch(`${url}/main.js`)).text(), /book\.txt/);
    const visitor = new Visitor();
    const page = await (await visitor.ask(`${url}/book/`)).text();
    assert.match(page, /href="\/book\/static\/book\.css"/);
    assert.equal((await fetch(`${url}/book/static/book.css`)).status, 200);
    const photo = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(3_000_000, 'photo')]);
    const form = new FormData();
    for (const [name, value] of [
      ['token', hidden(page, 'token')],
      ['name', 'Zoë'],
      ['place', 'Kiel'],
      ['message', 'Fog.'],
    ] as const)
      form.set(name, value);
    form.set('photo', new Blob([photo]), 'fog.png');
    const posted = await visitor.ask(`${url}/book/`, { method: 'POST', body: form });
    assert.deepEqual([posted.status, posted.headers.get('location')], [303, '/book/']);
    const shown = /src="(\/book\/photos\/[^"]+)"/.exec(await (await visitor.ask(`${url}/book/`)).text())?.[1] ?? '';
    assert.deepEqual(Buffer.from(await (await fetch(url + shown)).arrayBuffer()), photo);
    assert.match(await (await fetch(`${url}/book/book.txt`)).text(), /Zoë \(Kiel\):\nFog\./);
    // Vite exits by itself, with the code of the signal.
    assert.deepEqual(await end(), { code: 128 + 15, errors: '' });
  });
});
