import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Application, compose, createServer, type Middleware, pythonApp, serveStatic } from 'viaduct';
import { makeProject } from '../support/project.ts';

const LISTEN = '127.0.0.1:0';
const QUIET = { info() {}, warn() {}, error() {} };

const hello: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.from(`hello ${environ.PATH_INFO}`)];
};

const other: Application = (_environ, startResponse) => {
  startResponse('201 Created', []);
  return [Buffer.from('other')];
};

const ENVIRON = `import json, os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    body = environ['wsgi.input'].read()
    seen = {key: value for key, value in environ.items() if isinstance(value, (str, int, bool, float, list, dict))}
    return [json.dumps({'pid': os.getpid(), 'body': body.decode('latin-1'), **seen}).encode()]
`;

function project(t: TestContext): string {
  return makeProject(t, { 'wsgi.py': ENVIRON });
}

async function textOf(url: string, init?: RequestInit): Promise<string> {
  return (await fetch(url, init)).text();
}

async function environOf(url: string, init?: RequestInit): Promise<Record<string, unknown>> {
  return JSON.parse(await textOf(url, init)) as Record<string, unknown>;
}

describe('createServer', { concurrency: 4 }, () => {
  it('serves an application on a free port, and stops at the end of the block', async () => {
    let url = '';
    {
      await using server = await createServer({ application: hello, listen: LISTEN });
      url = server.url;
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.equal(await textOf(`${url}/x`), 'hello /x');
    }
    await assert.rejects(fetch(url));
  });

  it('refuses programs beside the application, which only the command runs', async () => {
    const options = { application: hello, listen: LISTEN, process: [{ command: 'true' }] };
    await assert.rejects(createServer(options), /only the command viaduct runs programs beside the application/);
  });

  it('leaves signals, outputs and the exit code alone', async () => {
    const counts = () =>
      ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'uncaughtException'].map((name) => process.listenerCount(name));
    const before = counts();
    await using server = await createServer({ application: hello, listen: LISTEN });
    await textOf(server.url);
    assert.deepEqual(counts(), before);
  });

  it('starts and closes the applications that it was given exactly once, also in development', async () => {
    const calls: string[] = [];
    const application = Object.assign(((environ, startResponse) => hello(environ, startResponse)) as Application, {
      start: async () => void calls.push('start'),
      close: async () => void calls.push('close'),
    });
    const passing: Middleware = (inside) => (environ, startResponse) => inside(environ, startResponse);
    for (const dev of [false, true]) {
      const server = await createServer({ application: compose(passing)(application), listen: LISTEN, dev });
      assert.equal(await textOf(`${server.url}/x`), 'hello /x');
      assert.deepEqual(calls, ['start']);
      await Promise.all([server.stop(), server.stop()]);
      assert.deepEqual(calls.splice(0), ['start', 'close']);
    }
  });

  it('closes the middleware of its settings', async (t) => {
    const project = makeProject(t, {
      'holds.mjs': `export const calls = [];
export const middleware = (application, { name }) =>
  Object.assign((environ, start) => application(environ, start), {
    async close() { globalThis.closedByTest = [...(globalThis.closedByTest ?? []), name]; },
  });`,
    });
    const middleware = [{ use: join(project, 'holds.mjs'), options: { name: 'held' } }];
    const server = await createServer({ application: hello, middleware, listen: LISTEN });
    assert.equal(await textOf(`${server.url}/x`), 'hello /x');
    await server.stop();
    assert.deepEqual((globalThis as { closedByTest?: string[] }).closedByTest, ['held']);
  });

  it('takes the settings and routes of viaduct.toml with keys in camelCase, and applications by name', async () => {
    await using server = await createServer({
      application: hello,
      applications: { other },
      listen: LISTEN,
      route: [
        { path: '/other/*', app: 'other' },
        {
          path: '/said',
          respond: { body: 'said', contentType: 'text/x-said' },
          securityHeaders: { frameOptions: false },
        },
      ],
    });
    const said = await fetch(`${server.url}/said`);
    assert.equal(said.headers.get('content-type'), 'text/x-said');
    assert.deepEqual([said.headers.has('referrer-policy'), said.headers.has('x-frame-options')], [true, false]);
    assert.equal(await textOf(`${server.url}/other/x`), 'other');
    assert.equal(await textOf(`${server.url}/said`), 'said');
    assert.equal(await textOf(`${server.url}/else`), 'hello /else');
  });

  it('treats undefined as absent, also for options with a default of its own', async (t) => {
    const lines = t.mock.method(process.stdout, 'write');
    await using server = await createServer({
      application: hello,
      applications: undefined,
      listen: LISTEN,
      accessLog: undefined,
      gracefulTimeoutMs: undefined,
      tls: undefined,
    });
    assert.equal(await textOf(`${server.url}/x`), 'hello /x');
    assert.equal(lines.mock.calls.filter(({ arguments: [text] }) => String(text).includes('GET')).length, 0);
  });

  it('names options in camelCase, also those that were probably meant', async () => {
    const lines: [options: object, message: string][] = [
      [
        { headerTimeOutMs: 1 },
        'Cannot use setting "headerTimeOutMs": there is no such setting; did you mean headerTimeoutMs?',
      ],
      [{ access_log: 'off' }, 'Cannot use setting "access_log": there is no such setting; did you mean accessLog?'],
      [
        { route: [{}, { rateLimit: { rate: '1/s', burts: 1 } }] },
        'Cannot use route[2].rateLimit.burts: there is no such key; did you mean burst?',
      ],
      [
        { route: [{}, { static_options: {} }] },
        'Cannot use route[2].static_options: there is no such key; did you mean staticOptions?',
      ],
      [
        { headerTimeoutMs: 1 },
        'Cannot use headerTimeoutMs = 1: it must be a time from 50ms to 1h, such as 500ms or 30s',
      ],
      [{ route: [{ app: 'nix' }] }, 'Cannot use route[1].app: there is no application "nix"'],
      [{ processes: 2 }, 'Cannot use setting "processes": a server inside a program is one process'],
      [
        { proxy: 'http://127.0.0.1:1' },
        'Cannot use setting "proxy": only the command viaduct takes it; write a route with proxy',
      ],
      [{ trustedProxies: ['nowhere'] }, 'trustedProxies'],
    ];
    for (const [options, message] of lines) {
      const error = await createServer({ application: hello, listen: LISTEN, ...options }).catch((caught) => caught);
      assert.equal(error.code, 'SETTINGS');
      assert.ok(error.message.includes(message), error.message);
    }
  });

  it('reports all errors, and starts nothing', async () => {
    const options = { application: hello, listen: LISTEN, workers: -1, route: [{ path: '/x', app: 'nix' }] };
    await assert.rejects(createServer(options), { code: 'SETTINGS', message: /workers = -1/ });
    await assert.rejects(createServer({ ...options, workers: 1 }), { message: /there is no application "nix"/ });
    await assert.rejects(createServer({ application: hello, target: 'x', listen: LISTEN }), {
      message: /"main": it is both given and configured/,
    });
  });

  it('rejects with the address when the address is in use', async () => {
    await using server = await createServer({ application: hello, listen: LISTEN });
    await assert.rejects(createServer({ application: hello, listen: server.url.slice(7) }), { code: 'LISTEN' });
    assert.equal(await textOf(`${server.url}/`), 'hello /');
  });

  it('answers 404 without an application, and 500 for one that fails', async () => {
    await using nothing = await createServer({ listen: LISTEN });
    assert.equal((await fetch(nothing.url)).status, 404);
    const reported: string[] = [];
    const log = { ...QUIET, error: (message: string) => void reported.push(message) };
    const application: Application = () => Promise.reject(new Error('failed on purpose'));
    await using failing = await createServer({ application, listen: LISTEN, log });
    assert.equal((await fetch(failing.url)).status, 500);
    assert.match(reported.join('\n'), /failed on purpose/);
  });
});

