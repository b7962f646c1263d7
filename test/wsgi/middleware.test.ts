import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  type Application,
  compose,
  createServer,
  type Environ,
  type Middleware,
  pythonApp,
  serveStatic,
} from 'viaduct';
import {
  conditionalAuth,
  dispatcher,
  methodOverride,
  type Recording,
  recorder,
  replayer,
  requestId,
  timing,
  transformResponse,
} from 'viaduct/middleware';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** Answers with the variables that `?keys=A,B` names, the method, and the content. */
const variables: Application = async (environ, startResponse) => {
  const content = await environ['wsgi.input'].read();
  const keys = new URLSearchParams(environ.QUERY_STRING).get('keys')?.split(',') ?? [];
  const answered = Object.fromEntries(keys.map((key) => [key, environ[key as keyof Environ] ?? null]));
  startResponse('200 OK', [
    ['Content-Type', 'application/json'],
    ['ETag', '"1"'],
  ]);
  return [Buffer.from(JSON.stringify({ method: environ.REQUEST_METHOD, content: content.toString(), ...answered }))];
};

/** The same in Python. */
const TELLS = `import json
from urllib.parse import parse_qs
def application(environ, start_response):
    content = environ['wsgi.input'].read().decode()
    keys = parse_qs(environ['QUERY_STRING']).get('keys', [''])[0].split(',')
    answered = {key: environ.get(key) for key in keys if key}
    start_response('200 OK', [('Content-Type', 'application/json'), ('ETag', '"1"')])
    return [json.dumps({'method': environ['REQUEST_METHOD'], 'content': content, **answered}).encode()]
`;

interface Served {
  readonly url: string;
  json(path: string, init?: RequestInit): Promise<Record<string, unknown>>;
}

async function serve(t: TestContext, application: Application): Promise<Served> {
  const server = await createServer({ application, listen: '127.0.0.1:0' });
  t.after(() => server.stop());
  const json = async (path: string, init?: RequestInit) =>
    (await (await fetch(server.url + path, init)).json()) as Record<string, unknown>;
  return { url: server.url, json };
}

/** Runs a test with the middleware around an application in TypeScript, and around one in Python. */
function around(title: string, middleware: () => Middleware, test: (served: Served) => Promise<void>): void {
  it(`${title}, around TypeScript`, async (t) => test(await serve(t, middleware()(variables))));
  it(`${title}, around Python`, async (t) => {
    const python = pythonApp({ project: makeProject(t, { 'wsgi.py': TELLS }) });
    await test(await serve(t, compose(middleware())(python)));
  });
}

