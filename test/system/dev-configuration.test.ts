import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { hashPassword } from '../../src/handlers/auth/passwords.ts';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const respondWith = (body: string) => `[[route]]\npath = "/said"\nrespond = { body = "${body}" }\n`;

/** Starts `viaduct --dev` in a project with these files. */
async function start(t: TestContext, files: Record<string, string>, ...args: string[]) {
  const project = makeProject(t, files);
  const server = await startViaduct(t, ['serve', '--dev', '--workers', '1', ...args], { cwd: project });
  return { server, write: (path: string, text: string) => writeFileSync(join(project, path), text), project };
}

function untilServed(server: Viaduct, body: string): Promise<void> {
  return eventually(`the server says "${body}"`, async () => (await ask(server.port, '/said')).body === body);
}

describe('a configuration that changes in development', { concurrency: 2 }, () => {
  it('takes effect by itself, and is refused with a reason when it is invalid', async (t) => {
    const { server, write } = await start(t, { 'viaduct.toml': respondWith('one') });
    assert.equal((await ask(server.port, '/said')).body, 'one');
    write('viaduct.toml', respondWith('two'));
    await untilServed(server, 'two');
    write('viaduct.toml', `${respondWith('three')}pth = "/x"\n`);
    await eventually('the change is refused', () => /Cannot reload, .+viaduct\.toml:4/s.test(server.output()));
    await untilServed(server, 'two');
    write('viaduct.toml', respondWith('four'));
    await untilServed(server, 'four');
  });

  it('takes effect when an editor replaces the file', async (t) => {
    const { server, write, project } = await start(t, { 'viaduct.toml': respondWith('one') });
    for (const body of ['two', 'three']) {
      write('viaduct.toml~', respondWith(body));
      renameSync(join(project, 'viaduct.toml~'), join(project, 'viaduct.toml'));
      await untilServed(server, body);
    }
  });

  it('takes effect when it is TypeScript', async (t) => {
    const config = (body: string) => `export default { route: [{ path: '/said', respond: { body: '${body}' } }] };\n`;
    const { server, write } = await start(t, { 'app.py': WSGI_APP, 'viaduct.config.ts': config('one') });
    await untilServed(server, 'one');
    write('viaduct.config.ts', config('two'));
    await untilServed(server, 'two');
    write('viaduct.config.ts', 'export default {');
    await eventually('the change is refused', () => /Cannot reload, .+viaduct\.config\.ts/s.test(server.output()));
    await untilServed(server, 'two');
    assert.equal((await ask(server.port, '/')).body, 'hello');
  });

  it('takes effect when its file has another name or is pyproject.toml', async (t) => {
    const { server, write } = await start(
      t,
      {
        'app.py': WSGI_APP,
        'site.toml': respondWith('one'),
        'pyproject.toml': '[tool.viaduct]\nbody_bytes_max = 100\n',
      },
      '--config',
      'site.toml',
    );
    write('site.toml', respondWith('two'));
    await untilServed(server, 'two');
    const upload = async () => (await ask(server.port, '/', { method: 'POST', body: 'x'.repeat(50) })).status;
    assert.equal(await upload(), 200);
    write('pyproject.toml', '[tool.viaduct]\nbody_bytes_max = 10\n');
    await eventually('the content is too large', async () => (await upload()) === 413);
  });

  it('takes effect when a password file of the configuration changes', async (t) => {
    const route = '[[route]]\npath = "/said"\nbasic_auth = { file = "users" }\nrespond = { body = "in" }\n';
    const { server, write } = await start(t, { 'viaduct.toml': route, users: `ada:${await hashPassword('old')}\n` });
    const status = async (password: string) => {
      const authorization = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
      return (await ask(server.port, '/said', { headers: [['Authorization', authorization]] })).status;
    };
    assert.equal(await status('old'), 200);
    write('users', `ada:${await hashPassword('new')}\n`);
    await eventually('the new password is accepted', async () => (await status('new')) === 200);
    assert.equal(await status('old'), 401);
  });

  it('takes effect when its file is created later', async (t) => {
    const { server, write } = await start(t, { 'app.py': WSGI_APP });
    assert.equal((await ask(server.port, '/said')).body, 'hello');
    write('viaduct.toml', respondWith('one'));
    await untilServed(server, 'one');
  });

  it('takes effect together with changed code, and then follows the code of another application', async (t) => {
    const application = (body: string) => WSGI_APP.replace('hello', body);
    const { server, write } = await start(t, {
      'app.py': application('old'),
      'other/web.py': application('new'),
      'viaduct.toml': 'target = "app:application"\n',
    });
    write('app.py', application('newer'));
    write('viaduct.toml', 'chdir = "other"\ntarget = "web:application"\n');
    const answer = async () => (await ask(server.port, '/')).body;
    await eventually('the other application answers', async () => (await answer()) === 'new');
    write('other/web.py', application('newest'));
    await eventually('the changed code answers', async () => (await answer()) === 'newest');
    assert.doesNotMatch(server.output(), /Cannot/);
  });
});
