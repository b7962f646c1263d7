import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const ECHO = `def application(environ, start_response):
    path = environ['PATH_INFO']
    headers = [('Content-Type', 'text/plain')]
    if path.startswith('/file'):
        headers = [('Content-Type', 'text/x-secret'), ('X-Accel-Redirect', '/protected/secret.txt')]
    start_response('200 OK', headers)
    keys = 'SCRIPT_NAME PATH_INFO HTTP_HOST SERVER_PORT REMOTE_ADDR wsgi.url_scheme HTTP_X_FORWARDED_FOR'.split()
    return ['\\n'.join([NAME] + [f'{key}={environ.get(key)}' for key in keys]).encode()]
`;

const FILES = {
  'app.py': `NAME = 'main'\n${ECHO}`,
  'shop/shop.py': `NAME = 'shop'\n${ECHO}`,
  'dist/index.html': 'a page',
  'dist/assets/app.css': 'body {}',
  'private/secret.txt': 'secret',
  'errors/404.html': '<p>{status} {reason}</p>',
};

const SITE = `
workers = 1
trusted_proxies = ["127.0.0.0/8"]
trusted_proxy_values = ["address", "scheme", "host"]
error_pages = { pages = { 404 = "errors/404.html" } }

[apps.shop]
target = "shop:application"
chdir = "shop"

[[route]]
mount = "/shop"
app = "shop"

[[route]]
path = "/assets/*"
static = "dist/assets"

[[route]]
host = "files.example"
static = "dist"

[[route]]
path = "/protected/*"
internal = true
static = "private"

[[route]]
path = "/old/*"
redirect = { to = "https://new.example{uri}", status = 308 }

[[route]]
path = "/once"
rate_limit = { rate = "1/h" }
respond = { status = 201, body = "there", content_type = "text/plain" }

[[route]]
path = "/admin/*"
access = { allow = "10.0.0.0/8" }

[[route]]
path = "/api/*"
methods = "POST"
match_headers = { "x-version" = "2" }
respond = { body = "version 2" }

[[route]]
path = "/small"
body_bytes_max = 10
`;

async function start(t: TestContext, site = SITE, more: Record<string, string> = {}) {
  const project = makeProject(t, { ...FILES, ...more, ...(site === '' ? {} : { 'viaduct.toml': site }) });
  const server = await startViaduct(t, ['--access-log', 'off'], { cwd: project });
  return { project, server };
}

