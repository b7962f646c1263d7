import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, fetchWhole, PROTOCOLS } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** One view for each way to take too long. Each notes in its log line what ended it. */
const VIEWS = `
import ctypes, os, socket, threading, time
from contextlib import contextmanager

HERE, THERE = socket.socketpair()
LOCK = threading.Lock()
LOCK.acquire()

def loop():
    while True:
        pass

def nothing():
    while True:
        sum(range(1000))
        yield b""

def swallow():
    while True:
        try:
            loop()
        except BaseException:
            pass

def stalls():
    yield b"first"
    loop()

WAYS = {
    "/loop": loop,
    "/sleep": lambda: time.sleep(600),
    "/socket": lambda: HERE.recv(1),
    "/lock": LOCK.acquire,
    "/gil": lambda: ctypes.PyDLL(None).sleep(600),
    "/swallow": swallow,
}

@contextmanager
def transaction(environ):
    try:
        yield
    except BaseException as error:
        environ["wsgi.errors"].write("rolled back after %s of %s\\n" % (type(error).__name__, environ["PATH_INFO"]))
        raise

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/nothing":
        start_response("200 OK", [])
        return nothing()
    if path == "/stalls":
        start_response("200 OK", [])
        return stalls()
    if path == "/until-go":
        open("waits", "w").close()
        while not os.path.exists("go"):
            time.sleep(.01)
    if path.startswith("/wait/"):
        time.sleep(float(path.split("/")[2]))
    if path in WAYS:
        with transaction(environ):
            WAYS[path]()
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]
`;

const LIMITS = ['--request-timeout-ms', '500ms', '--request-grace-ms', '500ms'];

