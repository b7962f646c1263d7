import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { codeWords, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { accepts, SocketClient } from '../support/socket-client.ts';
import { BIN, ROOT, runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const PAGE = readPage('signals.md');

/** `/hold` runs until the file `release` appears; `/pids` gives the numbers of the worker and the zygote. */
const APP = `
import os, time
def application(environ, start_response):
    body = "hello"
    if environ["PATH_INFO"] == "/pids":
        body = "%d %d" % (os.getpid(), os.getppid())
    if environ["PATH_INFO"] == "/hold":
        open("held", "w").close()
        while not os.path.exists("release"):
            time.sleep(0.01)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body.encode()]
`;

/** Signals of which the page says that they end the server at once. Of the others in their row, the kernel decides. */
const CRASHES = ['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS'] as const;
/** Of which it says that they have no effect, and that the log reports them. */
const REPORTED = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGSTKFLT'] as const;
/** The same, unless the server has a terminal. */
const JOB_CONTROL = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;
/** Of which it says that they have no effect. */
const WITHOUT_EFFECT = ['SIGPIPE', 'SIGCHLD', 'SIGWINCH', 'SIGURG', 'SIGXFSZ', 'SIGCONT'] as const;
const STOPPING = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGPWR', 'SIGXCPU'] as const;
const OTHERS = ['SIGHUP', 'SIGKILL', 'SIGSTOP'];
/** What a child process of the server has no effect of, besides `WITHOUT_EFFECT`. */
const TIMERS: readonly string[] = ['SIGALRM', 'SIGVTALRM', 'SIGPROF'];

async function serve(t: TestContext, args: readonly string[] = []): Promise<{ server: Viaduct; project: string }> {
  const project = makeProject(t, { 'app.py': APP });
  const server = await startViaduct(t, ['--workers', '1', '--access-log', 'off', ...args], { cwd: project });
  return { server, project };
}

/** A request that runs until `release` is written. */
async function hold({ server, project }: { server: Viaduct; project: string }): Promise<SocketClient> {
  const client = await SocketClient.open(server.port);
  client.send('GET /hold HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually('the request runs', () => existsSync(join(project, 'held')));
  return client;
}

const stopsListening = (server: Viaduct) =>
  eventually('no further connection is accepted', async () => !(await accepts(server.port)));

const stateOf = (pid: number) => spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout;

/** All processes below `pid`, each after its parent. */
function descendants(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' });
  const children = stdout.trim().split(/\s+/).filter(Boolean).map(Number);
  return children.filter(isRunning).flatMap((child) => [child, ...descendants(child)]);
}

/** Whether no signal waits for process `pid`. CPython's small signal stack has no room for a dozen at a time. */
function isTaken(pid: number): boolean {
  return !existsSync('/proc') || /^ShdPnd:\s*0+$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
}

/** util-linux's `script` gives a program a terminal. */
const NO_SCRIPT = spawnSync('script', ['--version']).status === 0 ? false : 'script is not installed';

async function answers(server: Viaduct, path = '/'): Promise<string> {
  return (await fetch(`${server.url}${path}`)).text();
}

describe('a signal of docs/signals.md', { concurrency: 2 }, () => {
  it('is tested here, each of them', () => {
    const named = tableRows(sectionOf(PAGE, 'Signals')).flatMap(([signals = '', effect = '']) =>
      codeWords(`${signals} ${effect}`).filter((word) => word.startsWith('SIG')),
    );
    assert.deepEqual(
      new Set(named),
      new Set([...STOPPING, ...REPORTED, ...JOB_CONTROL, ...WITHOUT_EFFECT, ...CRASHES, ...OTHERS]),
    );
  });

  for (const signal of STOPPING) {
    it(`stops the server with 0 when the running request has finished: ${signal}`, async (t) => {
      const served = await serve(t);
      const client = await hold(served);
      process.kill(served.server.pid, signal);
      await stopsListening(served.server);
      process.kill(served.server.pid, 'SIGHUP'); // without effect now
      writeFileSync(join(served.project, 'release'), '');
      assert.equal(await client.untilClosed(), 200);
      assert.deepEqual(await served.server.exited, { code: 0, signal: null });
      assert.doesNotMatch(served.server.output(), /Reloaded|Cannot reload/);
    });
  }

  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const) {
    it(`stops the server at once with ${code} when it comes a second time: ${signal}`, async (t) => {
      const served = await serve(t);
      const client = await hold(served);
      process.kill(served.server.pid, signal);
      await stopsListening(served.server);
      let closed = false;
      const status = client.untilClosed().finally(() => (closed = true));
      await eventually('a further one ends the request', () => {
        if (!closed) process.kill(served.server.pid, signal);
        return closed;
      });
      assert.equal(await status, 0);
      assert.deepEqual(await served.server.exited, { code, signal: null });
    });
  }

  it('stops the server with 0 though requests run longer than they may, and the log reports them', async (t) => {
    const served = await serve(t, ['--graceful-timeout-ms', '200ms']);
    const client = await hold(served);
    process.kill(served.server.pid, 'SIGTERM');
    assert.equal(await client.untilClosed(), 0);
    assert.deepEqual(await served.server.exited, { code: 0, signal: null });
    assert.match(served.server.output(), /still ran after 0\.2 s/);
  });

  it('stops the server when it reaches the whole process group', async (t) => {
    const project = makeProject(t, { 'app.py': APP });
    const args = [BIN, '--listen', '127.0.0.1:0', '--workers', '1', '--access-log', 'off'];
    const child = spawn(process.execPath, args, { cwd: project, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    let output = '';
    child.stderr.on('data', (block: Buffer) => (output += block.toString()));
    await eventually('it serves', () => / serves .* on http/.test(output));
    process.kill(-(child.pid as number), 'SIGTERM');
    assert.deepEqual(await exited, { code: 0, signal: null });
  });

  it('reloads: SIGHUP', async (t) => {
    const { server, project } = await serve(t);
    writeFileSync(join(project, 'app.py'), APP.replace('"hello"', '"new"'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the log says so', () => /Reloaded in \d+ ms/.test(server.output()));
    assert.equal(await answers(server), 'new');
    writeFileSync(join(project, 'app.py'), 'raise RuntimeError("broken")\n');
    process.kill(server.pid, 'SIGHUP');
    await eventually('the log says so', () => /Cannot reload.*\n?.*broken/.test(server.output()));
    assert.equal(await answers(server), 'new');
  });

  it('needs a restart for what the page names: SIGHUP', async (t) => {
    const project = makeProject(t, { 'files/a.txt': 'a', 'viaduct.toml': 'control = "first.sock"\n' });
    const server = await startViaduct(t, ['web', '--static', '/=files'], { cwd: project });
    writeFileSync(join(project, 'viaduct.toml'), 'control = "second.sock"\n');
    process.kill(server.pid, 'SIGHUP');
    await eventually('it has reloaded', () => /Reloaded in/.test(server.output()));
    assert.deepEqual(
      [existsSync(join(project, 'first.sock')), existsSync(join(project, 'second.sock'))],
      [true, false],
    );
    const [, named = ''] = /\*\*A restart, not a reload,\*\*([\s\S]*?)\n\n/.exec(PAGE) ?? [];
    for (const name of codeWords(named)) assert.ok(readPage('settings.md').includes(`### ${name}\n`), name);
  });

  it(`ends the server at once: ${CRASHES.join(', ')}, SIGKILL`, async (t) => {
    const cwd = makeProject(t, { 'files/a.txt': 'a' });
    for (const signal of [...CRASHES, 'SIGKILL'] as const) {
      const server = await startViaduct(t, ['web', '--static', '/=files'], { cwd });
      process.kill(server.pid, signal);
      assert.deepEqual(await server.exited, { code: null, signal }, `${signal}`);
    }
  });

  it(`has no effect, and the log says so: ${[...REPORTED, ...JOB_CONTROL].join(', ')}`, async (t) => {
    const served = await serve(t);
    const { server, project } = served;
    const client = await hold(served);
    for (const signal of [...REPORTED, ...JOB_CONTROL]) {
      process.kill(server.pid, signal);
      await eventually(`the log has ${signal}`, () => server.output().includes(`${signal} has no effect`));
    }
    assert.doesNotMatch(server.output(), /Debugger listening|Starting inspector/);
    writeFileSync(join(project, 'release'), '');
    await client.until(/\r\n\r\nhello/);
  });

  it(`has no effect: ${WITHOUT_EFFECT.join(', ')}`, async (t) => {
    const served = await serve(t);
    const { server, project } = served;
    const client = await hold(served);
    for (const signal of WITHOUT_EFFECT) process.kill(server.pid, signal);
    process.kill(server.pid, 'SIGUSR2'); // signals arrive in any order, so this one comes after some turns
    await eventually('the log has the last one', () => server.output().includes('SIGUSR2'));
    writeFileSync(join(project, 'release'), '');
    await client.until(/\r\n\r\nhello/);
  });

  it("never leaves Node's debugger open, at whatever moment of the start it comes: SIGUSR1", async (t) => {
    const project = makeProject(t, { 'files/a.txt': 'a' });
    for (let delayMs = 0; delayMs <= 60; delayMs += 10) {
      const server = await startViaduct(t, ['web', '--static', '/=files', '--processes', '2'], {
        cwd: project,
        env: { NODE_OPTIONS: '--inspect-port=0' },
        awaitReady: false,
      });
      await delay(delayMs);
      process.kill(server.pid, 'SIGUSR1');
      const ended = await Promise.race([
        server.exited,
        eventually('it serves', () => / serves /.test(server.output())),
      ]);
      if (ended !== undefined) continue; // Node itself had not started yet
      for (const [, port] of server.output().matchAll(/Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/g))
        await eventually('the debugger is closed', async () => !(await accepts(Number(port))));
      await server.stop();
    }
  });

  it('waits for the start when it comes before: SIGHUP', async (t) => {
    const project = makeProject(t, { 'app.py': `import time\ntime.sleep(0.5)\n${APP}` });
    const server = await startViaduct(t, ['--workers', '1'], { cwd: project, awaitReady: false });
    await eventually('it starts', () => server.output().includes('application'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('it has reloaded', () => / serves [\s\S]*Reloaded in/.test(server.output()));
  });

  it('pauses the server in a terminal: SIGTSTP', { skip: NO_SCRIPT }, async (t) => {
    const project = makeProject(t, { 'files/a.txt': 'a' });
    const command = `${process.execPath} ${BIN} web --static /=files --listen 127.0.0.1:0`;
    const job = `set -m; ${command} & echo pid $!; sleep 60`;
    const shell = spawn('script', ['-qec', `sh -c '${job}'`, '/dev/null'], { cwd: project });
    t.after(() => shell.kill('SIGKILL'));
    let output = '';
    shell.stdout.on('data', (block: Buffer) => (output += block.toString()));
    await eventually('it serves', () => / serves /.test(output));
    const pid = Number(/pid (\d+)/.exec(output)?.[1]);
    process.kill(pid, 'SIGTSTP');
    await eventually('it pauses', () => stateOf(pid).startsWith('T'));
    process.kill(pid, 'SIGCONT');
    await eventually('it continues', () => !stateOf(pid).startsWith('T'));
    process.kill(pid, 'SIGKILL');
  });

  it('pauses the server until SIGCONT: SIGSTOP', async (t) => {
    const { server } = await serve(t);
    process.kill(server.pid, 'SIGSTOP');
    await eventually('it pauses', () => stateOf(server.pid).startsWith('T'));
    const answer = answers(server);
    process.kill(server.pid, 'SIGCONT');
    assert.equal(await answer, 'hello');
  });

  it('does nothing to server processes, the zygote and workers, unless it ends the server at once', async (t) => {
    const served = await serve(t, ['--processes', '2']);
    const { server, project } = served;
    const client = await hold(served);
    const others = descendants(server.pid);
    assert.equal(others.length, 6, 'two server processes, two zygotes, two workers');
    const names = new Map(others.map((pid) => [pid, readFileSync(`/proc/${pid}/cmdline`, 'latin1')]));
    for (const pid of others) {
      const isPython = names.get(pid)?.includes('viaduct_worker') === true;
      for (const signal of [...STOPPING, ...REPORTED, ...JOB_CONTROL, ...WITHOUT_EFFECT, 'SIGHUP'] as const) {
        if (isPython && (TIMERS.includes(signal) || signal === 'SIGXCPU')) continue;
        process.kill(pid, signal);
        await eventually('it has taken the signal', () => isTaken(pid));
      }
    }
    writeFileSync(join(project, 'release'), '');
    await client.until(/\r\n\r\nhello/);
    for (let count = 0; count < 20; count += 1) assert.equal(await answers(server), 'hello');
    assert.deepEqual(descendants(server.pid), others);
    assert.doesNotMatch(server.output(), /Debugger listening|Starting inspector|ended|died/);
  });

  it('ends a worker that has no handler for its timer, and a new one starts: SIGALRM', async (t) => {
    const { server } = await serve(t);
    const before = await answers(server, '/pids');
    process.kill(Number(before.split(' ')[0]), 'SIGALRM');
    await eventually('another worker answers', async () => (await answers(server, '/pids')) !== before);
    process.kill(Number(before.split(' ')[1]), 'SIGKILL');
    await eventually('another zygote has the workers', async () => {
      const zygote = before.split(' ')[1];
      return (await answers(server, '/pids')).split(' ')[1] !== zygote;
    });
  });
});

/** At SIGWINCH, throws as if code of Viaduct had. */
const BUG = `
process.on('SIGWINCH', () => {
  const error = new Error('on purpose');
  error.stack = 'Error: on purpose\\n    at sweep (${pathToFileURL(join(ROOT, 'dist/server/server.js')).href}:1:1)\\n    at listOnTimeout (node:internal/timers:1:1)';
  throw error;
});
`;

describe('an exit code of docs/signals.md', { concurrency: 2 }, () => {
  it('has a row', () => {
    const codes = tableRows(sectionOf(PAGE, 'Exit codes')).map(([code]) => code);
    assert.deepEqual(codes, ['0', '1', '2', '70', '130', '131', '143', '128 + number']);
  });

  it('is 128 and the number of the signal, as the page has them', () => {
    const examples = [...sectionOf(PAGE, 'Exit codes').matchAll(/(\d+) `(SIG\w+)`/g)];
    assert.ok(examples.length >= 3);
    for (const [, code, signal = ''] of examples)
      assert.equal(Number(code), 128 + constants.signals[signal as NodeJS.Signals]);
  });

  it('is 0 for a check without an error, 1 for an application that does not import, 2 for a wrong setting', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP, 'broken.py': 'raise RuntimeError("broken")\n' });
    assert.equal((await runViaduct(project, 'check')).code, 0);
    assert.equal((await runViaduct(project, 'check', 'broken:application')).code, 1);
    assert.equal((await runViaduct(project, 'broken:application', '--listen', '127.0.0.1:0')).code, 1);
    writeFileSync(join(project, 'viaduct.toml'), 'wrokers = 2\n');
    assert.equal((await runViaduct(project)).code, 2);
    writeFileSync(join(project, 'viaduct.toml'), '[tls]\ncertificate = "none.pem"\nkey = "none.key"\n');
    assert.equal((await runViaduct(project, '--listen', 'https://127.0.0.1:0')).code, 2);
    rmSync(join(project, 'viaduct.toml'));
    assert.equal((await runViaduct(project, '--wrokers', '2')).code, 2);
  });

  it('is 1 when the port is in use, when there is no Python, when no server runs', async (t) => {
    const { server, project } = await serve(t);
    assert.equal((await runViaduct(project, '--listen', `127.0.0.1:${server.port}`)).code, 1);
    assert.equal((await runViaduct(project, '--python', '/no/python')).code, 1);
    assert.equal((await runViaduct(project, 'backends', '--control', 'none.sock')).code, 1);
  });

  it('is 70 when code of Viaduct throws what nobody catches', async (t) => {
    const project = makeProject(t, { 'files/a.txt': 'a', 'throw.mjs': BUG });
    const server = await startViaduct(t, ['web', '--static', '/=files'], {
      cwd: project,
      env: { NODE_OPTIONS: `--import ${pathToFileURL(join(project, 'throw.mjs')).href}` },
    });
    process.kill(server.pid, 'SIGWINCH');
    assert.deepEqual(await server.exited, { code: 70, signal: null });
    assert.match(server.output(), /This is a bug in Viaduct, please report it: Uncaught exception: Error: on purpose/);
  });
});