describe('a site of routes', { concurrency: 2 }, () => {
  it('sends each request to the target of its route', async (t) => {
    const { server } = await start(t);
    const { port } = server;
    const text = async (target: string, request = {}) => (await ask(port, target, request)).body;
    const status = async (target: string, request = {}) => (await ask(port, target, request)).status;

    assert.match(await text('/x'), /^main\nSCRIPT_NAME=\nPATH_INFO=\/x\n/);
    assert.match(await text('/shop/a%20b'), /^shop\nSCRIPT_NAME=\/shop\nPATH_INFO=\/a b\n/);
    assert.match(await text('/%73hop'), /^shop\nSCRIPT_NAME=\/shop\nPATH_INFO=\n/);
    assert.match(await text('/shopping'), /^main\n/);
    assert.equal(await text('/assets/app.css'), 'body {}');
    assert.equal(await text('http://files.example/'), 'a page');
    assert.equal(await text('/assets/none.css'), '<p>404 Not Found</p>');

    const redirect = await ask(port, '/old/a?b=c');
    assert.equal(redirect.status, 308);
    assert.equal(redirect.header('location'), 'https://new.example/old/a?b=c');

    assert.equal(await status('/once'), 201);
    assert.equal(await status('/once'), 429);
    assert.equal(await status('/admin/'), 403);
    assert.equal(await status('/%61dmin//x'), 403);
    assert.equal(await status('/x/../admin/'), 400);
    assert.equal(await text('/api/x', { method: 'POST', headers: [['X-Version', '2']] }), 'version 2');
    assert.match(await text('/api/x', { method: 'POST' }), /^main\n/);
    assert.equal(await status('/small', { method: 'POST', body: 'x'.repeat(11) }), 413);
    assert.equal(await status('/small', { method: 'POST', body: 'x'.repeat(10) }), 200);
  });

  it('lets the application send files that no client can request', async (t) => {
    const { server } = await start(t);
    const file = await ask(server.port, '/file');
    assert.equal(file.body, 'secret');
    assert.equal(file.header('content-type'), 'text/x-secret');
    assert.equal(file.header('x-accel-redirect'), null);
    assert.match((await ask(server.port, '/protected/secret.txt')).body, /^main\n/);
  });

  it('passes the client that a trusted proxy names to the application', async (t) => {
    const { server } = await start(t);
    const headers = [
      ['X-Forwarded-For', '192.0.2.9'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'shop.example'],
    ] as const;
    const { body } = await ask(server.port, '/', { headers });
    assert.match(body, /HTTP_HOST=shop\.example\nSERVER_PORT=443\nREMOTE_ADDR=192\.0\.2\.9\nwsgi\.url_scheme=https\n/);
  });

  it('ignores and removes these fields from other clients', async (t) => {
    const { server } = await start(t, SITE.replace('127.0.0.0/8', '10.0.0.0/8'));
    const headers = [
      ['X-Forwarded-For', '192.0.2.9'],
      ['X-Forwarded-Proto', 'https'],
    ] as const;
    const { body } = await ask(server.port, '/', { headers });
    assert.match(body, /REMOTE_ADDR=127\.0\.0\.1\nwsgi\.url_scheme=http\nHTTP_X_FORWARDED_FOR=None$/);
  });

  it('applies a limit of the whole site to all routes together', async (t) => {
    const site =
      'rate_limit = { rate = "1/h", burst = 2 }\n[[route]]\npath = "/a"\nrespond = {}\n[[route]]\npath = "/b"\nrespond = {}\n';
    const project = makeProject(t, { 'viaduct.toml': site });
    const server = await startViaduct(t, [], { cwd: project });
    const statuses: number[] = [];
    for (const path of ['/a', '/b', '/a', '/c']) statuses.push((await ask(server.port, path)).status);
    assert.deepEqual(statuses, [200, 200, 429, 429]);
  });

  it('needs no application when routes answer everything', async (t) => {
    const project = makeProject(t, { 'viaduct.toml': '[[route]]\nrespond = { body = "hello" }\n' });
    const server = await startViaduct(t, [], { cwd: project });
    assert.equal((await ask(server.port, '/any')).body, 'hello');
  });

  it('may be written in TypeScript', async (t) => {
    const config = `import { defineConfig } from 'viaduct/config';
const body: string = 'typed';
export default defineConfig({ workers: 1, route: [{ path: '/typed', respond: { body } }] });
`;
    const { server } = await start(t, '', { 'viaduct.config.ts': config });
    assert.equal((await ask(server.port, '/typed')).body, 'typed');
  });
});

describe('viaduct check of a site', { concurrency: 2 }, () => {
  it('prints each route with its patterns, its handlers and its location in the file', async (t) => {
    const project = makeProject(t, { ...FILES, 'viaduct.toml': SITE });
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 0, output);
    assert.match(output, /route +\/shop\/\* → errorPages → mount → .+application shop \(viaduct\.toml:11\)/);
    assert.match(output, /proxies +127\.0\.0\.0\/8 may state a client's address, scheme, host\n/);
    assert.match(output, /route +files\.example\/\* → /);
    assert.match(output, /route +POST \/api\/\* x-version: 2 → errorPages → respond 200 \(viaduct\.toml:41\)/);
    assert.match(output, /route +internal \/protected\/\*/);
    assert.match(output, /route +other requests → errorPages → .+application\n/);
  });

  for (const [config, expected] of [
    ['', "loopback, unix may state a client's address, scheme"],
    ['trusted_proxies = []', 'nobody may state anything about a client'],
    ['trusted_proxy_values = []', 'nobody may state anything about a client'],
    ['trusted_proxy_values = "X-Forwarded-User"', "loopback, unix may state a client's X-Forwarded-User"],
  ] as const) {
    it(`prints which proxies may state what: ${expected}`, async (t) => {
      const project = makeProject(t, { 'app.py': FILES['app.py'], 'viaduct.toml': `${config}\n` });
      const { output } = await runViaduct(project, 'check');
      assert.ok(output.includes(`  proxies     ${expected}\n`), output);
    });
  }

  it('reports all errors together with their lines, and serves nothing', async (t) => {
    const invalid = `workers = "many"
[[route]]
path = "assets"
[[route]]
rate_limit = { rate = "fast" }
[[route]]
methds = 1
redirect = { to = "/x", status = 200 }
`;
    const project = makeProject(t, { ...FILES, 'viaduct.toml': invalid });
    for (const command of ['check', 'serve']) {
      const { code, output } = await runViaduct(project, command);
      assert.equal(code, 2, output);
      assert.match(output, /workers = "many" \(viaduct\.toml:1\)/);
      assert.match(output, /route\[1\]\.path = "assets" \(viaduct\.toml:3\): it must be a path/);
      assert.match(output, /route\[2\]\.rate_limit\.rate = "fast" \(viaduct\.toml:5\): it must be a rate/);
      assert.match(output, /route\[3\]\.methds \(viaduct\.toml:7\): there is no such key; did you mean methods\?/);
      assert.match(output, /route\[3\]\.redirect\.status = 200 \(viaduct\.toml:8\)/);
    }
  });

  it('reports errors that only the build of the site shows', async (t) => {
    const invalid = `trusted_proxy_values = ["address"]
[[route]]
path_pattern = "("
[[route]]
app = "shp"
[[route]]
access = { allow = "10.0.0.0/99" }
[tls]
certificate = "none.pem"
`;
    const project = makeProject(t, { ...FILES, 'viaduct.toml': invalid });
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 2, output);
    assert.match(output, /route\[1\]\.path_pattern\[1\] \(viaduct\.toml:3\)/);
    assert.match(output, /route\[2\]\.app \(viaduct\.toml:5\): there is no application "shp"/);
    assert.match(output, /route\[3\]\.access \(viaduct\.toml:7\).+10\.0\.0\.0\/99/);
    assert.match(output, /none\.pem.+\(viaduct\.toml:8\)/);
  });
});

