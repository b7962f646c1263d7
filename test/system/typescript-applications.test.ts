import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct } from '../support/run-viaduct.ts';
import { eventually } from '../support/socket-client.ts';
import { startViaduct } from '../support/viaduct.ts';

/** The package as a file, because a project of a test has none. */
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
  const server = await startViaduct({ cwd: project, args: ['--access-log', 'off', ...args] });
  t.after(() => server.stop());
  const body = async (target: string) => (await ask(server.port, target)).body;
  return { project, server, body };
}

describe('an application in TypeScript', { concurrency: 2 }, () => {
  it('is served from its file, and another one of its exports by name', async (t) => {
    const first = await serve(t, {}, 'serve', './app.ts');
    assert.equal(await first.body('/a%20b'), 'hello /a b ');
    const second = await serve(t, {}, 'app.ts#other');
    assert.equal(await second.body('/'), 'other at ');
  });

  it('may be an object with a fetch method: what a module exports by default, or by name, as Hono does', async (t) => {
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

  it('stands beside one in Python, each behind its middleware, the outermost first', async (t) => {
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

  it('runs in each of several fronts', async (t) => {
    const { body } = await serve(t, {}, './app.ts', '--fronts', '2');
    for (let i = 0; i < 8; i += 1) assert.equal(await body('/'), 'hello / ');
  });

  it('is imported anew, with what it imports, when a file changes in development', async (t) => {
    const { project, server, body } = await serve(t, {}, './app.ts', '--dev');
    assert.equal(await body('/'), 'hello / ');
    writeFileSync(join(project, 'greeting.ts'), "export const greeting: string = 'goodbye';\n");
    await eventually('the change is served', async () => (await body('/')) === 'goodbye / ');
    writeFileSync(join(project, 'greeting.ts'), 'export const greeting: string = ;\n');
    await eventually('the mistake is shown', async () => (await ask(server.port, '/')).status === 500);
    assert.match((await ask(server.port, '/')).body, /app\.ts cannot be imported/);
    writeFileSync(join(project, 'greeting.ts'), GREETING);
    await eventually('it is mended', async () => (await body('/')) === 'hello / ');
  });

  it('is replaced at SIGHUP, and goes on as it was when the new one is broken', async (t) => {
    const { project, server, body } = await serve(t, {}, './app.ts');
    writeFileSync(join(project, 'greeting.ts'), "export const greeting: string = 'goodbye';\n");
    process.kill(server.pid, 'SIGHUP');
    await eventually('the change is served', async () => (await body('/')) === 'goodbye / ');
    writeFileSync(join(project, 'greeting.ts'), "throw new Error('broken on purpose');\n");
    process.kill(server.pid, 'SIGHUP');
    await eventually('the mistake is told', async () => server.output().includes('broken on purpose'));
    assert.equal(await body('/'), 'goodbye / ');
  });

  it('is closed with the server, and so is the one that a reload has replaced', async (t) => {
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

  it('answers 500 when it throws, tells the stack in the log, and to the client in development only', async (t) => {
    const app = "export const application = () => { throw new Error('thrown on purpose'); };\n";
    const quiet = await serve(t, { 'app.ts': app }, './app.ts');
    const answer = await ask(quiet.server.port, '/path');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /purpose/);
    await eventually('the log tells', async () => /thrown on purpose.*app\.ts/s.test(quiet.server.output()));
    const open = await serve(t, { 'app.ts': app }, './app.ts', '--dev');
    assert.match((await ask(open.server.port, '/')).body, /thrown on purpose/);
  });

  it('that forgets a rejected promise does not end the server', async (t) => {
    const app = `export const application = (environ, startResponse) => {
  void Promise.reject(new Error('forgotten on purpose'));
  startResponse('200 OK', []);
  return [];
};
`;
    const { server } = await serve(t, { 'app.ts': app }, './app.ts');
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(server.port, '/')).status, 200);
    await eventually('the log tells', async () => server.output().includes('forgotten on purpose'));
  });
});

describe('a mistake with an application in TypeScript', { concurrency: 2 }, () => {
  const mistakes: [title: string, args: string[], files: Record<string, string>, message: RegExp][] = [
    ['no such file', ['./nix.ts'], {}, /Cannot use ".*nix\.ts": there is no such file/],
    ['no such export', ['./app.ts#nix'], {}, /Cannot use ".*app\.ts": it exports no function nix/],
    ['nothing to serve', ['./greeting.ts'], {}, /greeting\.ts": it exports no function application or app or default/],
    ['a broken import', ['./app.ts'], { 'greeting.ts': "import './nix.ts';" }, /Cannot import ".*app\.ts".*nix\.ts/s],
    [
      'Python around it',
      ['./app.ts', '--middleware', 'wsgi:inner'],
      {},
      /wsgi:inner \(--middleware\): it is written in Python/,
    ],
    ['no such built-in', ['./app.ts', '--middleware', 'viaduct:nix'], {}, /viaduct:nix: there is none of that name/],
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
  for (const [title, args, files, message] of mistakes) {
    it(`is told at the start and by check: ${title}`, async (t) => {
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
