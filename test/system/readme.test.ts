import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeSelfSigned } from '../../src/listen/tls/self-signed.ts';
import { makeClone } from '../support/clone.ts';
import { ask } from '../support/http-client.ts';
import { freePort, missing, startPeer } from '../support/peer.ts';
import { djangoFiles, makeProject, WSGI_APP } from '../support/project.ts';
import { accepts } from '../support/socket-client.ts';
import { NO_PACKAGES, ROOT } from '../support/viaduct.ts';
import { eventually, within } from '../support/wait.ts';

/** Compiling and importing on a busy machine. */
const PATIENCE_MS = 120_000;
const PICTURE = 'a picture\n'.repeat(1000);

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const BLOCKS = [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));

/** The commands of the README, without their comments: what follows `$`, and code in a sentence. */
const COMMANDS = [
  ...blocks('console').flatMap((text) => [...text.matchAll(/^\$ (.*?)(?: +#.*)?$/gm)].map(([, line = '']) => line)),
  ...[...README.matchAll(/`((?:npm|viaduct) [^`]+)`/g)].map(([, command = '']) => command),
];

function blocks(language: string): string[] {
  return BLOCKS.filter((block) => block.language === language).map(({ text }) => text);
}

/** The command that starts like this. */
function command(start: string): string {
  const found = COMMANDS.find((line) => line.startsWith(start));
  assert.ok(found !== undefined, `the README has no command "${start}"`);
  return found;
}

interface Running {
  readonly child: ChildProcess;
  output(): string;
  readonly ended: Promise<number | null>;
}

/** Runs a command line as a shell does. */
function run(line: string, cwd: string, env: Readonly<Record<string, string>>): Running {
  const { DJANGO_SETTINGS_MODULE: _, ...inherited } = process.env;
  const child = spawn(line, { shell: true, cwd, env: { ...inherited, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (block: Buffer) => {
      output += block;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => output, ended };
}

/** Runs a command line that serves until the test ends it. */
function serve(t: TestContext, line: string, cwd: string, env: Readonly<Record<string, string>>): Running {
  const running = run(`exec ${line}`, cwd, env);
  t.after(async () => {
    running.child.kill('SIGTERM');
    await running.ended;
  });
  return running;
}

/** The port at which the first URL of the output listens. */
async function portOf(
  { output, ended }: Running,
  pattern = /serves .* on (?:\S+ and )*\w+:\/\/127\.0\.0\.1:(\d+)/,
): Promise<number> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await within(PATIENCE_MS, 'the address', () =>
    eventually('the address', async () => {
      assert.ok(!over, output());
      return pattern.test(output());
    }),
  );
  return Number(pattern.exec(output())?.[1]);
}

describe('the README', { skip: NO_PACKAGES }, () => {
  let directory: string;
  let clone: string;
  /** `npm link` puts the program here instead of into the system. */
  let prefix: string;
  let env: Record<string, string>;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-readme-'));
    clone = join(directory, 'clone');
    prefix = join(directory, 'prefix');
    mkdirSync(clone);
    mkdirSync(join(prefix, 'lib'), { recursive: true });
    makeClone(clone);
    env = {
      npm_config_prefix: prefix,
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
      PATH: [join(prefix, 'bin'), process.env.PATH].join(delimiter),
    };
    // Substituted: npm ci, because the packages of the clone are there already, as links.
    const { output, ended } = run(command('npm ci').replace('npm ci && ', ''), clone, env);
    assert.equal(await ended, 0, output());
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it('has these commands, each of which a test below runs', () => {
    assert.deepEqual(COMMANDS, [
      'npm ci && npm run build && npm link',
      'cd mysite',
      'viaduct',
      'viaduct app mysite.wsgi:application --listen 127.0.0.1:8001',
      'viaduct web --proxy http://127.0.0.1:9000',
      'npm start',
      'viaduct check',
      'viaduct import /etc/nginx/nginx.conf',
      'npm run bench',
    ]);
    assert.deepEqual(
      BLOCKS.map(({ language }) => language),
      ['console', 'toml', 'console', 'nginx', 'js'],
    );
  });

  it('installs from a clone, and serves a Django project', async (t) => {
    const parent = makeProject(t, {}, { name: 'parent' });
    const project = djangoProject(t);
    symlinkSync(project, join(parent, 'mysite'));
    // Substituted: the port, by the variable.
    const line = `${command('cd mysite')} && exec viaduct`;
    const server = serve(t, `sh -c '${line}'`, parent, { ...env, VIADUCT_LISTEN: '127.0.0.1:0' });
    const { status, body } = await ask(await portOf(server), '/');
    assert.deepEqual([status, body], [200, 'hello'], server.output());
  });

  it('serves the Django site with npm start', async (t) => {
    // Substituted: the port, by the variable.
    const server = serve(t, command('npm start'), clone, { ...env, VIADUCT_LISTEN: '127.0.0.1:0' });
    const port = await portOf(server);
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /Bridge book/);
  });

  it('serves a site in place of nginx and gunicorn', async (t) => {
    const [http, https] = [await freePort(), await freePort()];
    const project = djangoProject(t);
    // Substituted: addresses, and the directories of the system by those of the project.
    const config = (blocks('toml')[0] ?? '')
      .replace('0.0.0.0:80"', `127.0.0.1:${http}"`)
      .replace('0.0.0.0:443"', `127.0.0.1:${https}"`)
      .replaceAll('"/etc/ssl/', '"')
      .replaceAll('"/srv/', '"');
    writeFileSync(join(project, 'viaduct.toml'), config);
    const { certificate, key } = makeSelfSigned();
    writeFileSync(join(project, 'example.org.pem'), certificate);
    writeFileSync(join(project, 'example.org.key'), key);
    mkdirSync(join(project, 'media'));
    writeFileSync(join(project, 'media/picture.txt'), PICTURE);
    const check = run(command('viaduct check'), project, env);
    assert.equal(await check.ended, 0, check.output());
    const server = serve(t, command('viaduct'), project, env);
    await portOf(server);
    const redirect = await ask(http, '/page');
    assert.deepEqual([redirect.status, redirect.header('location')], [301, 'https://test.example/page']);
    assert.equal((await askSecurely(https, '/')).body, 'hello');
    const { headers, body } = await askSecurely(https, '/media/picture.txt');
    assert.deepEqual([headers['content-encoding'], body], ['gzip', PICTURE]);
  });

  it('imports an nginx.conf', async (t) => {
    const conf = 'events {}\nhttp { server { listen 8080; location / { proxy_pass http://127.0.0.1:9000; } } }\n';
    const project = makeProject(t, { 'nginx.conf': conf });
    // Substituted: the path of the file.
    const line = command('viaduct import').replace('/etc/nginx/', '');
    const importing = run(line, project, env);
    assert.equal(await importing.ended, 0, importing.output());
    assert.match(importing.output(), /http:\/\/127\.0\.0\.1:9000/);
  });

  it('serves an application behind nginx', { skip: missing('nginx') }, async (t) => {
    const [nginxPort, app] = [await freePort(), await freePort()];
    // Substituted: both ports, and what an nginx.conf has around a location.
    const line = command('viaduct app').replace('8001', `${app}`);
    const server = serve(t, line, djangoProject(t), env);
    await portOf(server);
    const location = (blocks('nginx')[0] ?? '').replace('8001', `${app}`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path tmp/${name};`,
    );
    const home = makeProject(t, {
      'tmp/.keep': '',
      'nginx.conf': `daemon off; master_process off; pid pid; error_log stderr; events {}
http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${nginxPort}; ${location} } }`,
    });
    const nginx = await startPeer(t, 'nginx', ['-p', home, '-e', 'stderr', '-c', join(home, 'nginx.conf')], {
      cwd: home,
    });
    await eventually('nginx listens', () => accepts(nginxPort));
    const { status, body } = await ask(nginxPort, '/');
    assert.deepEqual([status, body], [200, 'hello'], `${nginx.output()}${server.output()}`);
  });

  it('serves in nginxPort of gunicorn', { skip: missing('gunicorn') }, async (t) => {
    const backend = await freePort();
    const home = makeProject(t, { 'app.py': WSGI_APP });
    await startPeer(t, 'gunicorn', ['--bind', `127.0.0.1:${backend}`, 'app:application'], {
      cwd: home,
    });
    await eventually('gunicorn listens', () => accepts(backend));
    // Substituted: both ports, that of Viaduct by the variable.
    const line = command('viaduct web').replace('9000', `${backend}`);
    const server = serve(t, line, makeProject(t, {}), { ...env, VIADUCT_LISTEN: '127.0.0.1:0' });
    const { status, body } = await ask(await portOf(server), '/');
    assert.deepEqual([status, body], [200, 'hello'], server.output());
  });

  it('serves Node and Python in one program', async (t) => {
    const project = djangoProject(t);
    const program = (blocks('js')[0] ?? '')
      // Substituted: the port, and the directory of the project.
      .replace('createServer({', "createServer({\n  listen: '127.0.0.1:0',")
      .replace("'./mysite'", "'.'");
    writeFileSync(join(project, 'server.mjs'), program);
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(ROOT, join(project, 'node_modules/viaduct'));
    const server = serve(t, 'node server.mjs', project, env);
    const port = await portOf(server, /^http:\/\/127\.0\.0\.1:(\d+)$/m);
    assert.equal((await ask(port, '/')).body, 'hello');
    assert.deepEqual(JSON.parse((await ask(port, '/api/orders')).body), { path: '/orders' });
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0, server.output());
  });

  it('has a benchmark', async () => {
    // Substituted: the list of scenarios in place of a run.
    const bench = run(`${command('npm run bench')} -- --list`, ROOT, env);
    assert.equal(await bench.ended, 0);
    assert.match(bench.output(), /^django-browser /m);
  });
});

/** A Django project `mysite` with its virtual environment. */
function djangoProject(t: TestContext): string {
  return makeProject(t, djangoFiles(), { name: 'mysite', venv: '.venv' });
}

/** Asks over TLS, without a look at the certificate, and decodes gzip. */
async function askSecurely(port: number, path: string): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  const headers = { Host: 'test.example', 'Accept-Encoding': 'gzip' };
  const asking = get({ host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false });
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const blocks: Buffer[] = [];
  for await (const block of response) blocks.push(block as Buffer);
  const content = Buffer.concat(blocks);
  const body = response.headers['content-encoding'] === 'gzip' ? gunzipSync(content) : content;
  return { headers: response.headers, body: body.toString() };
}
