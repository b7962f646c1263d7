import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startBackend } from '../../support/backend.ts';
import { ask } from '../../support/http-client.ts';
import type { HttpRequest } from '../../support/http-message.ts';
import { makeProject } from '../../support/project.ts';
import { runViaduct, startViaduct } from '../../support/viaduct.ts';

const APPLICATION = `def application(environ, start_response):
    path = environ['PATH_INFO']
    status = {'/missing': '404 Not Found', '/denied': '403 Forbidden'}.get(path, '200 OK')
    body = environ['wsgi.input'].read().decode()
    fields = [('Content-Type', 'text/plain'), ('X-From', 'application'), ('Set-Cookie', 'a=application')]
    start_response(status, fields)
    return [f"{environ['REQUEST_METHOD']} {path} {environ['QUERY_STRING']} {body} {environ.get('HTTP_IF_NONE_MATCH', '-')}".encode()]
`;

const ANSWERS: Readonly<Record<string, string>> = {
  '/busy': '503 Busy\r\nRetry-After: 7\r\nSet-Cookie: a=backend\r\nContent-Type: text/html\r\nETag: "x"',
  '/own404': '404 Not Found\r\nContent-Type: text/html',
  '/login': '401 Unauthorized\r\nWWW-Authenticate: Basic realm="b"\r\nContent-Type: text/html',
};

async function start(t: TestContext) {
  const backend = await startBackend(t, (request) => {
    const path = request.split(' ')[1] ?? '';
    return `HTTP/1.1 ${ANSWERS[path] ?? '200 OK'}\r\nContent-Length: 7\r\n\r\nbackend`;
  });
  const site = `
[[route]]
path = "/files/*"
static = "files"
error_pages = { routes = { 404 = { to = "@app", status = "route" } } }

[[route]]
path = "/kept/*"
static = "files"
error_pages = { routes = { 404 = "@app" } }

[[route]]
path = "/pages/*"
static = "files"
error_pages = { routes = { 404 = "/sorry/404.html?why=404", 4xx = "/sorry/none.html" } }

[[route]]
path = "/empty/*"
static = "files"
error_pages = { routes = { 404 = { to = "/sorry/404.html", status = 200 } } }

[[route]]
path = "/loop/*"
static = "files"
error_pages = { routes = { 404 = "/loop/further" } }

[[route]]
path = "/closed/*"
access = { deny = "all" }
error_pages = { routes = { 403 = "@login" } }

[[route]]
path = "/gone/*"
proxy = "http://127.0.0.1:1"
error_pages = { routes = { 5xx = { to = "@app", status = "route" } } }

[[route]]
path = "/other-host/*"
static = "files"
error_pages = { routes = { 404 = "@elsewhere" } }

[[route]]
host = "sorry.example"
proxy = "${backend.url}"
[route.error_pages]
intercept = true
routes = { 503 = "/sorry/busy.html", 401 = "@app", 404 = "/sorry/none.html" }

[[route]]
path = "/sorry/*"
internal = true
static = "sorry"

[[route]]
path = "@app"
app = "main"

[[route]]
path = "@login"
redirect = "/login?to={path}"

[[route]]
path = "@elsewhere"
host = "elsewhere.example"
respond = { body = "elsewhere" }
`;
  const project = makeProject(t, {
    'app.py': APPLICATION,
    'files/a.txt': 'a file',
    'sorry/404.html': 'sorry',
    'sorry/busy.html': 'busy',
    'viaduct.toml': site,
  });
  const { port } = await startViaduct(t, ['serve', project, '--access-log', 'off']);
  const get = async (target: string, request: HttpRequest = {}) => {
    const answer = await ask(port, target, request);
    return { ...answer, field: (name: string) => answer.header(name) };
  };
  const brief = async (target: string, request: HttpRequest = {}) => {
    const { status, body } = await ask(port, target, request);
    return `${status} ${body.trim()}`;
  };
  return { project, get, brief };
}

