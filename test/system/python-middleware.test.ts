import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ask } from '../support/http-client.ts';
import type { HttpRequest } from '../support/http-message.ts';
import { djangoFiles, makeProject } from '../support/project.ts';
import { APPS, NO_PACKAGES, runViaduct, startViaduct, type ViaductOptions } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** Answers with the names of the middleware around the request. */
const APP = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [' '.join(environ.get('around.passed', ['nothing'])).encode()]
`;
const FILES = { 'app.py': APP, 'around.py': readFileSync(join(APPS, 'around.py'), 'utf8') };
const FEW = ['--workers', '1', '--threads', '2', '--access-log', 'off'];

async function serve(t: TestContext, args: readonly string[], options: ViaductOptions = {}) {
  const server = await startViaduct(t, [...FEW, ...args], options);
  const get = (target: string, request?: HttpRequest) => ask(server.port, target, request);
  return { server, get };
}

describe('Python middleware', { concurrency: 2 }, () => {
  it('sees a request in the order of the list, and its answer in the reverse order', async (t) => {
    const toml = `middleware = [
  { use = "around:Named", options = { name = "first", flag = true, list = [1, 2.5, "x"], table = { deep = [] } } },
  "around:function",
  { use = "around:Holder.inner", options = { name = "last" } },
]
`;
    const { get } = await serve(t, [], { cwd: makeProject(t, { ...FILES, 'viaduct.toml': toml }) });
    const { body, headers } = await get('/');
    assert.equal(body, 'first function last');
    const values = (name: string) => headers.filter(([other]) => other === name).map(([, value]) => value);
    assert.deepEqual(values('x-passed'), ['last', 'function', 'first']);
    assert.deepEqual(JSON.parse(values('x-options')[2] ?? ''), {
      flag: true,
      list: [1, 2.5, 'x'],
      table: { deep: [] },
    });
  });

  it('is set by flags or by a settings module, and works without preloading in each worker', async (t) => {
    const flags = ['--middleware', 'around:function', '--middleware', 'around:Named'];
    const project = makeProject(t, FILES);
    const first = await serve(t, ['--no-preload', ...flags], { cwd: project });
    assert.equal((await first.get('/')).body, 'function named');
    const settings = `import { defineConfig } from 'viaduct/config';
export default defineConfig({ middleware: [{ use: 'around:Named', options: { name: 'typed' } }] });
`;
    const second = await serve(t, [], { cwd: makeProject(t, { ...FILES, 'viaduct.config.ts': settings }) });
    assert.equal((await second.get('/')).body, 'typed');
  });

  it('is set for each application by its own table, in every server process', async (t) => {
    const toml = `middleware = "around:function"
[apps.other]
target = "app:application"
middleware = [{ use = "around:Named", options = { name = "other's" } }]
[apps.bare]
target = "app:application"
[[route]]
mount = "/other"
app = "other"
[[route]]
mount = "/bare"
app = "bare"
`;
    const project = makeProject(t, { ...FILES, 'viaduct.toml': toml });
    const { get } = await serve(t, ['--processes', '2'], { cwd: project });
    for (let round = 0; round < 4; round += 1) {
      assert.equal((await get('/')).body, 'function');
      assert.equal((await get('/other')).body, "other's");
      assert.equal((await get('/bare')).body, 'nothing');
    }
  });

  it('passes wsgi.file_wrapper through, so that the server sends the file', async (t) => {
    const args = [
      'files:application',
      '--chdir',
      APPS,
      '--middleware',
      'around:function',
      '--middleware',
      'around:Named',
    ];
    const { get } = await serve(t, args);
    const { body, header } = await get('/?large');
    assert.equal(body.length, 64 * 1024 * 1024);
    assert.equal(header('x-passed'), 'named');
    await eventually('the file is closed unread', async () => (await get('/?closed')).body === 'large@0');
  });

  it('returns an iterable of its own that is closed once, even when the client of an endless answer leaves', async (t) => {
    const { get, server } = await serve(t, ['closes:application', '--chdir', APPS, '--middleware', 'around:Wrapping']);
    assert.equal((await get('/?a+done')).body, 'a block another');
    assert.equal((await get('/?b+raise')).whole, false);
    const gone = new AbortController();
    const { body } = await fetch(`${server.url}?c+endless`, { signal: gone.signal });
    await body?.getReader().read();
    gone.abort();
    for (const target of ['/closed-wrappers', '/?log']) {
      const closed = async () => (await get(target)).body.split(' ').filter((name) => name !== 'log');
      await eventually('the last iterable is closed', async () => (await closed()).includes('c'));
      assert.deepEqual(await closed(), ['a', 'b', 'c'], target);
    }
  });

  it('finds no error in the server and the application when it is wsgiref.validate', async (t) => {
    const validator = 'wsgiref.validate:validator';
    const { get, server } = await serve(
      t,
      ['--middleware', validator, '--middleware', 'around:function', '--middleware', validator],
      { cwd: makeProject(t, FILES) },
    );
    assert.equal((await get('/a?b=c')).body, 'function');
    assert.equal((await get('/', { method: 'HEAD' })).status, 200);
    assert.equal((await get('/', { method: 'POST', body: 'content' })).status, 200);
    assert.doesNotMatch(server.output(), /AssertionError|WSGIWarning/);
  });
});

describe('WhiteNoise and ProxyFix', { concurrency: 2, skip: NO_PACKAGES }, () => {
  const MIDDLEWARE = `trusted_proxy_values = ["address", "scheme", "prefix"]
