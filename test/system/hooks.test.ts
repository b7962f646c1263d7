import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct, type Viaduct, type ViaductOptions } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** Every hook notes its name, its process, and the number of its worker. */
const HOOKS = `
import os
import viaduct
STARTED = []
def note(name):
    with open('notes', 'a') as notes:
        notes.write(f'{name} {os.getpid()} {viaduct.worker_id()}\\n')
def after_fork():
    STARTED.append(os.getpid())
    note('after_fork')
def before_exit(): note('before_exit')
def on_ready(): note('on_ready')
def on_reload(): note('on_reload')
def second(): note('second')
def fails(): raise ValueError('the database is gone')
def leaves(): raise SystemExit(3)
def waits():
    note('waits')
    while True: pass
def crashes(): os._exit(7)
NUMBER = 5
`;

const APP = `
import os, hooks
def application(environ, start_response):
    if environ['PATH_INFO'] == '/exit': os._exit(1)
    start_response('200 OK', [])
    return [f'{os.getpid()} {hooks.STARTED}'.encode()]
`;

const ALL = `
[hooks]
after_fork = ["hooks:after_fork", "hooks:second"]
before_exit = "hooks:before_exit"
on_ready = "hooks:on_ready"
on_reload = "hooks:on_reload"
`;

interface Note {
  readonly name: string;
  readonly pid: number;
  readonly worker: number;
}

interface Site {
  readonly server: Viaduct;
  readonly project: string;
  /** What the hooks have noted so far; only those with this name, if it is given. */
  notes(name?: string): Note[];
}

async function serve(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  options: ViaductOptions = {},
): Promise<Site> {
  const project = makeProject(t, { 'app.py': APP, 'hooks.py': HOOKS, ...files });
  const all = ['serve', project, '--workers', '2', '--threads', '1', '--access-log', 'off', ...args];
  const server = await startViaduct(t, all, options);
  const notes = (wanted?: string): Note[] => {
    const path = join(project, 'notes');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
    const read = lines.map((line) => line.split(' '));
    return read
      .map(([name = '', pid, worker]) => ({ name, pid: Number(pid), worker: Number(worker) }))
      .filter(({ name }) => wanted === undefined || name === wanted);
  };
  return { server, project, notes };
}

async function reload(server: Viaduct): Promise<void> {
  const count = (): number => server.output().split('Reloaded in').length;
  const before = count();
  process.kill(server.pid, 'SIGHUP');
  await eventually('it has reloaded', () => count() > before);
}

describe('hooks', { concurrency: 2 }, () => {
  for (const flag of ['--preload', '--no-preload']) {
    it(`run in each worker, and once for each release, with ${flag}`, async (t) => {
      const { server, notes } = await serve(t, { 'viaduct.toml': ALL }, [flag]);
      const [pid, started] = (await ask(server.port, '/')).body.split(' ');
      assert.equal(started, `[${pid}]`);
      await eventually('the release is ready', () => notes('on_ready').length === 1);
      const workers = notes('after_fork').map((note) => note.pid);
      assert.deepEqual(
        notes('second').map((note) => note.pid),
        workers,
      );
      assert.deepEqual(
        notes('after_fork')
          .map(({ worker }) => worker)
          .sort(),
        [1, 2],
      );
      const [ready] = notes('on_ready') as [Note];
      assert.equal(workers.includes(ready.pid), false);
      assert.equal(ready.worker, 0);
      await eventually('the process of the hook has ended', () => !isRunning(ready.pid));

      await reload(server);
      await eventually('the first release has ended', () => notes('before_exit').length === 2);
      assert.deepEqual(
        notes('before_exit')
          .map((note) => note.pid)
          .sort(),
        workers.sort(),
      );
      await eventually('both releases have called their hooks', () => notes('on_ready').length === 2);
      await eventually('the first one knows of the second', () => notes('on_reload').length === 1);
      await server.stop();
      assert.equal(notes('before_exit').length, 4);
      assert.deepEqual([notes('on_ready').length, notes('on_reload').length], [2, 1]);
    });
  }

  it('run in a worker that replaces another one', async (t) => {
    const { server, notes } = await serve(t, { 'viaduct.toml': ALL });
    await ask(server.port, '/exit');
    await eventually('there is another worker', () => notes('after_fork').length === 3);
    assert.equal(notes('after_fork').at(-1)?.worker, 3);
    assert.equal(notes('before_exit').length, 0);
    assert.equal(notes('on_ready').length, 1);
  });

  it('belong to the application in whose table they are', async (t) => {
    const routes = `
[apps.other]
target = "app:application"
hooks.after_fork = "hooks:second"
[hooks]
after_fork = "hooks:after_fork"
[[route]]
path = "/other/*"
app = "other"
`;
    const { notes } = await serve(t, { 'viaduct.toml': routes }, ['--workers', '1']);
    assert.deepEqual(
      notes()
        .map(({ name }) => name)
        .sort(),
      ['after_fork', 'second'],
    );
  });

  it('of the application server alone run, too', async (t) => {
    const { project, notes } = await serve(t, { 'viaduct.toml': ALL });
    await eventually('the release is ready', () => notes('on_ready').length === 1);
    const app = await startViaduct(t, ['app', project, '--workers', '1', '--access-log', 'off']);
    assert.doesNotMatch(app.output(), /ignores/);
    await eventually('another release is ready', () => notes('on_ready').length === 2);
  });
});

