import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { CTRL_C, startTerminal } from '../support/sidecars.ts';
import { BIN, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** A project whose interpreter notes each of its starts, and does `first` at the first one. */
function project(t: TestContext, first = ''): string {
  const directory = makeProject(t, { 'app.py': WSGI_APP, starts: '' });
  const note = 'case "$2" in --wait) echo waiting;; *) basename "$1";; esac >> starts';
  const once = `if [ "$2" = --wait ]; then ${first === '' ? ':' : first}; fi`;
  writeFileSync(join(directory, 'python'), `#!/bin/sh\n${note}\n${once}\nexec python3 "$@"\n`);
  chmodSync(join(directory, 'python'), 0o755);
  return directory;
}

function startsIn(directory: string): string[] {
  return readFileSync(join(directory, 'starts'), 'utf8').trim().split('\n');
}

const ARGUMENTS = ['serve', '--python', './python', '--workers', '1'];

describe('the interpreter that finds the project', () => {
  it('becomes the zygote, so that only one starts', async (t) => {
    const directory = project(t);
    const server = await startViaduct(t, ARGUMENTS, { cwd: directory });
    assert.equal((await ask(server.port, '/')).body, 'hello');
    assert.deepEqual(startsIn(directory), ['waiting']);
  });

  for (const [how, first] of [
    ['a signal ends', 'kill -QUIT $$'],
    ['an error ends', 'exit 3'],
    ['nothing connects', 'exec sleep 0.1 3>&-'],
  ] as const) {
    it(`is followed by others if ${how} it`, async (t) => {
      const directory = project(t, first);
      const server = await startViaduct(t, ARGUMENTS, { cwd: directory });
      assert.equal((await ask(server.port, '/')).body, 'hello');
      assert.deepEqual(startsIn(directory), ['waiting', 'inspect_project.py', 'viaduct_worker']);
    });
  }

  it('writes nothing into the terminal when Ctrl-C ends it before it can take signals', async (t) => {
    const slow = `
import sys, time
if '--wait' in sys.orig_argv:
    open('importing', 'w').close()
    time.sleep(60)
`;
    const directory = makeProject(t, { 'app.py': WSGI_APP, 'early/sitecustomize.py': slow });
    const command = [process.execPath, BIN, 'serve', '--workers', '1', '--listen', '127.0.0.1:0'];
    const terminal = startTerminal(t, command, directory, { PYTHONPATH: join(directory, 'early') });
    await eventually('the interpreter starts', () => existsSync(join(directory, 'importing')));
    terminal.type(CTRL_C);
    assert.equal(await terminal.exited, 130);
    assert.doesNotMatch(terminal.output(), /Traceback|KeyboardInterrupt|Error/);
  });

  for (const [how, first, expected] of [
    [
      'nothing if Ctrl-C ends it',
      "signal.signal(signal.SIGINT, end)\n    open('importing', 'w').close()\n    time.sleep(60)",
      /^(?!.*Traceback)/s,
    ],
    [
      'why it ended by itself',
      "open('importing', 'w').close()\n    os.write(2, b'the disk is on fire\\n')\n    os._exit(3)",
      /the disk is on fire/,
    ],
  ] as const) {
    it(`starts as a zygote and writes into the terminal ${how}`, async (t) => {
      const isEnded = how.startsWith('nothing');
      const slow = `
import os, signal, sys, time
def end(*_):
    os.write(2, b'Traceback, as Python writes one\\n')
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
if sys.orig_argv[1:2] and sys.orig_argv[1].endswith('viaduct_worker') and '--wait' not in sys.orig_argv:
    ${first}
`;
      const directory = makeProject(t, { 'app.py': WSGI_APP, 'early/sitecustomize.py': slow });
      const command = [process.execPath, BIN, 'serve', '--workers', '2', '--processes', '2', '--listen', '127.0.0.1:0'];
      const terminal = startTerminal(t, command, directory, { PYTHONPATH: join(directory, 'early') });
      await eventually('the zygote starts', () => existsSync(join(directory, 'importing')));
      if (isEnded) terminal.type(CTRL_C);
      const code = await terminal.exited;
      assert.equal(code, isEnded ? 130 : 1);
      assert.match(terminal.output(), expected);
    });
  }

  it('is not used by several server processes, which start their own', async (t) => {
    const directory = project(t);
    const server = await startViaduct(t, [...ARGUMENTS, '--processes', '2'], { cwd: directory });
    assert.equal((await ask(server.port, '/')).body, 'hello');
    assert.deepEqual(startsIn(directory), ['inspect_project.py', 'viaduct_worker', 'viaduct_worker']);
  });

  it('ends if the server cannot start', async (t) => {
    const directory = project(t);
    const occupied = createServer();
    t.after(() => occupied.close());
    await new Promise<void>((resolve) => occupied.listen(0, '127.0.0.1', resolve));
    const listen = `127.0.0.1:${(occupied.address() as AddressInfo).port}`;
    const server = await startViaduct(t, ARGUMENTS, { cwd: directory, listen, awaitReady: false });
    assert.equal((await server.exited).code, 1);
    assert.match(server.output(), /Cannot listen/);
    assert.deepEqual(startsIn(directory), ['waiting']);
    await eventually('it has ended', () => processesIn(directory).length === 0);
  });

  it('is read from the start on, however much Python writes', async (t) => {
    const directory = project(t, 'head -c 300000 /dev/zero | tr "\\\\0" x >&2; echo >&2');
    const server = await startViaduct(t, ARGUMENTS, { cwd: directory });
    assert.equal((await ask(server.port, '/')).body, 'hello');
    assert.deepEqual(startsIn(directory), ['waiting']);
    assert.ok(server.output().length > 300_000);
  });

  it('ends with the server while the settings keep the interpreter to themselves', async (t) => {
    const directory = project(t);
    const files = {
      'manage.py': "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
      'shop/settings.py': '',
      'django/__init__.py': '',
      'django/conf/__init__.py': "open('reached', 'w').close()\nimport re\nre.match(r'(a+)+$', 'a' * 60 + 'b')\n",
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    rmSync(join(directory, 'app.py'));
    const server = await startViaduct(t, ARGUMENTS, { cwd: directory, awaitReady: false });
    await eventually('the settings are imported', () => existsSync(join(directory, 'reached')));
    process.kill(server.pid, 'SIGKILL');
    await eventually('it has ended', () => processesIn(directory).length === 0);
  });

  it('ends if the server is killed while it waits', async (t) => {
    const directory = project(t, 'echo $$ > pid; sleep 0.5');
    const server = await startViaduct(t, ARGUMENTS, { cwd: directory, awaitReady: false });
    await eventually('it has started', () => startsIn(directory).includes('waiting'));
    process.kill(server.pid, 'SIGKILL');
    await eventually('it has ended', () => processesIn(directory).length === 0);
  });
});

/** The processes whose working directory is `directory`. */
function processesIn(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === directory;
    } catch {
      return false; // it has ended, or belongs to another user
    }
  });
}
