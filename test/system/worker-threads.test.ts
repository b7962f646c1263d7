import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** `/thread` and `/pool` start work that writes the file `done` when the file `go` exists. `/endless` starts work without an end. */
const BACKGROUND = `
import os, threading, time
from concurrent.futures import ThreadPoolExecutor
POOL = ThreadPoolExecutor(2)
def work():
    open('started', 'w').close()
    while not os.path.exists('go'):
        time.sleep(.01)
    open('done', 'w').close()
def endless():
    while True:
        time.sleep(.01)
def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/thread': threading.Thread(target=work).start()
    if path == '/pool': POOL.submit(work)
    if path == '/endless': threading.Thread(target=endless).start()
    if path == '/lane':
        time.sleep(.05)
        start_response('200 OK', [])
        child = threading.Thread(target=print)
        return [b'%d %s' % (threading.get_ident(), b'daemon' if child.daemon else b'waited for')]
    if path == '/daemon': threading.Thread(target=endless, daemon=True).start()
    start_response('200 OK', [])
    return [b'%d' % os.getpid()]
`;

/** Generators that produce nothing, and write the file `closed` when they are closed. */
const NEWS = `
import time
def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/hello':
        start_response('200 OK', [])
        return [b'hello']
    def wait_for_news():
        try:
            if path == '/started': yield b'started'
            while True:
                open('waits', 'w').close()
                yield b''
                time.sleep(.01)
        finally:
            open('closed', 'w').close()
    if path != '/late': start_response('200 OK', [])
    return wait_for_news()
`;

async function serve(t: TestContext, app: string, ...args: string[]): Promise<{ server: Viaduct; project: string }> {
  const project = makeProject(t, { 'app.py': app });
  const server = await startViaduct(t, ['serve', project, '--workers', '1', '--access-log', 'off', ...args]);
  return { server, project };
}

describe('work that a view started', { concurrency: 2 }, () => {
  for (const kind of ['thread', 'pool']) {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      it(`finishes when the server gets ${signal}: a ${kind}`, async (t) => {
        const { server, project } = await serve(t, BACKGROUND);
        const worker = Number((await ask(server.port, `/${kind}`)).body);
        await eventually('it runs', () => existsSync(join(project, 'started')));
        process.kill(server.pid, signal);
        if (signal === 'SIGHUP') await eventually('the reload is over', () => /Reloaded in/.test(server.output()));
        assert.ok(isRunning(worker));
        writeFileSync(join(project, 'go'), '');
        await eventually('the worker has ended', () => !isRunning(worker));
        assert.ok(existsSync(join(project, 'done')));
        if (signal === 'SIGTERM') assert.equal((await server.exited).code, 0);
      });
    }
  }

  it('finishes whichever of the threads of a worker ran the view', async (t) => {
    const { server, project } = await serve(t, BACKGROUND, '--threads', '3');
    const lanes = new Set<string>();
    const worker = Number((await ask(server.port, '/thread')).body);
    await eventually('each thread has run a view', async () => {
      const answers = await Promise.all(['/lane', '/lane', '/lane'].map((path) => ask(server.port, path)));
      for (const { body } of answers) lanes.add(body);
      return lanes.size === 3;
    });
    process.kill(server.pid, 'SIGHUP');
    await eventually('the reload is over', () => /Reloaded in/.test(server.output()));
    assert.ok(isRunning(worker));
    assert.deepEqual(
      [...lanes].filter((lane) => lane.endsWith('daemon')),
      [],
    );
    writeFileSync(join(project, 'go'), '');
    await eventually('the worker has ended', () => !isRunning(worker));
  });

  it('is cut off after the grace period of a reload, with a message', async (t) => {
    const { server } = await serve(t, BACKGROUND, '--graceful-timeout-ms', '1s');
    const worker = Number((await ask(server.port, '/endless')).body);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the worker has ended', () => !isRunning(worker));
    const reason = /its threads, hooks or exit functions still run 1 s after its last request/;
    await eventually('the log says why', () => reason.test(server.output()));
  });

  it('is not waited for when its thread is a daemon', async (t) => {
    const { server } = await serve(t, BACKGROUND, '--graceful-timeout-ms', '1h');
    const worker = Number((await ask(server.port, '/daemon')).body);
    process.kill(server.pid, 'SIGTERM');
    assert.equal((await server.exited).code, 0);
    assert.ok(!isRunning(worker));
  });
});