describe('a hook after_fork', { concurrency: 2 }, () => {
  for (const [what, hook, reason] of [
    ['raises', 'fails', 'its hook after_fork hooks:fails failed: ValueError: the database is gone'],
    ['leaves', 'leaves', 'its hook after_fork hooks:leaves failed: SystemExit: 3'],
    ['is missing', 'absent', 'its hook after_fork hooks:absent cannot be imported: module hooks has no absent'],
    [
      'is no function',
      'NUMBER',
      'its hook after_fork hooks:NUMBER cannot be imported: it is a int, which cannot be called',
    ],
  ] as const) {
    it(`that ${what} fails the start, and the message names it`, async (t) => {
      const files = { 'app.py': APP, 'hooks.py': HOOKS, 'viaduct.toml': `hooks.after_fork = "hooks:${hook}"\n` };
      const project = makeProject(t, files);
      const { code, output } = await runViaduct(project, 'serve', '--listen', '127.0.0.1:0', '--workers', '1');
      assert.equal(code, 1);
      assert.ok(output.includes(`Cannot import "app:application": ${reason}`), output);
      assert.equal(output.includes('Traceback'), what === 'raises' || what === 'leaves');
      assert.ok(output.split('the database is gone').length <= 4, output); // the line of code, the traceback and the reason
    });
  }

  it('that raises in a new release leaves the old one alone', async (t) => {
    const files = { 'viaduct.toml': 'hooks.after_fork = "start:start"\n', 'start.py': 'def start(): pass\n' };
    const { server, project } = await serve(t, files);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(project, 'start.py'), 'def start():\n    raise ValueError("no")\n');
    process.kill(server.pid, 'SIGHUP');
    await eventually('the reload has failed', () => server.output().includes('the old configuration stays'));
    assert.match(server.output(), /its hook after_fork start:start failed: ValueError: no/);
    assert.equal((await ask(server.port, '/')).status, 200);
  });

  it('that hangs fails the start when its time is over', async (t) => {
    const files = { 'app.py': APP, 'hooks.py': HOOKS, 'viaduct.toml': 'hooks.after_fork = "hooks:waits"\n' };
    const project = makeProject(t, files);
    const args = ['--listen', '127.0.0.1:0', '--workers', '1', '--start-timeout-ms', '2s'];
    const { code, output } = await runViaduct(project, 'serve', ...args);
    assert.equal(code, 1);
    assert.match(
      output,
      /Cannot start the application: it was not ready after 2 s, and its import or its hook after_fork hooks:waits had not ended\nIf it needs longer, raise start_timeout_ms/,
    );
    const [, pid] = readFileSync(join(project, 'notes'), 'utf8').split(' ');
    await eventually('the worker has ended', () => !isRunning(Number(pid)));
  });
});