describe('an error that a route answers', { concurrency: 2 }, () => {
  it('gets the answer of a named route to the same request', async (t) => {
    const { brief, get } = await start(t);
    assert.equal(await brief('/files/a.txt'), '200 a file');
    assert.equal(await brief('/files/x?q=1'), '200 GET /files/x q=1  -');
    const headers = [['If-None-Match', '"e"']] as const;
    assert.equal(await brief('/files/x', { headers }), '200 GET /files/x   "e"');
    assert.equal(await brief('/kept/x?q=1', { headers }), '404 GET /kept/x q=1  -');
    assert.equal(await brief('/gone/x', { method: 'POST' }), '200 POST /gone/x   -');
    const denied = await get('/closed/a');
    assert.deepEqual([denied.status, denied.field('location')], [302, '/login?to=/closed/a']);
    assert.match(await brief('/other-host/x'), /^404 Not Found/);
    assert.equal(await brief('/other-host/x', { host: 'elsewhere.example' }), '404 elsewhere');
  });

  it('has the content of the request, and stays when another handler has taken it', async (t) => {
    const { brief } = await start(t);
    const request = { method: 'POST', body: 'content' };
    assert.equal(await brief('/gone/x', request), '200 POST /gone/x  content -');
    assert.equal(await brief('/login', { ...request, host: 'sorry.example' }), '401 backend');
    assert.equal(await brief('/busy', { ...request, host: 'sorry.example' }), '503 busy');
  });

  it('gets the answer for a path, by GET or HEAD, with its own status or another one', async (t) => {
    const { brief, get } = await start(t);
    assert.equal(await brief('/pages/x'), '404 sorry');
    assert.equal(await brief('/empty/x'), '200 sorry');
    assert.equal(await brief('/pages/x', { headers: [['Range', 'bytes=0-0']] }), '404 sorry');
    const etag = (await get('/empty/x')).field('etag') ?? '';
    assert.equal(await brief('/pages/x', { headers: [['If-None-Match', etag]] }), '404 sorry');
    const head = await get('/pages/x', { method: 'HEAD' });
    assert.deepEqual([head.status, head.body, head.field('content-length')], [404, '', '5']);
    assert.equal((await get('/sorry/404.html')).status, 200, 'the application, because clients cannot reach the route');
    assert.match((await get('/sorry/404.html')).body, /^GET \/sorry\/404\.html/);
  });

  it('stays when the route has nothing but an error, and never goes in circles', async (t) => {
    const { brief } = await start(t);
    assert.match(await brief('/pages/a.txt', { method: 'POST' }), /^405 Method Not Allowed/);
    assert.match(await brief('/loop/x'), /^404 Not Found/);
  });

  it('of a backend is replaced with intercept, and keeps fields that are not about its content', async (t) => {
    const { brief, get } = await start(t);
    const host = 'sorry.example';
    const busy = await get('/busy', { host });
    assert.deepEqual(
      [busy.status, busy.body, busy.field('retry-after'), busy.field('set-cookie')],
      [503, 'busy', '7', 'a=backend'],
    );
    assert.notEqual(busy.field('etag'), '"x"');
    const login = await get('/login', { host });
    assert.deepEqual([login.status, login.field('www-authenticate')], [401, 'Basic realm="b"']);
    assert.equal(login.headers.filter(([name]) => name === 'set-cookie').length, 1);
    assert.match(login.body, /^GET \/login/);
    assert.equal(await brief('/own404', { host }), '404 backend', 'the page is missing');
    assert.equal(await brief('/', { host }), '200 backend');
  });

  it('is configured with routes that exist, once for each status', async (t) => {
    const errors = async (table: string) => {
      const project = makeProject(t, { 'app.py': APPLICATION, 'viaduct.toml': `error_pages = ${table}\n` });
      return (await runViaduct(project, 'check')).output;
    };
    assert.match(await errors('{ routes = { 404 = "@none" } }'), /Cannot lead to "@none": no route has this path/);
    assert.match(await errors('{ routes = { 404 = "/a/../b" } }'), /Cannot lead to "\/a\/\.\.\/b": it is not a path/);
    assert.match(
      await errors('{ routes = { 404 = "/a" }, pages = { 404 = "b" } }'),
      /"404": it has another one, too\nWrite each status or class once/,
    );
    assert.match(await errors('{ routes = { 300 = "/a" } }'), /"300": it is not the status of an error/);
    assert.match(await errors('true'), /Cannot replace error pages: there are none/);
  });

  it('is reported if it answers refused clients with what refuses them', async (t) => {
    const output = async (pages: string, app: string) => {
      const site = `
[[route]]
path = "/closed/*"
access = { deny = "all" }
basic_auth = { users = { jane = "$apr1$abcdefgh$MnDPvDNYxDW3cDmRbJSbz0" }, allow_md5 = true }
error_pages = { routes = { ${pages} } }

[[route]]
path = "@app"
${app}
`;
      return (await runViaduct(makeProject(t, { 'app.py': APPLICATION, 'viaduct.toml': site }), 'check')).output;
    };
    const open = await output('4xx = "@app"', 'app = "main"');
    assert.match(open, /clients that access refuses get the answer of @app .* Name other statuses than 4xx/s);
    assert.match(open, /clients that basic_auth refuses get/);
    assert.doesNotMatch(await output('404 = "@app"', 'app = "main"'), /refuses get/);
    assert.doesNotMatch(await output('401 = "@app"', 'app = "main"'), /access refuses get/);
    assert.doesNotMatch(await output('4xx = "@app"', 'respond = { body = "no" }'), /refuses get/);
    const checked = await output('403 = "@app"', 'app = "main"\naccess = { deny = "all" }');
    assert.doesNotMatch(checked, /refuses get/);
  });

  it('cannot be caused by a client that names the route', async (t) => {
    const { get } = await start(t);
    for (const target of ['@app', '/@login', '/%40login', 'http://sorry.example@login', 'http://test.example/@login']) {
      const { status, field } = await get(target);
      assert.ok(status === 400 || status === 200, `${target}: ${status}`);
      assert.equal(field('location'), null);
    }
  });
});
