import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ServerStatus } from '../../src/server/status.ts';
import { ask } from '../support/http-client.ts';
import { missing } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { BIN, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
`;

interface Place {
  readonly cwd: string;
  readonly runtime: string;
  start(...args: string[]): Promise<Viaduct>;
  run(...words: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** The only control socket in the runtime directory. */
  socket(): string;
}

function place(t: TestContext, settings = ''): Place {
  const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': settings });
  const runtime = join(cwd, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const env = { XDG_RUNTIME_DIR: runtime };
  return {
    cwd,
    runtime,
    start: (...args) => startViaduct(t, ['--workers', '1', ...args], { cwd, env }),
    async run(...words) {
      const child = spawn(process.execPath, [BIN, ...words], {
        cwd,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 60_000,
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (block: Buffer) => (output += block));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, output };
    },
    socket() {
      const found = readdirSync(runtime)
        .map((name) => join(runtime, name, 'control.sock'))
        .filter((path) => existsSync(path));
      assert.equal(found.length, 1, `${found}`);
      return found[0] as string;
    },
  };
}

function open(t: TestContext, path: string): { readonly client: Socket; readonly closed: Promise<void> } {
  const client = connect(path).on('error', () => {});
  const closed = new Promise<void>((resolve) => void client.once('close', () => resolve()));
  t.after(() => void client.destroy());
  return { client, closed };
}

describe('the control socket under attack', { concurrency: 2 }, () => {
  it('serves commands again when a hundred clients that say nothing are gone, and the site meanwhile', async (t) => {
    const { start, run, socket } = place(t);
    const server = await start();
    const path = socket();
    const silent = Array.from({ length: 100 }, () => open(t, path));
    for (const { client } of silent) client.resume();
    assert.equal((await ask(server.port, '/')).body, 'hello');
    await Promise.all(silent.map(({ closed }) => closed));
    assert.equal((await run('status')).code, 0);
    assert.doesNotMatch(server.output(), /error|warn/i);
  });

  it('answers a client that closes its half of the connection after its request', async (t) => {
    const { start, socket } = place(t);
    await start();
    const { client, closed } = open(t, socket());
    let answer = '';
    client.on('data', (block: Buffer) => (answer += block));
    client.end('GET /server HTTP/1.1\r\nHost: a\r\n\r\n');
    await closed;
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });

  it('disconnects a client whose request comes an octet at a time', async (t) => {
    const { start, socket } = place(t);
    const server = await start();
    const { client, closed } = open(t, socket());
    client.resume();
    const timer = setInterval(() => client.write('x'), 200);
    t.after(() => clearInterval(timer));
    await closed;
    assert.equal((await ask(server.port, '/')).body, 'hello');
  });

  it('is not for other users, wherever it is', { skip: missing('setpriv', 'curl') || needsRoot() }, async (t) => {
    const { start, cwd } = place(t);
    chmodSync(join(cwd, '..'), 0o755);
    chmodSync(cwd, 0o777);
    await start('--control', 'control.sock');
    const curl = ['curl', '-s', '--unix-socket', join(cwd, 'control.sock'), 'http://localhost/server'];
    const codeFor = async (...as: string[]): Promise<unknown> =>
      (await once(spawn('setpriv', [...as, '--', ...curl], { stdio: 'ignore' }), 'close'))[0];
    assert.equal(await codeFor('--clear-groups'), 0);
    assert.equal(await codeFor('--reuid=65534', '--regid=65534', '--clear-groups'), 7, 'curl cannot connect');
  });

  it('that another server has is left to it', async (t) => {
    const { start, run, cwd } = place(t);
    const first = await start('--control', 'control.sock');
    const { code, output } = await run('--listen', '127.0.0.1:0', '--workers', '1', '--control', 'control.sock');
    assert.deepEqual(
      [code, /Cannot listen on .*control\.sock": the address is in use/.test(output)],
      [1, true],
      output,
    );
    const status = JSON.parse((await run('status', '--json', '--control', 'control.sock')).output);
    assert.equal(status.server.pid, first.pid);
    assert.ok(lstatSync(join(cwd, 'control.sock')).isSocket());
  });

  it('is not opened through a symbolic link, and what the link leads to stays', async (t) => {
    const { run, cwd } = place(t);
    writeFileSync(join(cwd, 'precious'), 'text');
    for (const [name, target] of [
      ['to-a-file', 'precious'],
      ['to-nothing', 'nowhere'],
    ] as const) {
      symlinkSync(target, join(cwd, name));
      const { code, output } = await run('--listen', '127.0.0.1:0', '--workers', '1', '--control', name);
      assert.equal(code, 1, output);
      assert.match(output, /Cannot listen on "unix:/);
      assert.ok(lstatSync(join(cwd, name)).isSymbolicLink());
    }
  });

  it('is found where the runtime directory is a symbolic link, and not through a link of somebody else', async (t) => {
    const { start, run, cwd, runtime } = place(t);
    renameSync(runtime, join(cwd, 'real'));
    symlinkSync('real', runtime);
    const server = await start();
    assert.equal(
      (JSON.parse((await run('status', '--json')).output) as { server: { pid: number } }).server.pid,
      server.pid,
    );
    await server.stop();
    assert.deepEqual(readdirSync(join(cwd, 'real')), []);
  });

  it('may disappear while the server runs, which serves on and stops', async (t) => {
    const { start, run, runtime } = place(t);
    const server = await start();
    for (const name of readdirSync(runtime)) rmSync(join(runtime, name), { recursive: true });
    assert.equal((await run('status', '--chdir', '.')).code, 1);
    assert.equal((await ask(server.port, '/')).body, 'hello');
    process.kill(server.pid, 'SIGHUP');
    await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
    await eventually('a reload has opened it again', async () => (await run('status', '--chdir', '.')).code === 0);
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.deepEqual(readdirSync(runtime), []);
  });

  it('says where the threads are while workers die', async (t) => {
    const { start, socket } = place(t);
    const server = await start('--workers', '3', '--threads', '2');
    const path = socket();
    for (let round = 0; round < 12; round += 1) {
      const workers = JSON.parse((await ask(path, '/workers')).body) as { pid: number }[];
      const asked = Array.from({ length: 4 }, () => ask(path, '/stacks'));
      for (const { pid } of workers.slice(0, 1 + (round % 3))) if (pid > 0) tryToKill(pid);
      for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
    }
    await eventually('all workers are back', async () => {
      const { processes } = JSON.parse((await ask(path, '/status')).body) as ServerStatus;
      return processes[0]?.applications[0]?.workers.filter(({ state }) => state === 'ready').length === 3;
    });
    assert.doesNotMatch(server.output(), /bug in Viaduct|The control socket failed/);
  });

  it('refuses numbers of workers that make no sense, whatever they look like', async (t) => {
    const { start, socket } = place(t);
    const server = await start();
    const path = socket();
    for (const query of [
      '',
      '?workers=',
      '?workers=0',
      '?workers=257',
      '?workers=-1',
      '?workers=1e2',
      '?workers=%31%30%30%30',
      '?workers=1&workers=x&app=',
      '?workers=2&app=__proto__',
      '?workers=2&app=%00',
    ]) {
      const { status, body } = await ask(path, `/scale${query}`, { method: 'POST' });
      assert.ok(status === 400 || status === 404, `${query} ${status} ${body}`);
    }
    assert.doesNotMatch(server.output(), /Workers: /);
  });
});

function needsRoot(): string | false {
  return process.getuid?.() === 0 ? false : 'only root can become another user';
}

function tryToKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has died meanwhile.
  }
}

describe('the log files', { concurrency: 2 }, () => {
  const named = ['--access-log-file', 'logs/access.log', '--error-log-file', 'logs/error.log', '--control', 'c.sock'];

  it('stay as they are when their directory is gone, and are opened again when it is back', async (t) => {
    const { start, run, cwd } = place(t);
    mkdirSync(join(cwd, 'logs'));
    const server = await start(...named);
    renameSync(join(cwd, 'logs'), join(cwd, 'old'));
    const failed = await run('logs', 'reopen', '--control', 'c.sock');
    assert.equal(failed.code, 1);
    assert.match(failed.output, /Cannot open the log file ".*error\.log" again: .*; Cannot open .*access\.log" again/);
    await ask(server.port, '/into-the-old-one');
    mkdirSync(join(cwd, 'logs'));
    assert.equal((await run('logs', 'reopen', '--control', 'c.sock')).code, 0);
    await ask(server.port, '/into-the-new-one');
    await eventually('both have their line', () => {
      const [before, after] = ['old', 'logs'].map((name) => contentOf(join(cwd, name, 'access.log')));
      return before?.includes('/into-the-old-one') === true && after?.includes('/into-the-new-one') === true;
    });
    assert.doesNotMatch(contentOf(join(cwd, 'logs', 'access.log')), /into-the-old-one/);
  });

  it('may have become a directory, a device that is full, or a pipe without a reader', async (t) => {
    const { start, run, cwd } = place(t);
    mkdirSync(join(cwd, 'logs'));
    const server = await start(...named);
    const access = join(cwd, 'logs/access.log');
    const reopen = () => run('logs', 'reopen', '--control', 'c.sock');
    rmSync(access);
    mkdirSync(access);
    assert.match((await reopen()).output, /access\.log" again: it is a directory/);
    rmSync(access, { recursive: true });
    await once(spawn('mkfifo', [access]), 'close');
    assert.match((await reopen()).output, /access\.log" again: ENXIO/);
    rmSync(access);
    symlinkSync('/dev/full', access);
    assert.equal((await reopen()).code, 0);
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(server.port, '/lost')).body, 'hello');
    const errors = () => contentOf(join(cwd, 'logs/error.log'));
    await eventually('it is told', () => errors().includes('Cannot write the access log, its lines are lost: ENOSPC'));
    rmSync(access);
    assert.equal((await reopen()).code, 0);
    await ask(server.port, '/kept');
    await eventually('it goes on', () => contentOf(access).includes('/kept'));
    assert.match(errors(), /Access log lines were lost: ENOSPC/);
  });
});

function contentOf(path: string): string {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  return existsSync(path) ? readFileSync(path, 'latin1') : '';
}

describe('the probes under attack', { concurrency: 2 }, () => {
  const site = `
[[route]]
path = "/*"
respond = { status = 418 }
`;

  it('have exactly one spelling', async (t) => {
    const { start } = place(t, site);
    const { port } = await start();
    for (const target of ['/-/ready', '/-/live', '/-/ready?x=/-/live', `http://other.example/-/ready`])
      assert.equal((await ask(port, target)).status, 200, target);
    for (const target of [
      '//-/ready',
      '/-/ready/',
      '/-//ready',
      '/-/READY',
      '/%2d/ready',
      '/-%2Fready',
      '/-/ready;x',
      '/./-/ready',
      '/-',
      '/-/',
      '/-/reload',
    ])
      assert.notEqual((await ask(port, target)).status, 200, target);
    for (const method of ['POST', 'DELETE']) assert.equal((await ask(port, '/-/ready', { method })).status, 405);
    const client = await SocketClient.open(port);
    client.send('GET /-/ready HTTP/1.0\r\n\r\n');
    assert.match(await client.untilClosed().then(() => client.received), /^HTTP\/1\.[01] 200 /);
  });
});