describe('a hook before_exit', { concurrency: 2 }, () => {
  it('that raises is logged, and the others run', async (t) => {
    const toml = 'hooks.before_exit = ["hooks:fails", "hooks:leaves", "hooks:before_exit"]\n';
    const { server, notes } = await serve(t, { 'viaduct.toml': toml }, ['--workers', '1']);
    await server.stop();
    assert.match(server.output(), /The hook before_exit hooks:fails failed: ValueError: the database is gone/);
    assert.match(server.output(), /The hook before_exit hooks:leaves failed: SystemExit: 3/);
    assert.equal(notes('before_exit').length, 1);
  });

  it('runs before threads are waited for and before the functions of atexit', async (t) => {
    const app = `
import atexit, threading, hooks
END = threading.Event()
def end():
    hooks.note('before_exit')
    END.set()
def work():
    END.wait()
    hooks.note('thread')
atexit.register(hooks.note, 'atexit')
def application(environ, start_response):
    threading.Thread(target=work).start()
    start_response('200 OK', [])
    return [b'']
`;
    const files = { 'app.py': app, 'viaduct.toml': 'hooks.before_exit = "app:end"\n' };
    const { server, notes } = await serve(t, files, ['--workers', '1']);
    await ask(server.port, '/');
    await server.stop();
    assert.deepEqual(
      notes().map(({ name }) => name),
      ['before_exit', 'thread', 'atexit'],
    );
  });

  it('that hangs ends with its worker when the time of the worker is over', async (t) => {
    const toml = 'graceful_timeout_ms = "1s"\nhooks.before_exit = "hooks:waits"\n';
    const { server, notes } = await serve(t, { 'viaduct.toml': toml }, ['--workers', '1']);
    await reload(server);
    await eventually('the worker is killed', () =>
      server.output().includes('its threads, hooks or exit functions still run'),
    );
    const [first] = notes('waits');
    await eventually('the worker has ended', () => !isRunning(first?.pid ?? 0));
    assert.equal((await ask(server.port, '/')).status, 200);
  });
});

describe('a hook of the release', { concurrency: 2 }, () => {
  for (const [hook, reason] of [
    ['fails', /its hook on_ready hooks:fails failed: ValueError: the database is gone\\nTraceback/],
    ['leaves', /its hook on_ready hooks:leaves failed: SystemExit: 3/],
    ['crashes', /its hook on_ready ended its process with exit code 7/],
    ['waits', /its hook on_ready was ended, because it still ran after 2 s/],
  ] as const) {
    it(`is logged once if it ${hook}, and harms nobody`, async (t) => {
      const toml = `start_timeout_ms = "2s"\nhooks.on_ready = "hooks:${hook}"\n`;
      const { server } = await serve(t, { 'viaduct.toml': toml });
      await eventually('the failure is logged', () => reason.test(server.output()));
      assert.equal(server.output().split('The application serves, but').length, 2);
      assert.equal((await ask(server.port, '/')).status, 200);
    });
  }

  it('ends with the server, however the server ends', async (t) => {
    const { server, notes } = await serve(t, { 'viaduct.toml': 'hooks.on_ready = "hooks:waits"\n' });
    await eventually('it runs', () => notes('waits').length === 1);
    const [hook] = notes('waits') as [Note];
    process.kill(server.pid, 'SIGKILL');
    await eventually('it has ended', () => !isRunning(hook.pid));
  });

  it('has its time when the old release has nothing else to do', async (t) => {
    const app = `${APP}
def slow():
    import time
    time.sleep(1)
    hooks.note('slept')
`;
    const { server, notes } = await serve(t, { 'app.py': app, 'viaduct.toml': 'hooks.on_reload = "app:slow"\n' });
    await reload(server);
    await eventually('it has finished', () => notes('slept').length === 1);
  });
});

describe('viaduct check', () => {
  it('imports the hooks, and runs none', async (t) => {
    const project = makeProject(t, { 'app.py': APP, 'hooks.py': HOOKS, 'viaduct.toml': ALL });
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 0, output);
    assert.equal(existsSync(join(project, 'notes')), false);
  });

  it('fails for a hook that cannot be imported', async (t) => {
    const files = { 'app.py': APP, 'hooks.py': HOOKS, 'viaduct.toml': 'hooks.on_reload = "nowhere.hooks:go"\n' };
    const { code, output } = await runViaduct(makeProject(t, files), 'check');
    assert.equal(code, 1);
    assert.match(output, /its hook on_reload nowhere\.hooks:go cannot be imported: there is no module nowhere in /);
  });

  for (const [toml, error] of [
    [
      'hooks.after_fork = "hooks"',
      /hooks\.after_fork = "hooks" .*it must be MODULE:FUNCTION, such as shop\.hooks:connect/,
    ],
    ['hooks.after_fork = "hooks:go()"', /it must be MODULE:FUNCTION/],
    ['hooks.after_fork = [5]', /it must be MODULE:FUNCTION/],
    ['hooks.after_frok = "hooks:go"', /after_frok.*did you mean after_fork/],
    ['hooks = "hooks:go"', /it must be a table/],
  ] as const) {
    it(`refuses ${toml}`, async (t) => {
      const { code, output } = await runViaduct(
        makeProject(t, { 'app.py': APP, 'viaduct.toml': `${toml}\n` }),
        'check',
      );
      assert.equal(code, 2, output);
      assert.match(output, error);
    });
  }
});

