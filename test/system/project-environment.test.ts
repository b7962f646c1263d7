import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** What an application, or a library for logs, may put into the place of its outputs. */
const OUTPUTS = {
  'an object that only has write()':
    'class Output:\n    def write(self, text): pass\nsys.stdout = sys.stderr = Output()',
  None: 'sys.stdout = sys.stderr = None',
  'a closed file': 'sys.stdout.close()\nsys.stderr.close()',
};

describe('an application whose import replaces the outputs', () => {
  for (const [name, code] of Object.entries(OUTPUTS)) {
    it(`is served if they become ${name}`, async (t) => {
      const project = makeProject(t, { 'app.py': `import sys\n${code}\n${WSGI_APP}` });
      const server = await startViaduct(t, ['serve', project, '--preload']);
      assert.equal((await ask(server.port, '/')).body, 'hello');
    });
  }
});

describe('a project with modules that are named as in the standard library', () => {
  const OWN = "raise RuntimeError('the module of the project')";
  const names = ['ast', 'contextvars', 'inspect', 'json', 'logging', 'queue', 'select', 'types'];

  for (const flags of [['--preload'], ['--no-preload'], ['--dev']]) {
    it(`is served with ${flags}`, async (t) => {
      const modules = Object.fromEntries(names.map((name) => [`${name}.py`, OWN]));
      const project = makeProject(t, { 'app.py': WSGI_APP, ...modules });
      const server = await startViaduct(t, ['serve', project, ...flags]);
      assert.equal((await ask(server.port, '/')).body, 'hello');
      assert.doesNotMatch(server.output(), /the module of the project/);
    });
  }
});

describe('a sitecustomize', () => {
  it('may ignore SIGCHLD', async (t) => {
    const ignoring = 'import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)';
    const project = makeProject(t, { 'app.py': WSGI_APP, 'early/sitecustomize.py': ignoring });
    const server = await startViaduct(t, ['serve', project], { env: { PYTHONPATH: join(project, 'early') } });
    assert.equal((await ask(server.port, '/')).body, 'hello');
    process.kill(server.pid, 'SIGHUP');
    await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
    assert.doesNotMatch(server.output(), /Traceback/);
  });
});