describe('addresses that cannot be bound', () => {
  it('are reported together with their settings, and nothing is left running', async (t) => {
    const { server } = await start(t);
    const listen = `listen = ["127.0.0.1:${server.port}", "unix:none/x.sock", "127.0.0.1:0"]\n`;
    const project = makeProject(t, { ...FILES, 'viaduct.toml': listen });
    const { code, output } = await runViaduct(project, 'serve', '--workers', '1');
    assert.equal(code, 1, output);
    assert.match(output, /Cannot listen on "http:\/\/127\.0\.0\.1:\d+": the address is in use \(viaduct\.toml:1\)/);
    assert.match(output, /Cannot listen on "unix:.+none\/x\.sock": the directory does not exist \(viaduct\.toml:1\)/);
  });
});

describe('a changed configuration', { concurrency: 2 }, () => {
  it('takes effect at SIGHUP without a dropped request', async (t) => {
    const { project, server } = await start(t);
    let running = true;
    let asked = 0;
    const clients = Array.from({ length: 4 }, async () => {
      while (running) {
        const { status, body } = await ask(server.port, '/x');
        assert.equal(status, 200, body);
        asked += 1;
      }
    });
    writeFileSync(join(project, 'viaduct.toml'), `${SITE}\n[[route]]\npath = "/new"\nrespond = { body = "new" }\n`);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the new route answers', async () => (await ask(server.port, '/new')).body === 'new');
    running = false;
    await Promise.all(clients);
    assert.ok(asked > 0);
    assert.match((await ask(server.port, '/shop/')).body, /^shop\n/);
  });

  it('starts other applications and addresses, and stops the old ones', async (t) => {
    const { project, server } = await start(t);
    const other = SITE.replace(
      '[apps.shop]\ntarget = "shop:application"\nchdir = "shop"',
      '[apps.store]\ntarget = "app:application"',
    ).replace('app = "shop"', 'app = "store"');
    writeFileSync(join(project, 'viaduct.toml'), other);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the other application answers', async () =>
      (await ask(server.port, '/shop/')).body.startsWith('main\nSCRIPT_NAME=/shop\n'),
    );
  });

  it('sets other limits for new connections', async (t) => {
    const { project, server } = await start(t, 'workers = 1\n');
    const upload = async () => (await ask(server.port, '/', { method: 'POST', body: 'x'.repeat(100) })).status;
    assert.equal(await upload(), 200);
    writeFileSync(join(project, 'viaduct.toml'), 'workers = 1\nbody_bytes_max = 99\n');
    process.kill(server.pid, 'SIGHUP');
    await eventually('the content is too large', async () => (await upload()) === 413);
  });

  it('changes nothing when it is invalid, and says why', async (t) => {
    const { project, server } = await start(t);
    writeFileSync(join(project, 'viaduct.toml'), `${SITE}\n[[route]]\npath = "new"\n`);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the change is refused', () => /Cannot reload.+route\[10\]\.path/s.test(server.output()));
    assert.match((await ask(server.port, '/shop/')).body, /^shop\n/);
    assert.match((await ask(server.port, '/')).body, /^main\n/);
  });

  it('changes nothing when one of its applications cannot be imported', async (t) => {
    const { project, server } = await start(t);
    writeFileSync(join(project, 'shop/broken.py'), 'import nowhere_at_all\n');
    writeFileSync(join(project, 'viaduct.toml'), SITE.replace('shop:application', 'broken:application'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the change is refused', () => /Cannot reload[\s\S]+nowhere_at_all/.test(server.output()));
    assert.match((await ask(server.port, '/shop/')).body, /^shop\n/);
  });
});
