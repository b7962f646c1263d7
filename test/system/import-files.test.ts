import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const SKIP = process.platform === 'linux' ? NO_PACKAGES : 'only Linux shows which files are open';

/** Adds one upload to a database of ZODB for each PUT, and answers with the process and the number of uploads. */
const ZODB = `
import os, ZODB, ZODB.FileStorage
from BTrees.OOBTree import OOBTree
from ZODB.POSException import ConflictError
DATABASE = ZODB.DB(ZODB.FileStorage.FileStorage('Data.fs'))
with DATABASE.transaction() as connection:
    connection.root().setdefault('uploads', OOBTree())
def stored(path, content):
    with DATABASE.transaction() as connection:
        uploads = connection.root()['uploads']
        if content:
            uploads[path] = content
        return b'%d %d' % (os.getpid(), len(uploads))
def application(environ, start_response):
    content = environ['wsgi.input'].read()
    while True:
        try: # threads that write at the same time may conflict; then ZODB wants the transaction again
            found = stored(environ['PATH_INFO'], content)
            break
        except ConflictError:
            pass
    start_response('200 OK', [])
    return [found]
`;

/** Answers with its process and that of its import. */
const answering = (before: string): string => `
import os
${before}
IMPORTED = os.getpid()
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'%d %d' % (os.getpid(), IMPORTED)]
`;

function serve(t: TestContext, project: string, ...args: string[]): Promise<Viaduct> {
  const fixed = ['serve', project, '--python', PYTHON_WITH_PACKAGES ?? '', '--access-log', 'off'];
  return startViaduct(t, [...fixed, ...args]);
}

/** What the log says the import has left. */
function found(server: Viaduct): string | undefined {
  return /leaves what forked workers cannot share: (.*?)\. So each/.exec(server.output())?.[1];
}

async function upload(server: Viaduct, from: number, to: number): Promise<void> {
  const paths = Array.from({ length: to - from }, (_, index) => `/${from + index}`);
  const results = await Promise.all(paths.map((path) => ask(server.port, path, { method: 'PUT', body: 'content' })));
  for (const { status } of results) assert.equal(status, 200);
}

