import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { accepts, SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** `/hold` runs until the file `release` exists. */
const APPLICATION = `
import os, time

VERSION = "one"

def application(environ, start_response):
    body = VERSION
    path = environ["PATH_INFO"]
    if path == "/pids":
        body = "%d %d %s" % (os.getpid(), os.getppid(), environ["wsgi.multiprocess"])
    elif path == "/hold":
        open("held-%d" % os.getpid(), "w").close()
        while not os.path.exists("release"):
            time.sleep(0.01)
        body = "held by " + VERSION
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body.encode()]
`;

describe('a server of several server processes', () => {
  it('serves files and the application from every server process, and sets wsgi.multiprocess', async (t) => {
    const { server } = await start(t, { workers: 1 });
    assert.match(server.output(), /with 2 server processes$/m);
    const seen = new Set<string>();
    await eventually('both server processes have answered', async () => {
      const { status, body } = await ask(server.port, '/pids');
      assert.equal(status, 200);
      assert.match(body, / True$/);
      seen.add(body);
      assert.equal((await ask(server.port, '/s/file.txt')).body, 'a file');
      return seen.size === 2;
    });
  });

  it('creates Unix sockets that nobody else can use before they have their mode, and keeps the umask for applications', {
    skip: process.platform !== 'linux' && 'only Linux shows the umask of a process',
  }, async (t) => {
    const before = process.umask(0o002); // the program inherits it
    t.after(() => void process.umask(before));
    const socket = join(temporaryDirectory(t), 'socket');
    const { server } = await start(t, { workers: 1, listen: `127.0.0.1:0,unix:${socket}?mode=660` });
    process.umask(before);
    assert.equal(umaskOf(server.pid), 0o077);
    assert.equal(statSync(socket).mode & 0o777, 0o660);
    for (const pid of await processesOf(server)) assert.equal(umaskOf(pid), 0o002);
    const [worker] = (await ask(server.port, '/pids')).body.split(' ');
    assert.equal(umaskOf(Number(worker)), 0o002);
  });

  it('loses only the connections of a server process that is killed under load, and starts another one', async (t) => {
    const { server } = await start(t, {});
    const [victim, other] = (await processesOf(server)) as [number, number];
    const clients: Client[] = [];
    await eventually('both server processes have clients', async () => {
      clients.push(await keepAsking(server.port, '/pids'));
      return new Set(clients.map(({ last }) => last().split(' ')[1])).size === 2;
    });
    process.kill(victim, 'SIGKILL');
    await eventually('a new server process runs', async () => {
      const now = await processesOf(server);
      return now.length === 2 && !now.includes(victim) && now.includes(other);
    });
    const outcomes = await Promise.all(clients.map((client) => client.stop()));
    for (const { failures } of outcomes) assert.ok(failures <= 1, 'a client fails at most once, with its connection');
    assert.ok(
      outcomes.some(({ failures }) => failures === 0),
      'clients of the other server process notice nothing',
    );
    assert.match(
      server.output(),
      new RegExp(`server process \\d \\(pid ${victim}\\) ended of SIGKILL; a new one follows`),
    );
    await eventually(
      'the Python of the dead server process is gone',
      () => spawnSync('ps', ['--ppid', `${victim}`]).status !== 0,
    );
    assert.equal((await ask(server.port, '/')).body, 'one');
  });

  it('starts new server processes when all of them are killed at once', async (t) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await eventually('the port is bound', () => holder.address() !== null);
    const { port } = holder.address() as AddressInfo;
    await new Promise((resolve) => holder.close(resolve));
    const { server } = await start(t, { listen: `127.0.0.1:${port}` });
    const before = await processesOf(server);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await eventually(
      'two new server processes serve',
      async () => (await processesOf(server)).filter((pid) => !before.includes(pid)).length === 2,
    );
    await eventually(
      'requests are answered',
      async () => (await accepts(server.port)) && (await ask(server.port, '/')).status === 200,
    );
  });

  it('leaves no process running when the primary is killed with SIGKILL', async (t) => {
    const { server } = await start(t, {});
    const processes = await processesOf(server);
    const python = processes.flatMap(descendants);
    assert.ok(python.length >= 4, 'a zygote and a worker for each server process');
    process.kill(server.pid, 'SIGKILL');
    await eventually('all processes have ended', () => [...processes, ...python].every((pid) => !isRunning(pid)));
    await eventually('the port is closed', async () => !(await accepts(server.port)));
  });

  it('loads new code in all server processes without a failed request when it gets SIGHUP under load', async (t) => {
    const { server, project } = await start(t, {});
    const processes = await processesOf(server);
    const clients = await Promise.all(Array.from({ length: 8 }, () => keepAsking(server.port)));
    writeFileSync(join(project, 'app.py'), APPLICATION.replace('"one"', '"two"'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the server has reloaded', () => /Reloaded in/.test(server.output()));
    // A request that ran at this moment may still get the answer of the old code.
    await eventually('each client gets the new code', () => clients.every((client) => client.last() === 'two'));
    const outcomes = await Promise.all(clients.map((client) => client.stop()));
    assert.deepEqual(
      outcomes.map(({ failures }) => failures),
      outcomes.map(() => 0),
    );
    assert.ok(
      outcomes.every(({ bodies }) => bodies.at(-1) === 'two'),
      'no client sees old code again',
    );
    assert.deepEqual(await processesOf(server), processes, 'the server processes stay the same');
  });

  it('keeps the old code in all server processes when the new code does not import', async (t) => {
    const { server, project } = await start(t, {});
    writeFileSync(join(project, 'app.py'), 'raise RuntimeError("broken release")\n');
    process.kill(server.pid, 'SIGHUP');
    await eventually('the traceback is shown', () => /Cannot reload.*broken release/s.test(server.output()));
    for (let i = 0; i < 10; i += 1) assert.equal((await ask(server.port, '/')).body, 'one');
    assert.equal(server.output().match(/Cannot reload/g)?.length, 1, 'the other server process did not try');
  });

  it('keeps the old code in all server processes when only the first can import the new code', async (t) => {
    const { server, project } = await start(t, {});
    const failsTheSecondTime = `
import os
try:
    os.mkdir("imported")
except FileExistsError:
    raise RuntimeError("only once")
${APPLICATION.replace('"one"', '"two"')}`;
    writeFileSync(join(project, 'app.py'), failsTheSecondTime);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the log reports it', () =>
      /Cannot reload.*only once \(in server process 2\)/.test(server.output()),
    );
    for (let i = 0; i < 10; i += 1) assert.equal((await ask(server.port, '/')).body, 'one');
    writeFileSync(join(project, 'app.py'), APPLICATION.replace('"one"', '"three"'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('all server processes have the fixed code', () => /Reloaded in/.test(server.output()));
    for (let i = 0; i < 10; i += 1) assert.equal((await ask(server.port, '/')).body, 'three');
  });

  it('replaces a server process that does not respond, and no reload or question waits for it', async (t) => {
    const args = ['--worker-timeout-ms', '1s', '--control', 'control.sock'];
    const { server, project } = await start(t, { args });
    const [stuck] = (await processesOf(server)) as [number];
    writeFileSync(join(project, 'app.py'), APPLICATION.replace('"one"', '"two"'));
    process.kill(stuck, 'SIGSTOP');
    process.kill(server.pid, 'SIGHUP');
    const { code, output } = await runViaduct(project, 'backends', '--control', 'control.sock');
    assert.deepEqual({ code, output }, { code: 0, output: 'No route forwards requests to backends.\n' });
    await eventually('it is replaced', async () => {
      const pids = await processesOf(server);
      return pids.length === 2 && !pids.includes(stuck);
    });
    assert.match(server.output(), new RegExp(`server process \\d \\(pid ${stuck}\\) is killed: it does not respond`));
    await eventually('the reload is over', () => /Cannot reload|Reloaded in/.test(server.output()));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the next one succeeds', () => /Reloaded in/.test(server.output()));
    for (let i = 0; i < 10; i += 1) assert.equal((await ask(server.port, '/')).body, 'two');
  });

  it('replaces a server process whose application in TypeScript computes for ever, or says nonsense', async (t) => {
    const application = `
export function application(environ: Record<string, string>, startResponse: (status: string, headers: []) => void) {
  if (environ.PATH_INFO === '/loop') for (;;);
  if (environ.PATH_INFO === '/nonsense')
    for (const message of ['ready', { kind: 'failed' }, { kind: 'ready' }, { kind: 'alive' }, { kind: 'reloaded' }]) process.send?.(message);
  startResponse('200 OK', []);
  return [new TextEncoder().encode(String(process.pid))];
}
`;
    const project = makeProject(t, { 'app.ts': application });
    const args = ['serve', 'app.ts', '--processes', '2', '--worker-timeout-ms', '1s', '--control', 'control.sock'];
    const server = await startViaduct(t, args, { cwd: project });
    const before = new Set<string>();
    await eventually(
      'both have answered',
      async () => before.add((await ask(server.port, '/nonsense')).body).size === 2,
    );
    assert.equal((await runViaduct(project, 'backends', '--control', 'control.sock')).code, 0);
    const client = await SocketClient.open(server.port);
    client.send('GET /loop HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('another one answers', async () => !before.has((await ask(server.port, '/')).body));
    assert.equal(server.output().match(/is killed: it does not respond/g)?.length, 1);
    assert.ok(isRunning(server.pid));
    await client.untilClosed();
  });

  it('stops in time when a server process is stuck', async (t) => {
    const { server } = await start(t, { args: ['--graceful-timeout-ms', '50'] });
    const [stuck] = (await processesOf(server)) as [number];
    process.kill(stuck, 'SIGSTOP');
    process.kill(server.pid, 'SIGTERM');
    assert.equal((await server.exited).code, 0);
    await eventually('the server process has ended', () => !isRunning(stuck));
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finishes the running requests of all server processes and exits with 0 when it gets ${signal}`, async (t) => {
      const { server, project } = await start(t, {});
      const held = await Promise.all([1, 2, 3, 4].map(() => SocketClient.open(server.port)));
      const head = 'POST /hold HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n';
      for (const client of held) client.send(head);
      // Some of them wait in the queue, but the server has read all of them.
      await Promise.all(held.map((client) => client.until(/100 Continue\r\n\r\n/)));
      for (const client of held) client.send('x');
      await eventually('the requests run', () => spawnSync('sh', ['-c', `ls ${project}/held-*`]).status === 0);
      process.kill(server.pid, signal);
      await eventually('no further connection is accepted', async () => !(await accepts(server.port)));
      writeFileSync(join(project, 'release'), '');
      for (const client of held) {
        await client.untilClosed();
        assert.match(client.received, /held by one$/);
      }
      assert.equal((await server.exited).code, 0);
    });
  }

  it('ends everything at once when it gets a second signal', async (t) => {
    const { server, project } = await start(t, {});
    const processes = await processesOf(server);
    const python = processes.flatMap(descendants);
    const client = await SocketClient.open(server.port);
    client.send('GET /hold HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the request runs', () => spawnSync('sh', ['-c', `ls ${project}/held-*`]).status === 0);
    process.kill(server.pid, 'SIGTERM');
    await eventually('no further connection is accepted', async () => !(await accepts(server.port)));
    process.kill(server.pid, 'SIGTERM');
    assert.equal(await client.untilClosed(), 0);
    assert.equal((await server.exited).code, 143);
    await eventually('all processes have ended', () => [...processes, ...python].every((pid) => !isRunning(pid)));
  });

  it('reports a broken application once, and exits with 1', async (t) => {
    const project = makeProject(t, {
      'app.py': 'raise RuntimeError("no good")\ndef application(environ, start): ...\n',
    });
    await assert.rejects(startViaduct(t, [project, '--processes', '3']), ({ message }: Error) => {
      assert.equal(message.match(/^RuntimeError: no good/gm)?.length, 1, message);
      assert.match(message, /Viaduct exited \(1\)/);
      return true;
    });
  });

  it('exits with 1 when the address is in use', async (t) => {
    const holder = createServer().listen(0, '127.0.0.1');
    t.after(() => holder.close());
    await eventually('the port is bound', () => holder.address() !== null);
    const { port } = holder.address() as AddressInfo;
    const project = makeProject(t, { 'app.py': APPLICATION });
    const starting = startViaduct(t, [project, '--processes', '2'], { listen: `127.0.0.1:${port}` });
    await assert.rejects(
      starting,
      /exited \(1\)[\s\S]*Cannot listen on "http:\/\/127\.0\.0\.1:\d+": the address is in use/,
    );
  });

  it('shares a Unix socket, and removes it when it stops', async (t) => {
    const { server, project } = await start(t, { listen: 'unix:s.sock' });
    const path = join(project, 's.sock');
    const { stdout } = spawnSync('curl', ['-s', '--unix-socket', path, 'http://a/'], { encoding: 'utf8' });
    assert.equal(stdout, 'one');
    await server.stop();
    assert.equal(spawnSync('test', ['-e', path]).status, 1);
  });

  it('writes one whole line of access log for each request of any server process', async (t) => {
    const { server } = await start(t, { accessLog: 'json' });
    const clients = await Promise.all(Array.from({ length: 8 }, () => keepAsking(server.port)));
    await eventually('many requests are logged', () => server.output().split('\n').length > 3000);
    const outcomes = await Promise.all(clients.map((client) => client.stop()));
    await server.stop();
    const lines = server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    for (const line of lines) JSON.parse(line);
    const asked = outcomes.reduce((sum, { bodies }) => sum + bodies.length, 0);
    assert.equal(lines.filter((line) => line.includes('"status":200')).length, asked);
  });
});

interface Options {
  readonly workers?: number;
  readonly listen?: string;
  readonly accessLog?: string;
  readonly args?: readonly string[];
}

async function start(
  t: TestContext,
  { workers = 2, listen = '127.0.0.1:0', accessLog = 'off', args: more = [] }: Options,
) {
  const project = makeProject(t, { 'app.py': APPLICATION, 'static/file.txt': 'a file' });
  const args = [
    '--processes',
    '2',
    '--workers',
    `${workers}`,
    '--threads',
    '2',
    '--static',
    '/s/=static',
    '--access-log',
    accessLog,
  ];
  const server = await startViaduct(t, [...args, ...more], { cwd: project, listen });
  return { server, project };
}

/** The server processes that have started their workers. */
async function processesOf(server: Viaduct): Promise<number[]> {
  return childrenOf(server.pid).filter(
    (pid) => /cluster\/process-main/.test(commandOf(pid)) && descendants(pid).length > 1,
  );
}

/** The umask of a process (proc_pid_status(5)). */
function umaskOf(pid: number): number {
  return Number.parseInt(/^Umask:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '', 8);
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .sort((a, b) => a - b);
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

function commandOf(pid: number): string {
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', `${pid}`], { encoding: 'utf8' });
  return stdout;
}

type Client = Awaited<ReturnType<typeof keepAsking>>;

/** A client that sends one request after another until it is stopped. If its connection breaks, it opens a new one. */
async function keepAsking(port: number, path = '/') {
  const bodies: string[] = [];
  let failures = 0;
  let stopped = false;
  let first: () => void = () => {};
  const answered = new Promise<void>((resolve) => {
    first = resolve;
  });
  const run = async (): Promise<void> => {
    let client = await SocketClient.open(port);
    while (!stopped) {
      client.received = '';
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      try {
        await client.until(/\r\n\r\n[\w ]+$/);
        bodies.push(client.received.slice(client.received.indexOf('\r\n\r\n') + 4));
        first();
      } catch {
        failures += 1;
        client = await SocketClient.open(port);
      }
    }
    client.close();
  };
  const running = run();
  await Promise.race([answered, running]);
  return {
    last: () => bodies.at(-1) ?? '',
    async stop(): Promise<{ bodies: readonly string[]; failures: number }> {
      stopped = true;
      await running;
      return { bodies, failures };
    },
  };
}
