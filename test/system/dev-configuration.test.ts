import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { hashPassword } from '../../src/handlers/auth/passwords.ts';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { eventually } from '../support/socket-client.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';

const says = (body: string) => `[[route]]\npath = "/said"\nrespond = { body = "${body}" }\n`;

/** Starts `viaduct --dev` in a project with these files. */
async function start(t: TestContext, files: Record<string, string>, ...args: string[]) {
  const project = makeProject(t, files);
  const server = await startViaduct({ args: ['serve', '--dev', '--workers', '1', ...args], cwd: project });
  t.after(() => server.stop());
  return { server, write: (path: string, text: string) => writeFileSync(join(project, path), text), project };
}

function untilSaid(server: Viaduct, body: string): Promise<void> {
  return eventually(`"${body}" is said`, async () => (await ask(server.port, '/said')).body === body);
}

describe('a configuration that changes in development', { concurrency: 2 }, () => {
  it('takes over by itself, a wrong one changes nothing and says why, when routes answer everything', async (t) => {
    const { server, write } = await start(t, { 'viaduct.toml': says('one') });
    assert.equal((await ask(server.port, '/said')).body, 'one');
    write('viaduct.toml', says('two'));
    await untilSaid(server, 'two');
    write('viaduct.toml', `${says('three')}pth = "/x"\n`);
    await eventually('it is refused', () => /Cannot reload, .+viaduct\.toml:4/s.test(server.output()));
    await untilSaid(server, 'two');
    write('viaduct.toml', says('four'));
    await untilSaid(server, 'four');
  });

  it('takes over when an editor replaces the file', async (t) => {
    const { server, write, project } = await start(t, { 'viaduct.toml': says('one') });
    for (const body of ['two', 'three']) {
      write('viaduct.toml~', says(body));
      renameSync(join(project, 'viaduct.toml~'), join(project, 'viaduct.toml'));
      await untilSaid(server, body);
    }
  });

  it('takes over when it is TypeScript', async (t) => {
    const config = (body: string) => `export default { route: [{ path: '/said', respond: { body: '${body}' } }] };\n`;
    const { server, write } = await start(t, { 'app.py': WSGI_APP, 'viaduct.config.ts': config('one') });
    await untilSaid(server, 'one');
    write('viaduct.config.ts', config('two'));
    await untilSaid(server, 'two');
    write('viaduct.config.ts', 'export default {');
    await eventually('it is refused', () => /Cannot reload, .+viaduct\.config\.ts/s.test(server.output()));
    await untilSaid(server, 'two');
    assert.equal((await ask(server.port, '/')).body, 'hello');
  });

  it('takes over when its file has another name or stands in pyproject.toml', async (t) => {
    const { server, write } = await start(
      t,
      { 'app.py': WSGI_APP, 'site.toml': says('one'), 'pyproject.toml': '[tool.viaduct]\nbody_bytes_max = 100\n' },
      '--config',
      'site.toml',
    );
    write('site.toml', says('two'));
    await untilSaid(server, 'two');
    const upload = async () => (await ask(server.port, '/', { method: 'POST', body: 'x'.repeat(50) })).status;
    assert.equal(await upload(), 200);
    write('pyproject.toml', '[tool.viaduct]\nbody_bytes_max = 10\n');
    await eventually('the content is too large', async () => (await upload()) === 413);
  });

  it('takes over when a password file that it names changes', async (t) => {
    const route = '[[route]]\npath = "/said"\nbasic_auth = { file = "users" }\nrespond = { body = "in" }\n';
    const { server, write } = await start(t, { 'viaduct.toml': route, users: `ada:${await hashPassword('old')}\n` });
    const status = async (password: string) => {
      const authorization = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
      return (await ask(server.port, '/said', { headers: [['Authorization', authorization]] })).status;
    };
    assert.equal(await status('old'), 200);
    write('users', `ada:${await hashPassword('new')}\n`);
    await eventually('the new password is right', async () => (await status('new')) === 200);
    assert.equal(await status('old'), 401);
  });

  it('takes over when its file is made later', async (t) => {
    const { server, write } = await start(t, { 'app.py': WSGI_APP });
    assert.equal((await ask(server.port, '/said')).body, 'hello');
    write('viaduct.toml', says('one'));
    await untilSaid(server, 'one');
  });

  it('takes over together with code that changes with it, and follows the code of another application then', async (t) => {
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
    await eventually('its change is seen', async () => (await answer()) === 'newest');
    assert.doesNotMatch(server.output(), /Cannot/);
  });
});