describe('hooks of an application that has no workers', () => {
  const files = { 'app.ts': 'export default () => [];\n' };

  it('are an error for one in TypeScript', async (t) => {
    const toml = '[apps.page]\ntarget = "./app.ts"\nhooks.after_fork = "hooks:start"\n[[route]]\napp = "page"\n';
    const { code, output } = await runViaduct(makeProject(t, { ...files, 'viaduct.toml': toml }), 'check');
    assert.equal(code, 2);
    assert.match(output, /Cannot use apps\.page\.hooks .*: hooks are in Python, and application page is not/);
  });

  it('get a hint if there is no main application', async (t) => {
    const toml = '[hooks]\nafter_fork = "hooks:start"\n[[route]]\nrespond = { status = 204 }\n';
    const { code, output } = await runViaduct(makeProject(t, { 'viaduct.toml': toml }), 'check');
    assert.equal(code, 0, output);
    assert.match(output, /there is no main application in Python that could use them/);
  });
});

describe('the module viaduct', { concurrency: 2 }, () => {
  const DECORATED = `
import os, viaduct, hooks
IMPORTED = (viaduct.is_running(), viaduct.worker_id())
@viaduct.postfork
def start(): hooks.note('start')
@viaduct.before_exit
def end(): hooks.note('end')
def application(environ, start_response):
    if environ['PATH_INFO'] == '/late':
        @viaduct.postfork
        def late(): hooks.note('late')
    start_response('200 OK', [])
    return [f'{IMPORTED} {viaduct.is_running()} {viaduct.worker_id()} {issubclass(viaduct.RequestTimeout, Exception)}'.encode()]
`;

  it('registers functions like the hooks, and knows the worker', async (t) => {
    const files = { 'app.py': DECORATED, 'viaduct.toml': ALL };
    const { server, notes } = await serve(t, files, ['--workers', '1', '--preload']);
    assert.equal((await ask(server.port, '/')).body, '(True, 0) True 1 False');
    await ask(server.port, '/late');
    await server.stop();
    assert.deepEqual(
      notes()
        .map(({ name, worker }) => [name, worker])
        .filter(([name]) => name !== 'on_ready'),
      [
        ['after_fork', 1],
        ['second', 1],
        ['start', 1],
        ['late', 1],
        ['before_exit', 1],
        ['end', 1],
      ],
    );
  });

  it('fails the start if a registered function raises', async (t) => {
    const app = `import viaduct\n@viaduct.postfork\ndef start(): raise ValueError('no')\n${APP}`;
    const project = makeProject(t, { 'app.py': app, 'hooks.py': HOOKS });
    const { code, output } = await runViaduct(project, 'serve', '--listen', '127.0.0.1:0', '--workers', '1');
    assert.equal(code, 1);
    assert.match(output, /its function app:start, registered by viaduct\.postfork, failed: ValueError: no/);
  });

  it('has the exception that is raised at the deadline of a request', async (t) => {
    const app = `
import hooks, viaduct
def loop():
    while True: pass
def application(environ, start_response):
    try:
        loop()
    except viaduct.RequestTimeout:
        hooks.note('timeout')
        raise
`;
    const files = { 'app.py': app, 'viaduct.toml': 'request_timeout_ms = "500ms"\n' };
    const { server, notes } = await serve(t, files, ['--workers', '1']);
    assert.equal((await ask(server.port, '/')).status, 504);
    await eventually('the request has got it', () => notes('timeout').length === 1);
  });

  it('does not hide a module of the application', async (t) => {
    const app = `
import viaduct
from viaduct.names import NAME
def application(environ, start_response):
    start_response('200 OK', [])
    return [f'{viaduct.NAME} {NAME}'.encode()]
`;
    const files = { 'app.py': app, 'viaduct/__init__.py': "NAME = 'bridge'\n", 'viaduct/names.py': "NAME = 'own'\n" };
    const { server } = await serve(t, files, ['--workers', '1']);
    assert.equal((await ask(server.port, '/')).body, 'bridge own');
  });

  it("can be imported by Django's settings, which Viaduct reads before the start", async (t) => {
    const { djangoFiles } = await import('../support/project.ts');
    const { PYTHON_WITH_PACKAGES } = await import('../support/viaduct.ts');
    if (PYTHON_WITH_PACKAGES === null) return;
    const files = djangoFiles("import viaduct\nSTATIC_ROOT = BASE_DIR / 'static'\n");
    const { server } = await serve(t, files, ['--python', PYTHON_WITH_PACKAGES, '--workers', '1']);
    assert.equal((await ask(server.port, '/')).body, 'hello');
  });
});