middleware = [
  { use = "whitenoise.middleware:WhiteNoise", options = { root = "assets", prefix = "/files/", max_age = 77 } },
  { use = "werkzeug.middleware.proxy_fix:ProxyFix", options = { x_for = 1, x_prefix = 1 } },
]
`;
  const projects = {
    Flask: {
      'app.py': `from flask import Flask, request, url_for
app = Flask(__name__)
@app.get('/where/')
def where():
    return f"{request.remote_addr} {url_for('where')}"
`,
    },
    Django: {
      ...djangoFiles(),
      'mysite/urls.py': `from django.http import HttpResponse
from django.urls import path, reverse
def where(request):
    return HttpResponse(f"{request.META['REMOTE_ADDR']} {reverse(where)}")
urlpatterns = [path('where/', where)]
`,
    },
  };
  for (const [framework, files] of Object.entries(projects)) {
    it(`serve files, and make links below a prefix, around ${framework}`, async (t) => {
      const css = 'body { color: red }\n'.repeat(20);
      const project = makeProject(t, { ...files, 'viaduct.toml': MIDDLEWARE, 'assets/a.css': css }, { venv: '.venv' });
      writeFileSync(join(project, 'assets/a.css.gz'), gzipSync(css));
      const { get } = await serve(t, [project], { cwd: '/' });

      const file = await get('/files/a.css');
      assert.equal(file.body, css);
      assert.match(file.header('content-type') ?? '', /^text\/css/);
      assert.equal(file.header('cache-control'), 'max-age=77, public');
      assert.equal(file.header('access-control-allow-origin'), '*');
      assert.equal(file.header('content-length'), `${css.length}`);
      const since = [['If-Modified-Since', file.header('last-modified') ?? '']] as const;
      assert.equal((await get('/files/a.css', { headers: since })).status, 304);
      const part = await get('/files/a.css', { headers: [['Range', 'bytes=0-3']] });
      assert.deepEqual([part.status, part.body], [206, 'body']);
      const zipped = await get('/files/a.css', { headers: [['Accept-Encoding', 'gzip']] });
      assert.equal(zipped.header('content-encoding'), 'gzip');
      assert.equal(zipped.header('content-length'), `${gzipSync(css).length}`);
      const head = await get('/files/a.css', { method: 'HEAD' });
      assert.deepEqual([head.header('content-length'), head.body], [`${css.length}`, '']);
      assert.equal((await get('/files/none.css')).status, 404);

      const headers = [
        ['X-Forwarded-For', '192.0.2.9'],
        ['X-Forwarded-Prefix', '/below'],
      ] as const;
      assert.equal((await get('/where/', { headers })).body, '192.0.2.9 /below/where/');
      assert.equal((await get('/where/')).body, '127.0.0.1 /where/');
    });
  }
});

const list = (...items: string[]) => `middleware = ${JSON.stringify(items)}\n`;

describe('Python middleware at a reload', { concurrency: 2 }, () => {
  it('is added and removed at SIGHUP without a dropped request', async (t) => {
    const project = makeProject(t, { ...FILES, 'viaduct.toml': list('around:function') });
    const { get, server } = await serve(t, [], { cwd: project });
    const seen = new Set<string>();
    let running = true;
    const client = (async () => {
      while (running) {
        const { status, body } = await get('/');
        assert.equal(status, 200);
        seen.add(body);
      }
    })();
    for (const [items, expected] of [
      [['around:function', 'around:Named'], 'function named'],
      [['around:Named'], 'named'],
      [[], 'nothing'],
    ] as const) {
      writeFileSync(join(project, 'viaduct.toml'), list(...items));
      process.kill(server.pid, 'SIGHUP');
      await eventually(`the answer is ${expected}`, async () => (await get('/')).body === expected);
    }
    running = false;
    await client;
    assert.ok(seen.size > 1, [...seen].join());
    for (const body of seen) assert.match(body, /^(function|function named|named|nothing)$/);
  });

  it('stays the same when the new one is broken, with a reason in the log', async (t) => {
    const project = makeProject(t, { ...FILES, 'viaduct.toml': list('around:function') });
    const { get, server } = await serve(t, [], { cwd: project });
    for (const [item, message] of [
      ['arond:function', /Cannot reload.+middleware arond:function cannot be imported: there is no module arond/],
      ['around:raises', /Cannot reload.+middleware around:raises cannot be put around.+in the middleware/],
      ['around.function', /Cannot reload.+did you mean around:function\?/],
    ] as const) {
      writeFileSync(join(project, 'viaduct.toml'), list(item));
      process.kill(server.pid, 'SIGHUP');
      await eventually(`${item} is refused`, () => message.test(server.output()));
      assert.equal((await get('/')).body, 'function');
    }
    writeFileSync(join(project, 'viaduct.toml'), list('around:Named'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the next valid one serves', async () => (await get('/')).body === 'named');
  });

  it('is imported again in development when its file changes', async (t) => {
    const project = makeProject(t, { ...FILES, 'viaduct.toml': list('around:function') });
    const { get } = await serve(t, ['--dev'], { cwd: project });
    assert.equal((await get('/')).body, 'function');
    writeFileSync(join(project, 'around.py'), FILES['around.py'].replace("name='function'", "name='changed'"));
    await eventually('the changed middleware serves', async () => (await get('/')).body === 'changed');
    writeFileSync(join(project, 'around.py'), 'import nowhere_at_all\n');
    await eventually('a page shows the error', async () => {
      const { status, body } = await get('/', { headers: [['Accept', 'text/html']] });
      return status === 500 && body.includes('nowhere_at_all');
    });
  });
});

describe('broken Python middleware', { concurrency: 2 }, () => {
  const broken: readonly (readonly [toml: string, message: RegExp, hasTraceback: boolean])[] = [
    [
      list('arond:Named'),
      /its middleware arond:Named cannot be imported: there is no module arond for \S*python/,
      false,
    ],
    [list('around:Nmed'), /its middleware around:Nmed cannot be imported: module around has no Nmed/, false],
    [list('around:number'), /its middleware around:number .+ int, which cannot be called/, false],
    [list('around:forgets'), /its middleware around:forgets .+returns is a NoneType, which cannot be called/, false],
    [list('around:raises'), /its middleware around:raises .+RuntimeError: in the middleware/, true],
    [
      'middleware = [{ use = "around:function", options = { nam = "x" } }]\n',
      /its middleware around:function .+TypeError: function\(\) got an unexpected keyword argument 'nam'/,
      false,
    ],
  ];
  for (const [toml, message, hasTraceback] of broken) {
    it(`is reported by check and at the start for ${toml.trim()}`, async (t) => {
      const project = makeProject(t, { ...FILES, 'viaduct.toml': toml });
      for (const args of [
        ['check'],
        ['serve', '--listen', '127.0.0.1:0', ...FEW],
        ['serve', '--no-preload', '--listen', '127.0.0.1:0', ...FEW],
      ]) {
        const { code, output } = await runViaduct(project, ...args);
        assert.equal(code, 1, output);
        assert.match(output, message);
        assert.equal(output.includes('Traceback'), hasTraceback, output);
      }
    });
  }
});

describe('viaduct check of middleware', () => {
  it('prints the chain of each application, with middleware in other languages', async (t) => {
    const toml = `middleware = ["viaduct:request-id", "./timing.ts#timing", "around:function"]
[apps.other]
target = "app:application"
middleware = ["around:Named", "around:function"]
[apps.bare]
target = "app:application"
`;
    const project = makeProject(t, { ...FILES, 'viaduct.toml': toml, 'timing.ts': 'export const timing = null;\n' });
    const { output } = await runViaduct(project, 'check');
    const chains = output.split('\n').filter((line) => /^ +chain /.test(line));
    assert.deepEqual(
      chains.map((line) =>
        line
          .trim()
          .replace(/^chain +/, '')
          .replace(project, ''),
      ),
      [
        'main: viaduct:request-id → /timing.ts#timing → around:function → app:application',
        'other: around:Named → around:function → app:application',
      ],
    );
    assert.match(output, /setting +middleware = viaduct:request-id, .+ \(viaduct\.toml:1\)/);
  });

  it('reports middleware without a main application', async (t) => {
    const toml = `${list('around:Named')}[[route]]\nrespond = { body = "x" }\n`;
    const { code, output } = await runViaduct(makeProject(t, { 'viaduct.toml': toml }), 'check');
    assert.equal(code, 0, output);
    assert.match(output, /middleware +there is no main application that could use it/);
  });
});
