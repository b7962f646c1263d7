import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { findInterpreters } from '../support/interpreters.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** `/pool` ends a pool of forked processes while they work, as a view does that gives up. */
const APP = `
import multiprocessing, os, sys, time
def application(environ, start_response):
    if environ['PATH_INFO'] == '/pool':
        with multiprocessing.get_context('fork').Pool(2) as pool:
            pids = [process.pid for process in pool._pool]
            assert pool.map(abs, [-1, 2]) == [1, 2]
            pool.map_async(time.sleep, [600, 600])
        answer = ' '.join(map(str, pids))
    else:
        answer = f"{os.getpid()} {len(environ['wsgi.input'].read())} {sys.version.split('(')[0]}"
    start_response('200 OK', [])
    return [answer.encode()]
`;

for (const { path, version } of findInterpreters()) {
  describe(`an application on CPython ${version}`, () => {
    for (const flag of ['--preload', '--no-preload']) {
      it(`answers, takes uploads, reloads and stops, with ${flag}`, async (t) => {
        const project = makeProject(t, { 'app.py': APP });
        const server = await startViaduct(t, ['serve', project, '--python', path, '--workers', '2', flag], {
          env: { PYTHONSAFEPATH: '1' },
        });
        assert.ok(server.output().includes(`python      ${version} (`), server.output());
        const hello = await ask(server.port, '/');
        assert.equal(hello.body.trim(), `${Number.parseInt(hello.body, 10)} 0 ${version}`);
        const upload = await ask(server.port, '/', { method: 'POST', body: 'x'.repeat(3_000_000) });
        assert.match(upload.body, /^\d+ 3000000 /);
        const pids = (await ask(server.port, '/pool')).body.split(' ').map(Number);
        assert.equal(pids.length, 2);
        await eventually('the pool has ended', () => !pids.some(isRunning));
        process.kill(server.pid, 'SIGHUP');
        await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
        const again = await ask(server.port, '/');
        assert.equal(again.status, 200);
        assert.notEqual(Number.parseInt(again.body, 10), Number.parseInt(hello.body, 10));
        await server.stop();
        assert.deepEqual(await server.exited, { code: 0, signal: null });
        assert.doesNotMatch(server.output(), /Traceback/);
      });
    }
  });
}

/** Gives an older Python the functions of PEP 810, and notes the mode at each import of this package. */
const LAZY = `
import builtins, sys
MODES = {}
mode = 'all'
def set_lazy_imports(value):
    global mode
    mode = value
sys.set_lazy_imports = set_lazy_imports
sys.get_lazy_imports = lambda: mode
original = builtins.__import__
def noting(name, globals=None, locals=None, fromlist=(), level=0):
    if name.split('.')[0] == 'viaduct_worker': MODES.setdefault(mode, set()).update(fromlist or ())
    return original(name, globals, locals, fromlist, level)
builtins.__import__ = noting
sys.lazy_modes = MODES
`;

describe('an interpreter that makes all imports lazy', () => {
  it('imports the package at once, and the application lazily', async (t) => {
    const app = `
import sys
MODE = sys.get_lazy_imports()
def application(environ, start_response):
    start_response('200 OK', [])
    return [f"{MODE} {sorted(sys.lazy_modes)}".encode()]
`;
    const project = makeProject(t, { 'app.py': app, 'lazy/sitecustomize.py': LAZY });
    const server = await startViaduct(t, ['serve', project, '--workers', '1'], {
      env: { PYTHONPATH: join(project, 'lazy') },
    });
    assert.equal((await ask(server.port, '/')).body, "all ['normal']");
  });
});

describe('a Python that is not CPython', () => {
  for (const [implementation, name] of [
    ['graalpy', 'GraalPy'],
    ['pypy', 'PyPy'],
  ]) {
    it(`is refused: ${name}`, async (t) => {
      const pretend = `import sys\nsys.implementation.name = '${implementation}'\n`;
      const project = makeProject(t, { 'app.py': WSGI_APP, 'fake/sitecustomize.py': pretend });
      const server = await startViaduct(t, ['serve', project], {
        awaitReady: false,
        env: { PYTHONPATH: join(project, 'fake') },
      });
      assert.equal((await server.exited).code, 1);
      assert.match(
        server.output(),
        new RegExp(`Cannot use Python ".*": it is ${name}, and only CPython is supported\n`),
      );
      assert.match(server.output(), /Install Python 3\.10 or later/);
      assert.doesNotMatch(server.output(), /Traceback/);
    });
  }
});

describe('an interpreter that cannot start', () => {
  it('shows all lines of its fatal error', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP });
    const server = await startViaduct(t, ['serve', project], {
      awaitReady: false,
      env: { PYTHONHOME: '/nonexistent' },
    });
    assert.equal((await server.exited).code, 1);
    assert.match(server.output(), /sys\.prefix = '\/nonexistent'/);
    assert.match(server.output(), /ModuleNotFoundError: No module named 'encodings'/);
    assert.match(server.output(), /viaduct: Cannot use Python ".*": Fatal Python error: /);
  });
});