describe('pythonApp', { concurrency: 2 }, () => {
  it('is an application that a server serves and closes, and answers nothing afterwards', async (t) => {
    const application = pythonApp({ project: project(t) });
    const server = await createServer({ application, listen: LISTEN });
    const { pid, SERVER_PORT } = await environOf(`${server.url}/`);
    assert.equal(SERVER_PORT, new URL(server.url).port);
    await server.stop();
    assert.throws(() => process.kill(pid as number, 0), { code: 'ESRCH' });
    await assert.rejects(application.start(), /it is closed/);
  });

  it('gets the environ that middleware has changed, and its own if nothing was changed', async (t) => {
    await using python = pythonApp({ project: project(t) });
    const adding: Middleware = (application) => (environ, startResponse) => {
      const { HTTP_X_REMOVED: _, ...rest } = environ;
      const changed = {
        ...rest,
        'test.user': { id: 3, name: 'Zoë €', tags: ['a', null, true, 1.5] },
        'test.later': () => 1,
      };
      return application({ ...changed, PATH_INFO: '/changed' }, startResponse);
    };
    const passing: Middleware = (application) => (environ, startResponse) => application(environ, startResponse);
    await using server = await createServer({
      application: compose(passing)(python),
      applications: { changed: compose(passing, adding)(python) },
      listen: LISTEN,
      route: [{ path: '/changed/*', app: 'changed' }],
    });
    const init = { method: 'POST', body: 'content', headers: { 'X-Removed': '1', 'X-Kept': 'é' } };
    const same = await environOf(`${server.url}/a%20b?q=1`, init);
    const changed = await environOf(`${server.url}/changed/x?q=1`, init);
    for (const seen of [same, changed]) {
      assert.equal(seen.SERVER_PORT, new URL(server.url).port);
      assert.deepEqual(
        [seen.body, seen.CONTENT_LENGTH, seen.QUERY_STRING, seen.HTTP_X_KEPT],
        ['content', '7', 'q=1', '\xe9'],
      );
    }
    assert.deepEqual([same.PATH_INFO, same.HTTP_X_REMOVED, same['test.user']], ['/a b', '1', undefined]);
    assert.deepEqual(
      [changed.PATH_INFO, changed.HTTP_X_REMOVED, changed['test.later']],
      ['/changed', undefined, undefined],
    );
    assert.deepEqual(changed['test.user'], { id: 3, name: 'Zoë €', tags: ['a', null, true, 1.5] });
  });

  it('serves two servers at once, each with its own name and port', async (t) => {
    await using python = pythonApp({ project: project(t) });
    const shared: Application = (environ, startResponse) => python(environ, startResponse);
    await using first = await createServer({ application: shared, listen: LISTEN });
    await using second = await createServer({ application: shared, listen: LISTEN });
    for (const { url } of [first, second, first]) {
      assert.equal((await environOf(url)).SERVER_PORT, new URL(url).port);
    }
  });

  it('answers without a server: a path, a URL or a Request, and starts if it does not run', async (t) => {
    await using python = pythonApp({ project: project(t) });
    const seen = async (response: Response) => (await response.json()) as Record<string, unknown>;
    const first = await python.request('/a%20b?q=1', { method: 'POST', body: 'content', headers: { 'X-Sent': '1' } });
    assert.deepEqual([first.status, first.headers.get('content-type')], [200, 'application/json']);
    const { PATH_INFO, QUERY_STRING, HTTP_HOST, HTTP_X_SENT, CONTENT_LENGTH, body, pid } = await seen(first);
    assert.deepEqual([PATH_INFO, QUERY_STRING, HTTP_HOST, HTTP_X_SENT], ['/a b', 'q=1', 'localhost', '1']);
    assert.deepEqual([CONTENT_LENGTH, body], ['7', 'content']);
    const second = await seen(await python.request(new URL('https://shop.example/x')));
    assert.deepEqual([second.HTTP_HOST, second['wsgi.url_scheme'], second.pid], ['shop.example', 'https', pid]);
    const third = await python.request(new Request('http://localhost/y', { method: 'PUT', body: new Blob(['blob']) }));
    assert.equal((await seen(third)).body, 'blob');
    await python.close();
    await assert.rejects(python.request('/'), /it is closed/);
  });

  it('reports why it does not start, and starts when that is fixed', async (t) => {
    const directory = makeProject(t, { 'wsgi.py': "raise ImportError('broken on purpose')\n" });
    await using python = pythonApp({ project: directory, log: QUIET });
    await assert.rejects(python.start(), { code: 'APPLICATION_BROKEN' });
    await using server = await createServer({
      application: (environ, start) => python(environ, start),
      listen: LISTEN,
      log: QUIET,
    });
    assert.equal((await fetch(server.url)).status, 500);
    writeFileSync(join(directory, 'wsgi.py'), ENVIRON);
    assert.equal((await fetch(server.url)).status, 200);
  });

  it('reloads without dropping running requests', async (t) => {
    const directory = project(t);
    await using python = pythonApp({ project: directory });
    await using server = await createServer({ application: python, listen: LISTEN });
    const before = await environOf(server.url);
    writeFileSync(join(directory, 'wsgi.py'), ENVIRON.replace("{'pid'", "{'new': True, 'pid'"));
    await python.reload();
    const after = await environOf(server.url);
    assert.notEqual(after.pid, before.pid);
    assert.equal(after.new, true);
  });
});

describe('serveStatic', () => {
  it('answers with files below its path, and passes other requests to the application, inside and outside of other middleware', async (t) => {
    const directory = makeProject(t, { 'files/a.txt': 'a file' });
    mkdirSync(join(directory, 'files/deep'));
    const passing: Middleware = (application) => (environ, startResponse) => application(environ, startResponse);
    const files = serveStatic('/files/', join(directory, 'files'));
    for (const middleware of [
      compose(files),
      compose(passing, files),
      compose(files, passing),
      compose(passing, files, passing),
    ]) {
      await using server = await createServer({ application: middleware(hello), listen: LISTEN });
      const response = await fetch(`${server.url}/files/a.txt`);
      assert.deepEqual([response.status, await response.text()], [200, 'a file']);
      const part = await fetch(`${server.url}/files/a.txt`, { headers: { Range: 'bytes=2-5' } });
      assert.deepEqual([part.status, await part.text()], [206, 'file']);
      assert.equal((await fetch(`${server.url}/files/nix`)).status, 404);
      assert.equal(await textOf(`${server.url}/x`), 'hello /x');
    }
    assert.throws(() => serveStatic('/files/', join(directory, 'nix')), { code: 'SETTINGS' });
  });
});
