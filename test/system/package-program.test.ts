import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ask } from '../support/http-client.ts';
import { installPackage } from '../support/installed-package.ts';
import { WSGI_APP } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** Forgets a promise that Viaduct has rejected: an error of the application, if its class is that of the server. */
const FORGETFUL = (program: string): string => `
import { ViaductError } from 'viaduct';
import type { Application } from 'viaduct';
export const application: Application = (environ, startResponse) => {
  const error = new ViaductError('USAGE', 'forgotten');
  error.stack = 'ViaductError: forgotten\\n    at start (${program}:1:1)';
  void Promise.reject(error);
  startResponse('200 OK', []);
  return [Buffer.from('typescript')];
};
`;

const CONFIGURATION = `
[apps.python]
target = "app:application"

[[route]]
path = "/python"
app = "python"

[[route]]
path = "/text"
respond = { body = "text" }
`;

describe('the program of the package, installed from its archive', () => {
  const project = installPackage();
  const installed = join(project, 'node_modules/viaduct');
  const program = join(installed, 'bin/viaduct.js');
  after(() => rmSync(project, { recursive: true, force: true }));

  it('prints its version', () => {
    const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { version: string };
    assert.equal(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' }), `viaduct ${version}\n`);
  });

  it('serves a project with routes, Python and TypeScript, which has the classes of the server', async (t) => {
    writeFileSync(join(project, 'app.py'), WSGI_APP);
    writeFileSync(join(project, 'app.ts'), FORGETFUL(pathToFileURL(join(installed, 'dist/server.js')).href));
    writeFileSync(join(project, 'viaduct.toml'), CONFIGURATION);
    const server = await startViaduct(t, ['./app.ts'], { cwd: project, program });
    assert.equal((await ask(server.port, '/python')).body, 'hello');
    assert.equal((await ask(server.port, '/text')).body, 'text');
    assert.equal((await ask(server.port, '/')).body, 'typescript');
    await eventually('the log has the error', () => server.output().includes('forgotten'));
    assert.doesNotMatch(server.output(), /bug in Viaduct/);
  });

  it('serves with two server processes', async (t) => {
    writeFileSync(join(project, 'app.py'), WSGI_APP);
    rmSync(join(project, 'viaduct.toml'), { force: true });
    const server = await startViaduct(t, ['app:application', '--processes', '2', '--workers', '1'], {
      cwd: project,
      program,
    });
    assert.equal((await ask(server.port, '/')).body, 'hello');
  });

  it('has the licences of the packages in it, and few files', () => {
    const licences = readFileSync(join(installed, 'dist/licenses.txt'), 'utf8');
    for (const name of ['zod', 'smol-toml', 'mrmime', 'croner', 'preact', 'uplot'])
      assert.match(licences, new RegExp(`^${name}\n\n.*(?:License|Copyright)`, 'im'));
    const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
    assert.ok(files.filter((path) => path.endsWith('.js')).length < 70);
    for (const name of ['app.js', 'app.css', 'bar.js', 'index.html']) assert.ok(files.includes(`ui/${name}`));
  });
});
