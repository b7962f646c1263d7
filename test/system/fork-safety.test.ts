import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** Answers with its process, that of its import, and the threads that are not Viaduct's. `BEFORE` is what the import starts. */
const application = (before: string): string => `
import json, os, threading
${before}
IMPORTED = os.getpid()
def application(environ, start_response):
    names = sorted(thread.name for thread in threading.enumerate() if not thread.name.startswith('viaduct'))
    start_response('200 OK', [])
    return [json.dumps({'worker': os.getpid(), 'imported': IMPORTED, 'threads': names}).encode()]
`;

interface Answer {
  readonly worker: number;
  readonly imported: number;
  readonly threads: readonly string[];
}

const ON_LINUX = process.platform === 'linux';
const UNSAFE = /The import of the application leaves what forked workers cannot share: (.*?)\. (?:So each|A thread)/;

const STARTS: readonly (readonly [what: string, code: string, found: RegExp, thread: RegExp])[] = [
  [
    'a thread',
    "import time\nthreading.Thread(target=time.sleep, args=(600,), name='refresh-prices', daemon=True).start()",
    /^thread refresh-prices \(time:sleep\)$/,
    /^refresh-prices$/,
  ],
  [
    'a listener of log records',
    'import logging.handlers, queue\nlogging.handlers.QueueListener(queue.SimpleQueue()).start()',
    /^thread .* \(logging\.handlers:QueueListener\._monitor\)$/,
    /monitor|^Thread-/,
  ],
  [
    'an executor that has worked',
    'from concurrent.futures import ThreadPoolExecutor\nPOOL = ThreadPoolExecutor(1, "prices")\nPOOL.submit(int).result()',
    /^thread prices_0 \(concurrent\.futures\.thread:_worker\)$/,
    /^prices_0$/,
  ],
];

async function serve(t: TestContext, files: Readonly<Record<string, string>>, ...args: string[]): Promise<Viaduct> {
  const project = makeProject(t, files);
  return startViaduct(t, ['serve', project, '--workers', '2', '--threads', '1', '--access-log', 'off', ...args]);
}

async function answerOf(server: Viaduct): Promise<Answer> {
  return JSON.parse((await ask(server.port, '/')).body) as Answer;
}

/** A server of another kind, such as a database. `connections` are those that are open. */
async function startPeer(t: TestContext): Promise<{ port: number; connections: Set<Socket> }> {
  const connections = new Set<Socket>();
  const peer = createServer((socket) => {
    connections.add(socket.on('error', () => {}).once('close', () => connections.delete(socket)));
    socket.resume();
  });
  t.after(() => {
    for (const socket of connections) socket.destroy();
    peer.close();
  });
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  return { port: (peer.address() as { port: number }).port, connections };
}

