import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import {
  PYTHON_WITH_OLD_GEVENT,
  PYTHON_WITH_PACKAGES,
  runViaduct,
  startViaduct,
  type Viaduct,
} from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

interface Patched {
  readonly name: string;
  /** What the application does first. */
  readonly patch: string;
  readonly python: string | null;
}

/** An application that replaces threads by its own, as libraries for measurements do. */
const OWN_THREADS = `
import _thread, threading
start = _thread.start_new_thread
def counted(*arguments, **options):
    return start(*arguments, **options)
class Thread(threading.Thread):
    def start(self):
        raise RuntimeError('only the application starts such threads')
_thread.start_new_thread = threading._start_new_thread = counted
threading.Thread = Thread
def refuse(*_):
    raise RuntimeError('only the application waits')
threading.enumerate = threading.current_thread = refuse
`;

const PATCHED: readonly Patched[] = [
  { name: 'gevent', patch: 'from gevent import monkey\nmonkey.patch_all()', python: PYTHON_WITH_PACKAGES },
  { name: 'gevent 25.8', patch: 'from gevent import monkey\nmonkey.patch_all()', python: PYTHON_WITH_OLD_GEVENT },
  {
    name: 'eventlet',
    patch: 'import eventlet\neventlet.monkey_patch()',
    python: PYTHON_WITH_PACKAGES,
  },
  { name: 'threads of its own', patch: OWN_THREADS, python: PYTHON_WITH_PACKAGES },
];

/** The import waits and talks to a server, so that there is a hub. Each request talks to the server, too. */
const application = ({ patch }: Patched, port: number): string => `
${patch}
import os, socket, subprocess, time
def echo(text):
    with socket.create_connection(('127.0.0.1', ${port})) as connection:
        connection.sendall(text)
        received = b''
        while len(received) < len(text):
            received += connection.recv(100)
        assert received == text, received
time.sleep(0.001)
echo(b'import')
IMPORTED = os.getpid()
def application(environ, start_response):
    for number in range(5):
        echo(b'%d of %d' % (number, os.getpid()))
        time.sleep(0.001)
    if not environ['wsgi.multithread']:  # gevent starts programs in the first thread only
        assert subprocess.run(['echo', 'hello'], capture_output=True).stdout == b'hello\\n'
    body = environ['wsgi.input'].read()
    start_response('200 OK', [])
    return [b'%d %d %d' % (os.getpid(), IMPORTED, len(body))]
`;

async function startEcho(t: TestContext): Promise<number> {
  const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  t.after(() => echo.close());
  return (echo.address() as { port: number }).port;
}

async function answers(server: Viaduct, count: number): Promise<readonly string[]> {
  const all = await Promise.all(Array.from({ length: count }, () => ask(server.port, '/')));
  for (const { status, body } of all) assert.match(`${status} ${body}`, /^200 \d+ \d+ 0$/);
  return all.map(({ body }) => body);
}

/** The processes that have this variable in their environment. */
function processesWith(variable: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && isRunning(Number(pid)) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(variable)
      );
    } catch {
      return false; // it has ended, or belongs to another user
    }
  });
}

