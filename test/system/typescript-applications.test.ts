import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ask, fetchWhole } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { ROOT, runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** The package as a file, because the project of a test has no packages. */
const HONO = import.meta.resolve('hono');

const APP = `import type { Application } from 'viaduct';
import { greeting } from './greeting.ts';

export const application: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.from(\`\${greeting} \${environ.PATH_INFO} \${environ['test.passed'] ?? ''}\`)];
};

export const other: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.from(\`other at \${environ.SCRIPT_NAME}\`)];
};
`;
const GREETING = "export const greeting: string = 'hello';\n";
const PASSES = `import type { Application } from 'viaduct';

export function middleware(application: Application, options: { name?: string }): Application {
  return (environ, startResponse) => {
    environ['test.passed'] = [environ['test.passed'], options.name ?? 'passed'].filter(Boolean).join(' ');
    return application(environ, startResponse);
  };
}
`;
const PYTHON = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [('python ' + environ.get('test.passed', 'nothing')).encode()]

def inner(application, name):
    def middleware(environ, start_response):
        environ['test.passed'] = environ.get('test.passed', '') + ' ' + name
        return application(environ, start_response)
    return middleware
`;
const FILES = { 'app.ts': APP, 'greeting.ts': GREETING, 'passes.ts': PASSES, 'wsgi.py': PYTHON };

async function serve(t: TestContext, files: Readonly<Record<string, string>>, ...args: string[]) {
  const project = makeProject(t, { ...FILES, ...files });
  const server = await startViaduct(t, ['--access-log', 'off', ...args], { cwd: project });
  const body = async (target: string) => (await ask(server.port, target)).body;
  return { project, server, body };
}

describe('an application in TypeScript', { concurrency: 2 }, () => {
  for (const [how, app] of [
    ['an import that does not end', 'setInterval(() => {}, 1000);\nawait new Promise(() => {});\n'],
    ['a start that does not end', 'application.start = () => new Promise<void>(() => setInterval(() => {}, 1000));\n'],
  ] as const) {
    it(`has failed after start_timeout_ms: ${how}`, async (t) => {
      const cwd = makeProject(t, {
        ...FILES,
        'app.ts': APP.replace('application: Application', 'application: any') + app,
      });
      const args = ['serve', './app.ts', '--start-timeout-ms', '1s'];
      const server = await startViaduct(t, args, { cwd, awaitReady: false });
      assert.equal((await server.exited).code, 1);
      assert.match(
        server.output(),
        /Cannot start application "main": it was not ready after 1 s\nAn await of its import/,
      );
    });
  }

  it('is served from its file, and another export by name', async (t) => {
    const first = await serve(t, {}, 'serve', './app.ts');
    assert.equal(await first.body('/a%20b'), 'hello /a b ');
    const second = await serve(t, {}, 'app.ts#other');
    assert.equal(await second.body('/'), 'other at ');
  });

  it('may be an object with a fetch method, like that of Hono, as default or named export', async (t) => {
    const shop = `import { Hono } from '${HONO}';
const app = new Hono();
app.get('/hello', (c) => c.text(\`hono \${new URL(c.req.url).search} \${c.env.remoteAddress}\`));
app.post('/upload', async (c) => c.text(\`\${(await c.req.formData()).get('name')}\`));
app.get('/throws', () => { throw new Error('thrown on purpose'); });
export default app;
export const plain = { fetch: () => new Response('plain', { status: 201 }) };
`;
    const files = { 'shop.ts': shop };
    const { server, body } = await serve(t, files, 'serve', './shop.ts');
    assert.equal(await body('/hello?q=%20'), 'hono ?q=%20 127.0.0.1');
    const form = new FormData();
    form.set('name', 'Zoë');
    const posted = await fetch(`${server.url}/upload`, { method: 'POST', body: form });
    assert.equal(await posted.text(), 'Zoë');
    assert.equal((await ask(server.port, '/throws')).status, 500);
    const named = await serve(t, files, './shop.ts#plain');
    const answer = await ask(named.server.port, '/');
    assert.deepEqual([answer.status, answer.body], [201, 'plain']);
  });

  it('runs beside a Python application, each with its middleware, the outermost first', async (t) => {
    const toml = `target = "./app.ts"
middleware = [{ use = "./passes.ts", options = { name = "first" } }, { use = "./passes.ts#middleware", options = { name = "second" } }]

[apps.other]
target = "./app.ts#other"

[apps.python]
target = "wsgi:application"
middleware = ["./passes.ts", { use = "wsgi:inner", options = { name = "inside" } }]

[[route]]
mount = "/other"
app = "other"

[[route]]
path = "/python/*"
app = "python"
`;
    const { body } = await serve(t, { 'viaduct.toml': toml });
    assert.equal(await body('/x'), 'hello /x first second');
    assert.equal(await body('/other/y'), 'other at /other');
    assert.equal(await body('/python/'), 'python passed inside');
  });

  it('runs in every server process', async (t) => {
    const { body } = await serve(t, {}, './app.ts', '--processes', '2');
    for (let i = 0; i < 8; i += 1) assert.equal(await body('/'), 'hello / ');
  });

  it('is imported again with its imports when a file changes in development', async (t) => {
    const { project, server, body } = await serve(t, {}, './app.ts', '--dev');
    assert.equal(await body('/'), 'hello / ');
    writeFileSync(join(project, 'greeting.ts'), "export const greeting: string = 'goodbye';\n");
    await eventually('the change is served', async () => (await body('/')) === 'goodbye / ');
    writeFileSync(join(project, 'greeting.ts'), 'export const greeting: string = ;\n');
    await eventually('the error is shown', async () => (await ask(server.port, '/')).status === 500);
    assert.match((await ask(server.port, '/')).body, /^Cannot import ".*app\.ts": /);
    writeFileSync(join(project, 'greeting.ts'), GREETING);
    await eventually('the fixed code is served', async () => (await body('/')) === 'hello / ');
  });

  it('is replaced at SIGHUP, and stays when the new one is broken', async (t) => {
    const { project, server, body } = await serve(t, {}, './app.ts');
    writeFileSync(join(project, 'greeting.ts'), "export const greeting: string = 'goodbye';\n");
    process.kill(server.pid, 'SIGHUP');
    await eventually('the change is served', async () => (await body('/')) === 'goodbye / ');
    writeFileSync(join(project, 'greeting.ts'), "throw new Error('broken on purpose');\n");
    process.kill(server.pid, 'SIGHUP');
    await eventually('the error is logged', async () => server.output().includes('broken on purpose'));
    assert.equal(await body('/'), 'goodbye / ');
  });

  it('is replaced at SIGHUP when it is an ES module in JavaScript', async (t) => {
    const app = `import { greeting } from './greeting.mjs';
export function application(environ, startResponse) {
  startResponse('200 OK', []);
  return [Buffer.from(greeting)];
}
`;
    const files = { 'app.mjs': app, 'greeting.mjs': "export const greeting = 'hello';\n" };
    const { project, server, body } = await serve(t, files, './app.mjs');
    assert.equal(await body('/'), 'hello');
    writeFileSync(join(project, 'greeting.mjs'), "export const greeting = 'goodbye';\n");
    process.kill(server.pid, 'SIGHUP');
    await eventually('the change is served', async () => (await body('/')) === 'goodbye');
  });

  it('is closed with the server, or when a reload has replaced it', async (t) => {
    const app = `import { appendFileSync } from 'node:fs';
import { greeting } from './greeting.ts';
export const application = Object.assign(
  (environ, startResponse) => {
    startResponse('200 OK', []);
    return [Buffer.from(greeting)];
  },
  { close: async () => appendFileSync('closed.txt', greeting + '\\n') },
);
`;
    const { project, server, body } = await serve(t, { 'app.ts': app }, './app.ts');
    assert.equal(await body('/'), 'hello');
    writeFileSync(join(project, 'greeting.ts'), "export const greeting: string = 'goodbye';\n");
    process.kill(server.pid, 'SIGHUP');
    await eventually('the change is served', async () => (await body('/')) === 'goodbye');
    await server.stop();
    assert.deepEqual(readFileSync(join(project, 'closed.txt'), 'utf8').split('\n').sort(), ['', 'goodbye', 'hello']);
  });

  it('answers 500 when it throws, with the stack in the log, and for the client in development only', async (t) => {
    const app = "export const application = () => { throw new Error('thrown on purpose'); };\n";
    const quiet = await serve(t, { 'app.ts': app }, './app.ts');
    const answer = await ask(quiet.server.port, '/path');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /purpose/);
    await eventually('the error is logged', async () => /thrown on purpose.*app\.ts/s.test(quiet.server.output()));
    const open = await serve(t, { 'app.ts': app }, './app.ts', '--dev');
    assert.match((await ask(open.server.port, '/')).body, /thrown on purpose/);
  });

  it('does not end the server with an unhandled rejection', async (t) => {
    const app = `export const application = (environ, startResponse) => {
  void Promise.reject(new Error('forgotten on purpose'));
  startResponse('200 OK', []);
  return [];
};
`;
    const { server } = await serve(t, { 'app.ts': app }, './app.ts');
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(server.port, '/')).status, 200);
    await eventually('the error is logged', async () => server.output().includes('forgotten on purpose'));
  });
});