describe('a request that takes too long', () => {
  const eachTest = eachTestLifetime();

  const start = (...args: string[]): Promise<Viaduct> => {
    const project = makeProject(eachTest, { 'app.py': VIEWS });
    return startViaduct(eachTest, ['serve', project, ...LIMITS, ...args]);
  };

  const workerOf = async ({ port }: Viaduct): Promise<number> => Number((await ask(port, '/')).body);

  for (const [path, line] of [
    ['/loop', 'in loop'],
    ['/nothing', 'in nothing'],
  ] as const) {
    it(`ends in Python code, and its worker makes room for another one that was not interrupted: ${path}`, async () => {
      const server = await start('--workers', '1', '--threads', '1', '--request-grace-ms', '60s');
      const pid = await workerOf(server);
      const answer = await ask(server.port, path);
      assert.equal(answer.status, 504);
      await eventually('the worker is replaced', async () => (await workerOf(server)) !== pid);
      await eventually('it has ended', () => !isRunning(pid));
      assert.match(server.output(), /replaces .*: a request that took too long was interrupted in it/);
      await eventually('the log has the stack', () => server.output().includes(line));
      assert.match(server.output(), /A request is answered with 504: it took too long \(\d+\.\d+ s in Python/);
      assert.match(server.output(), new RegExp(`GET ${path}`));
      assert.doesNotMatch(server.output(), /Traceback|viaduct_worker/);
    });
  }

  it('rolls back what it has started', async () => {
    const server = await start('--workers', '1', '--threads', '1');
    assert.equal((await ask(server.port, '/loop')).status, 504);
    await eventually('it is rolled back', () => server.output().includes('rolled back after RequestTimeout of /loop'));
  });

  for (const path of ['/sleep', '/socket', '/lock', '/swallow']) {
    it(`costs its worker if it does not come back from C code, or goes on: ${path}`, async () => {
      const server = await start('--workers', '1', '--threads', '2');
      const pid = await workerOf(server);
      const slow = ask(server.port, path);
      assert.equal((await slow).status, 504);
      const other = await ask(server.port, '/wait/0.4');
      assert.equal(other.status, 200, 'another thread goes on meanwhile');
      await eventually('the worker is replaced', async () => (await workerOf(server)) !== pid);
      await eventually('it has ended', () => !isRunning(pid));
      assert.match(server.output(), /a thread did not end a request that took too long/);
    });
  }

  it('lets the other threads of its worker finish what they run', async () => {
    const limits = ['--request-timeout-ms', '3s', '--request-grace-ms', '100ms'];
    const project = makeProject(eachTest, { 'app.py': VIEWS });
    const server = await startViaduct(eachTest, ['serve', project, '--workers', '1', '--threads', '2', ...limits]);
    const pid = await workerOf(server);
    const sleeping = ask(server.port, '/sleep');
    await new Promise((resolve) => setTimeout(resolve, 1500)); // so that the deadline of the other one is later
    const other = ask(server.port, '/until-go');
    await eventually('both threads are busy', () => existsSync(join(project, 'waits')));
    assert.equal((await sleeping).status, 504);
    await eventually('the worker leaves', () => /a thread did not end a request/.test(server.output()));
    writeFileSync(join(project, 'go'), '');
    const { status, body } = await other;
    assert.deepEqual([status, Number(body)], [200, pid]);
    await eventually('the worker is replaced', async () => (await workerOf(server)) !== pid);
  });

  it('differs from a worker whose interpreter is held by C code', async () => {
    const server = await start('--workers', '1', '--threads', '2');
    const pid = await workerOf(server);
    assert.equal((await ask(server.port, '/gil')).status, 504);
    await eventually('the worker is replaced', async () => (await workerOf(server)) !== pid);
    assert.match(server.output(), /C code holds the interpreter lock/);
    await eventually('its stack is in the log', () =>
      /Fatal Python error: Aborted[\s\S]*in <lambda>/.test(server.output()),
    );
  });

  it('does not take what waits behind it along', async () => {
    const server = await start('--workers', '1', '--threads', '2');
    for (let i = 0; i < 50; i += 1) await ask(server.port, '/');
    const slow = ask(server.port, '/loop');
    const others = await Promise.all(Array.from({ length: 20 }, () => ask(server.port, '/')));
    assert.deepEqual(new Set(others.map(({ status }) => status)), new Set([200]));
    assert.equal((await slow).status, 504);
  });

  it('is answered with 503 if it only waited for a worker', async () => {
    const server = await start('--workers', '1', '--threads', '1', '--request-grace-ms', '2s');
    const running = ask(server.port, '/sleep');
    const waiting = await ask(server.port, '/');
    assert.equal(waiting.status, 503);
    assert.match(waiting.header('retry-after') ?? '', /^\d+$/);
    assert.equal((await running).status, 504);
  });

  for (const protocol of PROTOCOLS) {
    it(`breaks off a response that stands still, over ${protocol}`, async () => {
      const server = await start('--workers', '1', '--threads', '1', '--stream-timeout-ms', '500ms');
      const { text, whole } = await fetchWhole(protocol, server.port, 'GET', '/stalls');
      assert.deepEqual({ text, whole }, { text: 'first', whole: false });
      assert.ok((await workerOf(server)) > 0);
      await eventually('the log has the stack', () => server.output().includes('in stalls'));
      assert.match(server.output(), /A response breaks off: its next block did not come in time/);
    });
  }

  it('has the deadline of its route', async () => {
    const project = makeProject(eachTest, {
      'app.py': VIEWS,
      'viaduct.toml':
        'access_log = "json"\nrequest_timeout_ms = "20s"\n\n[[route]]\nname = "short"\npath = "/loop"\nrequest_timeout_ms = "300ms"\n',
    });
    const server = await startViaduct(eachTest, ['serve', project, '--workers', '1']);
    assert.equal((await ask(server.port, '/wait/1')).status, 200);
    assert.equal((await ask(server.port, '/loop')).status, 504);
    await eventually('all lines name the route', () => server.output().split('"route":"short"').length > 3);
  });

  it('has no deadline in development, where a debugger may hold it', async () => {
    const server = await start('--workers', '1', '--dev');
    assert.equal((await ask(server.port, '/wait/1')).status, 200);
  });

  it('does not lose its time while the whole server is stopped', async () => {
    const server = await start('--workers', '1', '--request-timeout-ms', '2s');
    const pid = await workerOf(server);
    const answer = ask(server.port, '/wait/1');
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const one of [server.pid, pid]) process.kill(one, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2500)); // nothing reports that time has passed for a stopped process
    for (const one of [pid, server.pid]) process.kill(one, 'SIGCONT');
    assert.equal((await answer).status, 200);
  });
});