describe('requestId', { concurrency: 2 }, () => {
  around('makes an id for the application and the client', requestId, async ({ url, json }) => {
    const response = await fetch(`${url}/?keys=viaduct.request_id,HTTP_X_REQUEST_ID`);
    const answered = (await response.json()) as Record<string, string>;
    assert.match(answered['viaduct.request_id'] ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(answered.HTTP_X_REQUEST_ID, answered['viaduct.request_id']);
    assert.equal(response.headers.get('x-request-id'), answered['viaduct.request_id']);
    const again = await json('/?keys=viaduct.request_id');
    assert.notEqual(again['viaduct.request_id'], answered['viaduct.request_id']);
  });

  around("uses the client's id when it is valid", requestId, async ({ json }) => {
    const asked = async (id: string) =>
      (await json('/?keys=viaduct.request_id', { headers: { 'X-Request-ID': id } }))['viaduct.request_id'];
    assert.equal(await asked('abc-1'), 'abc-1');
    assert.notEqual(await asked('a b'), 'a b');
    assert.notEqual(await asked('x'.repeat(129)), 'x'.repeat(129));
  });

  around(
    'uses no id of a client when it is not trusted, also with another name',
    () => requestId({ header: 'X-Trace', trusted: false }),
    async ({ url }) => {
      const response = await fetch(url, { headers: { 'X-Trace': 'mine' } });
      assert.match(response.headers.get('x-trace') ?? '', /^[0-9a-f-]{36}$/);
    },
  );
});

describe('timing', { concurrency: 2 }, () => {
  around(
    'reports how long the application took to start its response',
    () => timing({ name: 'python' }),
    async ({ url }) => {
      assert.match((await fetch(url)).headers.get('server-timing') ?? '', /^python;dur=\d+\.\d$/);
    },
  );

  it('refuses a name that is not a token', () => assert.throws(() => timing({ name: 'a b' }), TypeError));
});

describe('methodOverride', { concurrency: 2 }, () => {
  const post = (headers: Record<string, string>, body = ''): RequestInit => ({ method: 'POST', headers, body });

  around(
    'lets a POST stand for another method',
    () => methodOverride(),
    async ({ json }) => {
      const answered = await json('/?keys=viaduct.original_method', post({ 'X-HTTP-Method-Override': 'delete' }));
      assert.deepEqual([answered.method, answered['viaduct.original_method']], ['DELETE', 'POST']);
      assert.equal((await json('/', post({ 'X-HTTP-Method-Override': 'CONNECT' }))).method, 'POST');
      assert.equal((await json('/', { headers: { 'X-HTTP-Method-Override': 'DELETE' } })).method, 'GET');
    },
  );

  around(
    'finds it in a form, which the application can still read',
    () => methodOverride({ field: '_method' }),
    async ({ json }) => {
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const answered = await json('/', post(form, 'a=1&_method=PUT'));
      assert.deepEqual([answered.method, answered.content], ['PUT', 'a=1&_method=PUT']);
      const text = await json('/', post({ 'Content-Type': 'text/plain' }, '_method=PUT'));
      assert.deepEqual([text.method, text.content], ['POST', '_method=PUT']);
    },
  );
});

describe('dispatcher', { concurrency: 2 }, () => {
  it('sends requests to the longest prefix, which moves to SCRIPT_NAME', async (t) => {
    const python = pythonApp({ project: makeProject(t, { 'wsgi.py': TELLS }) });
    const { json, url } = await serve(
      t,
      dispatcher({ '/a': variables, '/a/b': python, '/c': dispatcher({ '/d': variables }) }),
    );
    const places = async (path: string) => {
      const { SCRIPT_NAME, PATH_INFO } = await json(`${path}?keys=SCRIPT_NAME,PATH_INFO`);
      return [SCRIPT_NAME, PATH_INFO];
    };
    assert.deepEqual(await places('/a'), ['/a', '']);
    assert.deepEqual(await places('/a/'), ['/a', '/']);
    assert.deepEqual(await places('/a/bc'), ['/a', '/bc']);
    assert.deepEqual(await places('/a/b/c%20d'), ['/a/b', '/c d']);
    assert.deepEqual(await places('/c/d/e'), ['/c/d', '/e']);
    assert.deepEqual(await places('//a//b///c'), ['/a/b', '/c']);
    assert.deepEqual(await places('/%2Fa/x'), ['/a', '/x']);
    assert.deepEqual(await places('/a/x//y'), ['/a', '/x//y']);
    assert.equal((await fetch(`${url}/ab`)).status, 404);
    assert.equal((await fetch(`${url}/c/x`)).status, 404);
  });

  it('keeps the path encoded for applications that take requests', async (t) => {
    const directory = makeProject(t, { 'files/a b.txt': 'a file', 'files/c%d.txt': 'another' });
    const files = serveStatic('/', join(directory, 'files'))(variables);
    const { url } = await serve(t, compose(timing())(dispatcher({ '/files': files, '/': variables })));
    for (const [path, content] of [
      ['/files/a%20b.txt', 'a file'],
      ['/%66iles/c%25d.txt', 'another'],
    ]) {
      assert.equal(await (await fetch(url + path)).text(), content);
    }
  });

  it('refuses invalid prefixes', () => {
    for (const prefix of ['a', '/a/', '']) assert.throws(() => dispatcher({ [prefix]: variables }), TypeError);
  });
});

describe('conditionalAuth', { concurrency: 2 }, () => {
  const middleware = () =>
    conditionalAuth({
      when: ({ PATH_INFO }) => PATH_INFO.startsWith('/private'),
      check: async (user, password) => user === 'zoë' && password === 'a:b',
    });
  const basic = (text: string) => ({ headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` } });

  around('asks if the condition is true, and passes on the name of the user', middleware, async ({ url, json }) => {
    const refused = await fetch(`${url}/private`);
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get('www-authenticate'), 'Basic realm="Restricted", charset="UTF-8"');
    assert.equal((await fetch(`${url}/private`, basic('zoë:wrong'))).status, 401);
    const answered = await json('/private?keys=REMOTE_USER,AUTH_TYPE', basic('zoë:a:b'));
    assert.deepEqual([answered.REMOTE_USER, answered.AUTH_TYPE], ['zo\xc3\xab', 'Basic']);
    const open = await json('/?keys=REMOTE_USER', basic('zoë:a:b'));
    assert.equal(open.REMOTE_USER, null);
  });
});

describe('transformResponse', { concurrency: 2 }, () => {
  const upper = () =>
    transformResponse(({ headers }) => ({
      status: '201 Created',
      headers: [...headers, ['X-Changed', 'yes']],
      async *body(blocks) {
        for await (const block of blocks) yield Buffer.from(Buffer.from(block).toString().toUpperCase());
      },
    }));

  around('changes status, headers and content, and drops what no longer holds', upper, async ({ url }) => {
    const response = await fetch(url, { method: 'POST', body: 'content' });
    assert.equal(response.status, 201);
    assert.deepEqual(JSON.parse(await response.text()), { METHOD: 'POST', CONTENT: 'CONTENT' });
    assert.deepEqual(
      ['x-changed', 'etag', 'content-length'].map((name) => response.headers.get(name)),
      ['yes', null, null],
    );
  });

  around(
    'changes nothing when the function returns undefined',
    () => transformResponse(() => undefined),
    async ({ url }) => {
      const response = await fetch(url);
      assert.deepEqual([response.status, response.headers.get('etag')], [200, '"1"']);
      assert.deepEqual(await response.json(), { method: 'GET', content: '' });
    },
  );

  it('returns unchanged content itself, so that a file stays a file', async () => {
    const body = Object.assign([Buffer.from('a')].values(), { close() {} });
    const application: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      return body;
    };
    const leaving = transformResponse(({ status }) => ({ status }))(application);
    assert.equal(await leaving({} as Environ, () => async () => {}), body);
  });

  it('keeps a stream a stream, and closes it when the client leaves', async (t) => {
    let closed = 0;
    let produced = 0;
    const endless: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      const blocks = (async function* () {
        for (;;) {
          produced += 1;
          yield Buffer.from('block\n');
        }
      })();
      const close = (): void => {
        closed += 1;
      };
      return Object.assign(blocks, { close });
    };
    const { url } = await serve(t, upper()(endless));
    const controller = new AbortController();
    const response = await fetch(url, { signal: controller.signal });
    const reader = response.body?.getReader();
    assert.match(Buffer.from((await reader?.read())?.value ?? []).toString(), /^BLOCK\n/);
    controller.abort();
    await eventually('the body is closed', async () => closed === 1);
    const before = produced;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(produced, before);
  });
});

describe('recorder and replayer', { concurrency: 2 }, () => {
  it('record requests and responses without secrets, and answer with the recording', async (t) => {
    const recordings: Recording[] = [];
    const recording = recorder({
      onRecorded: (one) => recordings.push(one),
      when: ({ PATH_INFO }) => PATH_INFO !== '/not',
    });
    const { url } = await serve(t, recording(variables));
    const init = { method: 'POST', body: 'content', headers: { Cookie: 'secret=1' } };
    const answers = [await (await fetch(`${url}/a?b`, init)).text(), await (await fetch(`${url}/c`)).text()];
    await fetch(`${url}/not`);
    assert.deepEqual(
      recordings.map(({ request }) => [request.method, request.target]),
      [
        ['POST', '/a?b'],
        ['GET', '/c'],
      ],
    );
    assert.equal(recordings[0]?.request.headers.HTTP_COOKIE, '***');
    assert.equal(Buffer.from(recordings[0]?.request.body ?? '', 'base64').toString(), 'content');
    const lines = recordings.map((one) => JSON.stringify(one)).join('\n');
    const replayed = await serve(t, replayer({ recordings: lines })(variables));
    assert.equal(await (await fetch(`${replayed.url}/a?b`, init)).text(), answers[0]);
    assert.equal(await (await fetch(`${replayed.url}/c`)).text(), answers[1]);
    assert.equal((await fetch(`${replayed.url}/other`)).status, 404);
    const through = await serve(t, replayer({ recordings: lines, fallthrough: true })(variables));
    assert.equal((await through.json('/other')).method, 'GET');
  });

  it('do not record contents that are too large, and pass them on completely', async (t) => {
    const recordings: Recording[] = [];
    const recording = recorder({ onRecorded: (one) => recordings.push(one), bodyBytesMax: 10 });
    const { json } = await serve(t, recording(variables));
    const chunked = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 5; i += 1) controller.enqueue(Buffer.from('12345'));
        controller.close();
      },
    });
    const answered = await json('/', { method: 'POST', body: chunked, duplex: 'half' } as RequestInit);
    assert.equal(answered.content, '12345'.repeat(5));
    assert.deepEqual(recordings, []);
  });
});

describe('middleware of Viaduct in a configuration', () => {
  it('is named viaduct:NAME, with options, around Python and TypeScript', async (t) => {
    const project = makeProject(t, { 'wsgi.py': TELLS });
    const recording = join(project, 'recording.jsonl');
    writeFileSync(
      join(project, 'viaduct.toml'),
      `middleware = ["viaduct:request-id", { use = "viaduct:timing", options = { name = "all" } }, "viaduct:method-override",
  { use = "viaduct:recorder", options = { file = ${JSON.stringify(recording)}, body_bytes_max = 1000 } }]\n`,
    );
    const server = await startViaduct(t, ['--workers', '1', '--access-log', 'off'], { cwd: project });
    const response = await fetch(server.url, { method: 'POST', headers: { 'X-HTTP-Method-Override': 'PUT' } });
    assert.equal(((await response.json()) as Record<string, unknown>).method, 'PUT');
    assert.match(response.headers.get('server-timing') ?? '', /^all;dur=/);
    assert.match(response.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    await eventually('it is recorded', async () => readFileSync(recording, 'utf8').endsWith('\n'));
    assert.equal((JSON.parse(readFileSync(recording, 'utf8')) as Recording).request.method, 'PUT');
  });

  for (const [options, message] of [
    ['{ use = "viaduct:timing", options = { nam = "x" } }', /option nam of viaduct:timing: it takes name/],
    ['{ use = "viaduct:timing", options = { name = 3 } }', /option name of viaduct:timing: it must be a text/],
    ['{ use = "viaduct:timing", options = { name = "a b" } }', /viaduct:timing: .*it is not a token/],
    ['"viaduct:nix"', /viaduct:nix: there is no such middleware/],
  ] as const) {
    it(`is refused with a reason: ${options}`, async (t) => {
      const project = makeProject(t, { 'wsgi.py': TELLS, 'viaduct.toml': `middleware = [${options}]\n` });
      await assert.rejects(startViaduct(t, [], { cwd: project }), message);
    });
  }
});