/** What an application may throw although it cannot be turned into text as it is, and how the log has it. */
const UNPRINTABLE: Readonly<Record<string, readonly [code: string, text: string]>> = {
  'no prototype': ['Object.create(null)', '\\[Object: null prototype\\]'],
  'a text that throws': ['{ toString() { throw 1; }, [Symbol.toPrimitive]() { throw 2; } }', '\\{'],
  'a stack that is a list': ["Object.assign(new Error('listed'), { stack: [1, 2] })", 'Error: listed'],
  'a stack that throws': ["Object.defineProperty(new Error('hidden'), 'stack', { get() { throw 3; } })", '.*hidden'],
  'a message that is a symbol': ['Object.assign(new Error(), { message: Symbol(), stack: undefined })', '.'],
  'a revoked proxy': [
    '(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()',
    '<Revoked Proxy>',
  ],
  'a symbol': ["Symbol('thrown')", 'Symbol\\(thrown\\)'],
  nothing: ['undefined', 'undefined'],
};

describe('an exception that nobody catches in an application in TypeScript', { concurrency: 2 }, () => {
  const WAYS = {
    timer: 'setTimeout(fail, 1);',
    immediate: 'setImmediate(fail);',
    tick: 'process.nextTick(fail);',
    microtask: 'queueMicrotask(fail);',
    rejection: 'void Promise.reject(new Error(name));',
    emitter: "setTimeout(() => new EventEmitter().emit('error', new Error(name)), 1);",
    socket: "connect(1, '127.0.0.1');",
    stream: 'setTimeout(() => new Readable({ read() { fail(); } }).resume(), 1);',
    'no error': 'setTimeout(() => { throw name; }, 1);',
    abort: "environ['viaduct.client'].signal.addEventListener('abort', fail);",
    'abort without a name':
      "environ['viaduct.client'].signal.addEventListener('abort', () => { throw new Error(name); });",
    'listener without a name':
      "setTimeout(() => new EventEmitter().on('x', () => { throw new Error(name); }).emit('x'), 1);",
    evaluated: "setTimeout(() => new Function('name', 'throw new Error(name)')(name), 1);",
    ...Object.fromEntries(
      Object.entries(UNPRINTABLE).flatMap(([name, [value]]) => [
        [`${name} from a timer`, `setTimeout(() => { throw ${value}; }, 1);`],
        [`${name} from a promise`, `void Promise.reject(${value});`],
      ]),
    ),
  };
  const APP = `
import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
export function application(environ, startResponse) {
  const name = decodeURIComponent(environ.PATH_INFO.slice(1));
  const fail = () => { throw new Error(name); };
  startResponse('200 OK', []);
  switch (name) {
    ${Object.entries(WAYS)
      .map(([name, code]) => `case '${name}': ${code} break;`)
      .join('\n    ')}
  }
  return environ.QUERY_STRING === 'long' ? long(fail) : [];
}
async function* long(fail) {
  try {
    for (;;) {
      yield Buffer.from('block');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    fail();
  }
}
`;

  for (const processes of ['1', '2']) {
    it(`is in the log, and ends nothing, with ${processes} server processes`, async (t) => {
      const { server } = await serve(t, { 'app.mjs': APP }, './app.mjs', '--processes', processes);
      for (const name of [...Object.keys(WAYS), 'close']) {
        const client = await SocketClient.open(server.port);
        client.send(`GET /${encodeURIComponent(name)}?long HTTP/1.1\r\nHost: a\r\n\r\n`);
        await client.until(/block/);
        client.close();
        const [value = ''] = name.split(' from ');
        const text = UNPRINTABLE[value]?.[1] ?? name;
        const expected = name === 'socket' ? /ECONNREFUSED/ : new RegExp(`(exception|rejection): (Error: )?${text}`);
        if (name !== 'close') await eventually(`the log has ${name}`, () => expected.test(server.output()));
        assert.equal((await ask(server.port, '/')).status, 200, name);
      }
      assert.doesNotMatch(server.output(), /bug in Viaduct|server process .* ended/);
    });
  }

  it('is a bug when a listener of Viaduct without a name throws it', async (t) => {
    const program = pathToFileURL(join(ROOT, 'dist/server/server.js')).href;
    const stacks = [
      `Error: ours\\n    at Socket.<anonymous> (${program}:1:1)\\n    at Socket.emit (node:events:1:1)`,
      `Error: ours\\n    at ${program}:1:1`,
      `Error: ours\\n    at async Promise.all (index 0)\\n    at async ${program}:1:1`,
      `Error: ours\\n    at Array.map (<anonymous>)\\n    at new Server (${program}:1:1)`,
    ];
    for (const stack of stacks) {
      const bug = `process.on('SIGWINCH', () => { const error = new Error(); error.stack = '${stack}'; throw error; });`;
      const project = makeProject(t, { 'app.mjs': APP, 'bug.mjs': bug });
      const server = await startViaduct(t, ['./app.mjs'], {
        cwd: project,
        env: { NODE_OPTIONS: `--import ${pathToFileURL(join(project, 'bug.mjs')).href}` },
      });
      process.kill(server.pid, 'SIGWINCH');
      assert.deepEqual(await server.exited, { code: 70, signal: null }, stack);
    }
  });

  it('does not end the process when it is a rejection of code of Viaduct, and the log says whose it was', async (t) => {
    const stack = `Error: rejected\\n    at ${pathToFileURL(join(ROOT, 'dist/server/server.js')).href}:1:1`;
    const bug = `process.on('SIGWINCH', () => { void Promise.reject(Object.assign(new Error(), { stack: '${stack}' })); });`;
    const project = makeProject(t, { 'app.mjs': APP, 'bug.mjs': bug });
    const server = await startViaduct(t, ['./app.mjs'], {
      cwd: project,
      env: { NODE_OPTIONS: `--import ${pathToFileURL(join(project, 'bug.mjs')).href}` },
    });
    process.kill(server.pid, 'SIGWINCH');
    const expected = /This is a bug in Viaduct, please report it: Unhandled promise rejection: Error: rejected/;
    await eventually('the log has it', () => expected.test(server.output()));
    assert.equal((await ask(server.port, '/')).status, 200);
  });

  it('leaves no request without an answer, and no response that looks whole, whatever was thrown', async (t) => {
    const cases = Object.entries(UNPRINTABLE).map(([name, [value]]) => `case '${name}': return ${value};`);
    const app = `
const make = (name) => { switch (name) { ${cases.join('\n')} } };
export function application(environ, startResponse) {
  const [, how, name] = decodeURIComponent(environ.PATH_INFO).split('/');
  if (how === 'throws') throw make(name);
  if (how === 'rejects') return Promise.reject(make(name));
  if (how === 'returns') return Promise.resolve(make(name));
  startResponse('200 OK', []);
  if (how === 'blocks') return (async function* () { throw make(name); })();
  if (how === 'later') return (async function* () { yield Buffer.from('block'); throw make(name); })();
  return Object.assign([Buffer.from('fine')], { close() { throw make(name); } });
}
`;
    const { server } = await serve(t, { 'app.mjs': app }, './app.mjs');
    for (const name of Object.keys(UNPRINTABLE)) {
      for (const how of ['throws', 'rejects', 'returns', 'blocks']) {
        const { status } = await ask(server.port, `/${how}/${encodeURIComponent(name)}`);
        assert.equal(status, 500, `${how} ${name}`);
      }
      const later = await fetchWhole('HTTP/1.1', server.port, 'GET', `/later/${encodeURIComponent(name)}`);
      assert.deepEqual([later.text, later.whole], ['block', false], `later ${name}`);
      assert.equal((await ask(server.port, `/close/${encodeURIComponent(name)}`)).body, 'fine');
    }
    assert.doesNotMatch(server.output(), /bug in Viaduct|Unhandled/);
  });

  it('is a bug when code of Viaduct throws it: its server process ends with 70, and another one starts', async (t) => {
    const bug = `
process.on('SIGWINCH', () => {
  const error = new Error('on purpose');
  error.stack = 'Error: on purpose\\n    at sweep (${pathToFileURL(join(ROOT, 'dist/server/server.js')).href}:1:1)';
  throw error;
});`;
    const project = makeProject(t, { 'app.mjs': APP, 'bug.mjs': bug });
    const server = await startViaduct(t, ['./app.mjs', '--processes', '2'], {
      cwd: project,
      env: { NODE_OPTIONS: `--import ${pathToFileURL(join(project, 'bug.mjs')).href}` },
    });
    const [victim = 0] = childrenOf(server.pid);
    process.kill(victim, 'SIGWINCH');
    await eventually('the primary says so', () => /ended with exit code 70; a new one follows/.test(server.output()));
    assert.match(server.output(), /This is a bug in Viaduct, please report it: Uncaught exception: Error: on purpose/);
    await eventually('another one runs', () => childrenOf(server.pid).filter((pid) => pid !== victim).length === 2);
    assert.equal((await ask(server.port, '/')).status, 200);
  });
});

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/).filter(Boolean).map(Number).filter(isRunning);
}

