import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { ROOT, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `import type { Application, Header } from 'viaduct';

const block = Buffer.from('block');

export const application: Application = (environ, startResponse) => {
  const headers: Header[] = environ.PATH_INFO === '/untyped' ? [] : [['Content-Type', 'text/plain']];
  if (environ.PATH_INFO === '/long') headers.push(['Content-Length', '3']);
  startResponse('200 OK', headers);
  if (environ.PATH_INFO === '/late') return late(() => startResponse('200 OK', headers)(block));
  if (environ.PATH_INFO === '/slash') return [Buffer.from(environ.SCRIPT_NAME + environ.PATH_INFO)];
  return [block];
};

async function* late(write: () => Promise<void>) {
  yield block;
  await write();
}
`;
const MIDDLEWARE = `import type { Application } from 'viaduct';

export function slashless(application: Application): Application {
  return (environ, startResponse) => {
    environ.PATH_INFO = environ.PATH_INFO.replace('/slashless', '');
    return application(environ, startResponse);
  };
}

export function forgetful(application: Application): Application {
  return async (environ, startResponse) => {
    const blocks: Uint8Array[] = [];
    for await (const block of await application(environ, startResponse)) blocks.push(block);
    return [...blocks, 'more'] as Uint8Array[];
  };
}
`;
const PYTHON = `def application(environ, start_response):
    body = environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [environ['PATH_INFO'].encode('latin-1') + b' ' + environ.get('CONTENT_LENGTH', 'none').encode() + b' ' + body]
`;
const FILES = { 'app.ts': APP, 'middleware.ts': MIDDLEWARE, 'wsgi.py': PYTHON };

async function serve(t: TestContext, toml: string, files: Readonly<Record<string, string>>, ...args: string[]) {
  const cwd = makeProject(t, { ...FILES, ...files, 'viaduct.toml': toml });
  const server = await startViaduct(t, ['--access-log', 'off', ...args], { cwd });
  return {
    server,
    get: (target: string, body?: string) =>
      ask(server.port, target, body === undefined ? {} : { method: 'POST', body }),
  };
}

describe('validator in development', { concurrency: 2 }, () => {
  it('names the violation on the page and in the log, and is off in production', async (t) => {
    const toml = 'target = "./app.ts"\n';
    const dev = await serve(t, toml, {}, '--dev');
    const page = await dev.get('/long');
    assert.equal(page.status, 500);
    assert.match(page.body, /\(content-too-long, by the application/);
    assert.match(dev.server.output(), /\(content-too-long, by the application/);
    assert.equal((await dev.get('/late')).whole, false);
    assert.equal((await dev.get('/')).body, 'block');
    assert.equal((await dev.get('/untyped')).body, 'block');
    await eventually('the advice is in the log', () => /\(content-type-missing, by/.test(dev.server.output()));

    const production = await serve(t, toml, {});
    const cut = await production.get('/long');
    assert.deepEqual([cut.status, cut.body], [200, 'blo']);
    assert.equal((await production.get('/untyped')).body, 'block');
    assert.doesNotMatch(production.server.output(), /WSGI's contract/);
  });

  it('checks both sides of each middleware', async (t) => {
    const toml = `target = "./app.ts"
middleware = ["./middleware.ts#slashless"]

[apps.python]
target = "wsgi:application"
middleware = ["./middleware.ts#slashless", "./middleware.ts#forgetful"]

[[route]]
path = "/python/*"
app = "python"
`;
    const dev = await serve(t, toml, {}, '--dev');
    assert.match((await dev.get('/slashlessx')).body, /PATH_INFO is "x" \(environ-key-wrong-value, by the server/);
    assert.match((await dev.get('/python/x')).body, /\(block-not-bytes, by the application/);
    const production = await serve(t, toml, {});
    assert.equal((await production.get('/slashlessx')).body, 'block');
    assert.doesNotMatch(production.server.output(), /WSGI's contract/);
  });

  it('accepts correct applications in both languages', async (t) => {
    const toml = `target = "./app.ts"

[apps.alone]
target = "wsgi:application"

[apps.behind]
target = "wsgi:application"
middleware = ["./middleware.ts#slashless"]

[[route]]
path = "/alone/*"
app = "alone"

[[route]]
path = "/behind/*"
app = "behind"
`;
    const { server, get } = await serve(t, toml, {}, '--dev');
    assert.equal((await get('/slash')).body, '/slash');
    for (const name of ['alone', 'behind']) {
      assert.equal((await get(`/${name}/a%20b`)).body, `/${name}/a b none `);
      assert.equal((await get(`/${name}/x`, 'content')).body, `/${name}/x 7 content`);
      assert.equal((await get(`/${name}/x`, 'x'.repeat(300_000))).body.length, `/${name}/x 300000 `.length + 300_000);
    }
    assert.doesNotMatch(server.output(), /WSGI's contract/);
  });

  it('can be used in code like its page shows', async (t) => {
    const page = readFileSync(join(ROOT, 'docs/validator.md'), 'utf8');
    const [, example = ''] = /^```typescript\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const { get } = await serve(t, 'target = "./example.ts"\n', { 'example.ts': example });
    assert.equal((await get('/')).body, '0 b');
    assert.equal((await get('/')).body, '1 b');
  });
});