describe('an application whose import leaves what a fork cannot share', { concurrency: 2 }, () => {
  for (const [what, code, found, thread] of ON_LINUX ? STARTS : []) {
    it(`is imported in each worker if it is ${what}`, async (t) => {
      const server = await serve(t, { 'app.py': application(code) });
      assert.match(UNSAFE.exec(server.output())?.[1] ?? server.output(), found);
      const { worker, imported, threads } = await answerOf(server);
      assert.equal(imported, worker);
      assert.ok(
        threads.some((name) => thread.test(name)),
        threads.join(),
      );
    });
  }

  it('runs the jobs of APScheduler in each worker', { skip: NO_PACKAGES }, async (t) => {
    const scheduler = `
from apscheduler.schedulers.background import BackgroundScheduler
RAN = threading.Event()
SCHEDULER = BackgroundScheduler()
SCHEDULER.add_job(RAN.set, 'interval', seconds=0.1)
SCHEDULER.start()
`;
    const wait = application(scheduler).replace('    names =', '    RAN.wait(20)\n    names =');
    const server = await serve(t, { 'app.py': wait }, '--python', PYTHON_WITH_PACKAGES ?? '');
    if (ON_LINUX) {
      const found = /thread APScheduler \(apscheduler\.schedulers\.\w+:\w+\._main_loop\)/;
      assert.match(UNSAFE.exec(server.output())?.[1] ?? server.output(), found);
    }
    const { worker, imported, threads } = await answerOf(server);
    assert.equal(imported, worker);
    assert.ok(threads.includes('APScheduler'), threads.join());
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });

  it('has a connection for each worker, and none of the import that was given up', async (t) => {
    const { port, connections } = await startPeer(t);
    const connect = `import socket\nPEER = socket.create_connection(('127.0.0.1', ${port}))`;
    const server = await serve(t, { 'app.py': application(connect) }, '--no-preload');
    await eventually('each worker is connected', () => connections.size === 2);
    await server.stop();
    await eventually('the connections are closed', () => connections.size === 0);
    if (!ON_LINUX) return;
    const second = await serve(t, { 'app.py': application(connect) });
    assert.equal(UNSAFE.exec(second.output())?.[1], `a connection to 127.0.0.1:${port}`);
    await eventually('each worker is connected', () => connections.size === 2);
    const { worker, imported } = await answerOf(second);
    assert.equal(imported, worker);
  });

  it('is shared all the same if somebody wrote preload = true', async (t) => {
    const [, code = ''] = STARTS[0] ?? [];
    const server = await serve(t, { 'app.py': application(code), 'viaduct.toml': 'preload = true\n' });
    assert.match(server.output(), /leaves what forked workers cannot share: thread refresh-prices/);
    assert.match(server.output(), /Start and open them in the hook after_fork, or set preload = false/);
    const { worker, imported, threads } = await answerOf(server);
    assert.notEqual(imported, worker);
    assert.deepEqual(threads, ['MainThread']);
  });

  it('is looked at again at each reload, and reported once each time', async (t) => {
    const [, code = ''] = STARTS[0] ?? [];
    const server = await serve(t, { 'app.py': application(code) });
    const count = (): number => server.output().split('cannot share').length - 1;
    const first = count();
    process.kill(server.pid, 'SIGHUP');
    await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
    assert.deepEqual([first, count()], ON_LINUX ? [1, 2] : [0, 0]);
    const { worker, imported } = await answerOf(server);
    assert.equal(imported, worker);
  });

  it('is not imported by a zygote if preload is off', async (t) => {
    const [, code = ''] = STARTS[0] ?? [];
    const server = await serve(t, { 'app.py': application(code) }, '--no-preload');
    assert.doesNotMatch(server.output(), /refresh-prices/);
  });

  it('gets a warning from viaduct check', async (t) => {
    const [, code = ''] = STARTS[0] ?? [];
    const { code: status, output } = await runViaduct(
      makeProject(t, { 'app.py': application(code) }),
      'check',
      '--preload',
    );
    assert.equal(status, 0, output);
    assert.match(output, /warning +The import of the application leaves .*thread refresh-prices/);
  });

  it('starts with the environment, the directory and the descriptors of a first start', async (t) => {
    const [, code = ''] = STARTS[0] ?? [];
    const change = `
import os, sys
SEEN = [os.environ.get('CHANGED'), os.getcwd() == os.path.dirname(os.path.abspath(__file__)), os.path.exists('/proc/self/fd/77')]
os.environ['CHANGED'] = 'yes'
os.set_inheritable(os.dup2(os.open(os.devnull, os.O_RDONLY), 77), True)
os.write(1, f'seen {SEEN}\\n'.encode())
os.chdir('/')
${code}
`;
    const server = await serve(t, { 'app.py': application(change) });
    const seen = (): readonly string[] => server.output().match(/seen \[.*?\]/g) ?? [];
    await eventually('each import has written', () => seen().length === (ON_LINUX ? 3 : 2));
    assert.deepEqual([...new Set(seen())], ['seen [None, True, False]']);
  });
});

describe('an application that can be forked', { concurrency: 2 }, () => {
  it('is shared although it has sockets that harm nobody', async (t) => {
    const harmless = `
import socket, sqlite3
LOG = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
LOG.connect(('127.0.0.1', 9))
LISTENER = socket.create_server(('127.0.0.1', 0))
PAIR = socket.socketpair()
READ = sqlite3.connect(':memory:')
thread = threading.Thread(target=print)
thread.start()
thread.join()
`;
    const server = await serve(t, { 'app.py': application(harmless) }, ...(ON_LINUX ? [] : ['--preload']));
    assert.doesNotMatch(server.output(), /cannot share/);
    const { worker, imported } = await answerOf(server);
    assert.notEqual(imported, worker);
  });
});