describe('an error with an application in TypeScript', { concurrency: 2 }, () => {
  const errors: [title: string, args: string[], files: Record<string, string>, message: RegExp][] = [
    ['no such file', ['./nix.ts'], {}, /Cannot use ".*nix\.ts": there is no such file/],
    ['no such export', ['./app.ts#nix'], {}, /Cannot use ".*app\.ts": it exports no function nix/],
    ['nothing to serve', ['./greeting.ts'], {}, /greeting\.ts": it exports no function application or app or default/],
    ['a broken import', ['./app.ts'], { 'greeting.ts': "import './nix.ts';" }, /Cannot import ".*app\.ts".*nix\.ts/s],
    [
      'Python around it',
      ['./app.ts', '--middleware', 'wsgi:inner'],
      {},
      /wsgi:inner \(--middleware\): it is in Python/,
    ],
    ['no such built-in', ['./app.ts', '--middleware', 'viaduct:nix'], {}, /viaduct:nix: there is no such middleware/],
    [
      'no middleware',
      ['./app.ts', '--middleware', './greeting.ts'],
      {},
      /greeting\.ts": it exports no function middleware/,
    ],
    [
      'no application from it',
      ['./app.ts', '--middleware', './bad.ts'],
      { 'bad.ts': 'export const middleware = () => 3;' },
      /it returned number, and not an application/,
    ],
  ];
  for (const [title, args, files, message] of errors) {
    it(`is reported at the start and by check: ${title}`, async (t) => {
      const project = makeProject(t, { ...FILES, ...files });
      for (const command of ['serve', 'check']) {
        const { code, output } = await runViaduct(project, command, ...args, '--listen', '127.0.0.1:0');
        assert.match(output, message);
        assert.doesNotMatch(output, /This is a bug/);
        assert.ok(code === 1 || code === 2, `exit code ${code}`);
      }
    });
  }
});