describe('a generator that produces nothing', { concurrency: 2 }, () => {
  for (const path of ['/news', '/started', '/late']) {
    it(`is closed when its client leaves: ${path}`, async (t) => {
      const { server, project } = await serve(t, NEWS, '--threads', '1');
      const client = await SocketClient.open(server.port);
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await eventually('it runs', () => existsSync(join(project, 'waits')));
      // While a response is sent, nothing tells a client that has gone from one that only sends no more (docs/http.md).
      if (path === '/started') client.socket.resetAndDestroy();
      else client.close();
      await eventually('it is closed', () => existsSync(join(project, 'closed')));
      assert.equal((await ask(server.port, '/hello')).body, 'hello');
      assert.doesNotMatch(server.output(), /Error|Traceback/);
    });
  }

  it('is closed when its client left before it was its turn', async (t) => {
    const { server, project } = await serve(t, NEWS, '--threads', '1');
    const first = await SocketClient.open(server.port);
    first.send('GET /news HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the first one runs', () => existsSync(join(project, 'waits')));
    const second = await SocketClient.open(server.port);
    second.send('GET /late HTTP/1.1\r\nHost: a\r\n\r\n');
    await second.flushed();
    second.close();
    first.close();
    assert.equal((await ask(server.port, '/hello')).body, 'hello');
  });

  it('is closed when a stream of HTTP/2 is reset', async (t) => {
    const { server, project } = await serve(t, NEWS, '--threads', '1', '--tls-self-signed', '--listen', '127.0.0.1:0');
    const { connect } = await import('node:http2');
    const session = connect(server.url.replace('http:', 'https:'), { rejectUnauthorized: false });
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/news' });
    stream.on('error', () => {});
    await eventually('it runs', () => existsSync(join(project, 'waits')));
    stream.close(8);
    await eventually('it is closed', () => existsSync(join(project, 'closed')));
  });
});

describe('an application', { concurrency: 2 }, () => {
  it('that sets a default timeout for sockets does not end an idle worker', async (t) => {
    const { server } = await serve(
      t,
      `
import os, socket
socket.setdefaulttimeout(.05)
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'%d' % os.getpid()]
`,
    );
    const worker = (await ask(server.port, '/')).body;
    await new Promise((resolve) => setTimeout(resolve, 300)); // longer than the time-out, which must have no effect
    assert.equal((await ask(server.port, '/')).body, worker);
  });

  it('that replaces parts of the standard library, as gevent does, is served, replaced and stopped', async (t) => {
    const { server } = await serve(
      t,
      `
import _thread, os, select, signal, socket, threading
def refuse(*_, **__):
    raise RuntimeError('the original is not used')
for module, names in (
    (_thread, 'start_new_thread allocate_lock'),
    (threading, '_start_new_thread _start_joinable_thread _allocate_lock Lock Thread'),
    (socket, 'socket create_connection'),
    (select, 'select poll epoll'),
    (os, 'fork waitpid wait read write'),
    (signal, 'signal set_wakeup_fd'),
):
    for name in names.split():
        if hasattr(module, name): setattr(module, name, refuse)
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'%d' % os.getpid()]
`,
    );
    const worker = Number((await ask(server.port, '/')).body);
    assert.ok(worker > 1);
    assert.deepEqual(
      new Set((await Promise.all(Array.from({ length: 20 }, () => ask(server.port, '/')))).map(({ status }) => status)),
      new Set([200]),
    );
    process.kill(worker, 'SIGKILL');
    const { status, body } = await ask(server.port, '/');
    assert.equal(status, 200);
    assert.notEqual(Number(body), worker);
    process.kill(server.pid, 'SIGTERM');
    assert.equal((await server.exited).code, 0);
    assert.ok(!isRunning(Number(body)));
  });
});