for (const patched of PATCHED) {
  const { name, python } = patched;
  const skip = python === null ? `there is no environment with ${name}` : false;

  describe(`an application with ${name}`, { skip }, () => {
    for (const preload of ['preload', 'no-preload']) {
      it(`answers, is replaced, reloaded and stopped, with ${preload}`, async (t) => {
        const app = application(patched, await startEcho(t));
        const project = makeProject(t, { 'app.py': app });
        const mark = `TEST_PROJECT=${project}`;
        const args = ['serve', project, '--python', python ?? '', '--workers', '2', '--threads', '2', `--${preload}`];
        const server = await startViaduct(t, [...args, '--access-log', 'off'], { env: { TEST_PROJECT: project } });
        const [worker = '', imported] = (await answers(server, 24))[0]?.split(' ') ?? [];
        assert.equal(worker === imported, preload === 'no-preload');
        const upload = await ask(server.port, '/', { method: 'POST', body: 'x'.repeat(300_000) });
        assert.match(upload.body, / 300000$/);

        process.kill(Number(worker), 'SIGKILL');
        await eventually('a new worker answers', async () => new Set(await answers(server, 8)).size === 2);
        process.kill(server.pid, 'SIGHUP');
        await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
        await answers(server, 24);
        await eventually('one zygote and its workers are left', () => processesWith(mark).length === 4);
        assert.doesNotMatch(server.output(), /Traceback/);

        await server.stop();
        assert.deepEqual(await server.exited, { code: 0, signal: null });
        assert.deepEqual(processesWith(mark), []);
      });

      it(`leaves no process when the server is killed, with ${preload}`, async (t) => {
        const app = application(patched, await startEcho(t));
        const project = makeProject(t, { 'app.py': app });
        const args = ['serve', project, '--python', python ?? '', '--workers', '2', '--threads', '1', `--${preload}`];
        const server = await startViaduct(t, args, { env: { TEST_PROJECT: project } });
        await answers(server, 2);
        process.kill(server.pid, 'SIGKILL');
        await eventually('nothing is left', () => processesWith(`TEST_PROJECT=${project}`).length === 0);
      });
    }

    it('is checked', async (t) => {
      const project = makeProject(t, { 'app.py': application(patched, await startEcho(t)) });
      const { code, output } = await runViaduct(project, 'check', '--python', python ?? '');
      assert.equal(code, 0, output);
      assert.match(output, /The application can be served/);
      assert.doesNotMatch(output, /cannot share/);
    });
  });
}

describe('a connection that the import of a patched application has left', () => {
  for (const { name, patch, python } of PATCHED.slice(0, 3)) {
    it(`is not shared by the workers, with ${name}`, { skip: python === null }, async (t) => {
      const port = await startEcho(t);
      const app = `
${patch}
import os, socket
CONNECTION = socket.create_connection(('127.0.0.1', ${port}))
IMPORTED = os.getpid()
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'%d %d 0' % (os.getpid(), IMPORTED)]
`;
      const project = makeProject(t, { 'app.py': app });
      const server = await startViaduct(t, ['serve', project, '--python', python ?? '', '--workers', '2']);
      assert.match(server.output(), new RegExp(`cannot share: a connection to 127\\.0\\.0\\.1:${port}\\. So each`));
      const [worker, imported] = (await answers(server, 1))[0]?.split(' ') ?? [];
      assert.equal(worker, imported);
    });
  }
});

describe('an interpreter that is patched before Viaduct runs in it', () => {
  for (const { name, patch, python } of PATCHED.slice(0, 3)) {
    for (const preload of ['preload', 'no-preload']) {
      it(`serves, reloads and stops, with ${name} and ${preload}`, { skip: python === null }, async (t) => {
        const app = application({ name, patch: '', python }, await startEcho(t));
        const project = makeProject(t, {
          'app.py': app,
          'early/sitecustomize.py': `${patch}\nimport time\ntime.sleep(0)`,
        });
        const env = { TEST_PROJECT: project, PYTHONPATH: join(project, 'early'), PYTHONWARNINGS: 'ignore' };
        const args = ['serve', project, '--python', python ?? '', '--workers', '2', '--threads', '2', `--${preload}`];
        const server = await startViaduct(t, args, { env });
        await answers(server, 24);
        process.kill(server.pid, 'SIGHUP');
        await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
        await answers(server, 8);
        await server.stop();
        assert.deepEqual(await server.exited, { code: 0, signal: null });
        assert.deepEqual(processesWith(`TEST_PROJECT=${project}`), []);
        assert.doesNotMatch(server.output(), /Traceback/);
      });
    }
  }
});