describe('a database file that the import opens', { skip: SKIP, concurrency: 2 }, () => {
  it('keeps every upload of ZODB, over a crash and a restart, with one worker', async (t) => {
    const project = makeProject(t, { 'app.py': ZODB });
    const server = await serve(t, project, '--workers', '1');
    assert.equal(
      found(server)
        ?.split(', ')
        .includes(`a lock on ${join(project, 'Data.fs.lock')}`),
      true,
    );
    assert.equal(
      found(server)
        ?.split(', ')
        .includes(`the writable file ${join(project, 'Data.fs')}`),
      true,
    );
    await upload(server, 0, 20);
    const [worker] = (await ask(server.port, '/')).body.split(' ');
    process.kill(Number(worker), 'SIGKILL');
    await upload(server, 20, 40);
    const [second, count] = (await ask(server.port, '/')).body.split(' ');
    assert.notEqual(second, worker);
    assert.equal(count, '40');
    await server.stop();
    const again = await serve(t, project, '--workers', '1');
    assert.match((await ask(again.port, '/')).body, / 40$/);
  });

  it('is said to be for one worker, by a start, by viaduct check and by a reload', async (t) => {
    const project = makeProject(t, { 'app.py': ZODB });
    const several = await startViaduct(
      t,
      ['serve', project, '--python', PYTHON_WITH_PACKAGES ?? '', '--workers', '3'],
      { awaitReady: false },
    );
    assert.equal((await several.exited).code, 1);
    assert.match(several.output(), /LockError: Couldn't lock .*\n.*only one process at a time .*write workers = 1/);
    const { code, output } = await runViaduct(project, 'check', '--python', PYTHON_WITH_PACKAGES ?? '');
    assert.equal(code, 0, output);
    assert.match(output, /warning .*a lock on .*write workers = 1/);

    const server = await serve(t, project, '--workers', '1');
    await upload(server, 0, 5);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the reload has failed', () => /Couldn't lock/.test(server.output()));
    await eventually('it says what to do', () => /restart instead of reloading/.test(server.output()));
    await upload(server, 5, 10);
    assert.match((await ask(server.port, '/')).body, / 10$/);
  });

  it('is not shared if it is LevelDB, which locks it', async (t) => {
    const app = answering("import plyvel\nDATABASE = plyvel.DB('levels', create_if_missing=True)");
    const project = makeProject(t, { 'app.py': app });
    const server = await serve(t, project, '--workers', '1');
    assert.match(found(server) ?? '', new RegExp(`a lock on ${join(project, 'levels/LOCK')}`));
    const [worker, imported] = (await ask(server.port, '/')).body.split(' ');
    assert.equal(worker, imported);
  });

  it('is opened by each worker if it is SQLite', async (t) => {
    const open =
      "import sqlite3\nDATABASE = sqlite3.connect('shop.db')\nDATABASE.execute('CREATE TABLE IF NOT EXISTS a (b)')";
    const project = makeProject(t, { 'app.py': answering(open) });
    const server = await serve(t, project, '--workers', '2');
    assert.equal(found(server), `the writable file ${join(project, 'shop.db')}`);
    const [worker, imported] = (await ask(server.port, '/')).body.split(' ');
    assert.equal(worker, imported);
  });

  it('may be locked by one of several workers, which then runs the jobs', async (t) => {
    const lock = `
import fcntl
LOCK = open('jobs.lock', 'w')
try:
    fcntl.flock(LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with open('holders', 'a') as holders: holders.write(f'{os.getpid()}\\n')
except BlockingIOError:
    pass
`;
    const project = makeProject(t, { 'app.py': answering(lock) });
    const server = await serve(t, project, '--workers', '3');
    assert.equal(found(server), `a lock on ${join(project, 'jobs.lock')}`);
    await ask(server.port, '/');
  });

  it('is shared if it is a log, shared memory or a file without a name', async (t) => {
    const open = `
import logging, logging.handlers, multiprocessing, tempfile
from multiprocessing.shared_memory import SharedMemory
logging.basicConfig(filename='a.log')
logging.getLogger('b').addHandler(logging.handlers.RotatingFileHandler('b.log'))
logging.getLogger('c').addHandler(logging.FileHandler('c.log', mode='w'))
NUMBER = multiprocessing.Value('i')
MEMORY = SharedMemory(create=True, size=100)
FILE = tempfile.TemporaryFile()
READ = open(__file__)
`;
    const project = makeProject(t, { 'app.py': answering(open) });
    const server = await serve(t, project, '--workers', '1');
    assert.doesNotMatch(server.output(), /cannot share/);
    const [worker, imported] = (await ask(server.port, '/')).body.split(' ');
    assert.notEqual(worker, imported);
  });
});

describe('a channel of gRPC that the import makes', { skip: SKIP }, () => {
  it('works in each worker, over calls from all of them', async (t) => {
    const echo = `
import grpc
from concurrent.futures import ThreadPoolExecutor
class Echo(grpc.GenericRpcHandler):
    def service(self, call):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server = grpc.server(ThreadPoolExecutor(4), handlers=[Echo()])
print(server.add_insecure_port('127.0.0.1:0'), flush=True)
server.start()
server.wait_for_termination()
`;
    const peer = spawn(PYTHON_WITH_PACKAGES ?? '', ['-c', echo], {
      cwd: temporaryDirectory(t),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => peer.kill('SIGKILL'));
    let port = '';
    peer.stdout.on('data', (block) => (port += `${block}`));
    await eventually('the server of gRPC listens', () => port.endsWith('\n'));
    const app = `
import grpc, os
CHANNEL = grpc.insecure_channel('127.0.0.1:${port.trim()}')
ECHO = CHANNEL.unary_unary('/test.Echo/Say')
assert ECHO(b'import', timeout=20) == b'import'
IMPORTED = os.getpid()
def application(environ, start_response):
    said = ECHO(b'%d' % os.getpid(), timeout=20)
    start_response('200 OK', [])
    return [b'%s %d' % (said, IMPORTED)]
`;
    const server = await serve(t, makeProject(t, { 'app.py': app }), '--workers', '2');
    assert.match(found(server) ?? '', /an event loop/);
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(server.port, '/')));
    for (const { status, body } of answers) {
      assert.equal(status, 200);
      const [worker, imported] = body.split(' ');
      assert.equal(worker, imported);
    }
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });
});
