import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { LiveRequest } from '../../src/server/live-requests.ts';
import type { ServerStatus, WorkerStacks } from '../../src/server/status.ts';
import { startBackend } from '../support/backend.ts';
import { callControl, OPERATIONS, SEEN } from '../support/control-api.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { BIN, startViaduct, type Viaduct, type ViaductOptions } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** `/wait` runs until there is a file `go`, `/hold-lock` holds the interpreter lock, `/endless` is as long as the client likes. With a file `hold`, the import waits. */
const APP = `
import ctypes, os, time
while os.path.exists("hold"): time.sleep(0.01)
def wait_for_go():
    while not os.path.exists("go"): time.sleep(0.01)
def application(environ, start_response):
    if environ["PATH_INFO"].startswith("/wait"): wait_for_go()
    if environ["PATH_INFO"] == "/hold-lock": ctypes.PyDLL(None).sleep(60)
    if environ["PATH_INFO"] == "/endless":
        start_response("200 OK", [])
        return (bytes(65536) for _ in range(1_000_000))
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
`;

type Status = ServerStatus & { readonly server: { readonly pid: number; readonly name: string } };

interface Place {
  /** The project's directory. */
  readonly cwd: string;
  /** The runtime directory, which only this test uses. */
  readonly runtime: string;
  start(args?: readonly string[], options?: ViaductOptions): Promise<Viaduct>;
  /** Runs a command in the project's directory, or in another one. */
  run(...words: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  runIn(cwd: string, ...words: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  status(): Promise<Status>;
  /** The same without the command, which takes long to start. For conditions that are looked at again and again. */
  now(): Promise<ServerStatus>;
  /** The control sockets in the runtime directory. */
  sockets(): string[];
  /** The only one of them. */
  socket(): string;
}

function place(t: TestContext, files: Readonly<Record<string, string>> = { 'app.py': APP }, runtime?: string): Place {
  const cwd = makeProject(t, files);
  const directory = runtime ?? join(cwd, 'run');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const env = { XDG_RUNTIME_DIR: directory };
  const runIn = async (where: string, ...words: string[]) => {
    const child = spawn(process.execPath, [BIN, ...words], {
      cwd: where,
      env: { ...process.env, ...env, PWD: where },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (block: Buffer) => (output += block));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };
  const sockets = () =>
    readdirSync(directory)
      .filter((name) => readdirSync(join(directory, name)).includes('control.sock'))
      .map((name) => join(directory, name, 'control.sock'));
  const socket = () => {
    const [first, ...others] = sockets();
    assert.ok(first !== undefined && others.length === 0, `${sockets()}`);
    return first;
  };
  return {
    cwd,
    runtime: directory,
    start: (args = [], options = {}) => startViaduct(t, args, { cwd, env, ...options }),
    run: (...words) => runIn(cwd, ...words),
    runIn,
    async status() {
      const { code, output } = await runIn(cwd, 'status', '--json');
      assert.equal(code, 0, output);
      return JSON.parse(output) as Status;
    },
    now: async () => (await callControl(socket(), 'GET', '/status')).value as ServerStatus,
    sockets,
    socket,
  };
}

function workersOf({ processes }: ServerStatus) {
  return processes.flatMap(({ applications }) => applications.flatMap(({ workers }) => workers));
}

const go = (cwd: string): void => writeFileSync(join(cwd, 'go'), '');

describe('the control socket', { concurrency: 2 }, () => {
  it('is for this user alone, is found in the directory of the project, and is gone after the stop', async (t) => {
    const { start, status, runtime, socket, run, cwd } = place(t);
    const server = await start();
    assert.equal((await status()).server.pid, server.pid);
    assert.equal(statSync(socket()).mode & 0o777, 0o600);
    assert.equal(statSync(join(socket(), '..')).mode & 0o777, 0o700);
    await server.stop();
    assert.deepEqual(readdirSync(runtime), []);
    const { code, output } = await run('status', '--chdir', cwd);
    assert.equal(code, 1, output);
  });

  it('is removed by the next start if the server was killed', async (t) => {
    const { start, socket, runtime, run, cwd } = place(t);
    const killed = await start();
    const before = socket();
    process.kill(killed.pid, 'SIGKILL');
    await killed.exited;
    assert.equal((await run('status', '--chdir', cwd)).code, 1, 'nobody answers there');
    const server = await start();
    await eventually('the old one is gone', () => !readdirSync(runtime).some((name) => before.includes(name)));
    await server.stop();
    assert.deepEqual(readdirSync(runtime), []);
  });

  it('of two servers is chosen by the directory of the command, or by --control', async (t) => {
    const one = place(t);
    const two = place(t, { 'app.py': APP }, one.runtime);
    const [first, second] = [await one.start(), await two.start()];
    assert.equal((await one.status()).server.pid, first.pid);
    assert.equal((await two.status()).server.pid, second.pid);
    const elsewhere = makeProject(t, {});
    const { code, output } = await one.runIn(elsewhere, 'status');
    assert.equal(code, 2, output);
    assert.match(output, /Cannot choose a server: \d+ are running\nName one with --control/);
    for (const { pid } of [first, second]) assert.match(output, new RegExp(`--control \\S+ .*process ${pid}\\b`));
    const [, path = ''] = new RegExp(`--control (\\S+) .*process ${second.pid}\\b`).exec(output) ?? [];
    const named = await one.runIn(elsewhere, 'status', '--json', '--control', path);
    assert.equal((JSON.parse(named.output) as Status).server.pid, second.pid);
    const inOther = await one.runIn(elsewhere, 'status', '--json', '--chdir', two.cwd);
    assert.equal((JSON.parse(inOther.output) as Status).server.pid, second.pid);
    const nowhere = await one.run('status', '--chdir', elsewhere);
    assert.deepEqual([nowhere.code, /Cannot reach the server: none/.test(nowhere.output)], [1, true], nowhere.output);
  });

  it('is found by its path although the settings of the project are broken, and says when a server does not answer', async (t) => {
    const { start, run, socket, cwd } = place(t);
    const { pid } = await start();
    writeFileSync(join(cwd, 'viaduct.toml'), 'wrkers = 3\n');
    for (const args of [[], ['--control', socket()]])
      assert.equal((JSON.parse((await run('status', '--json', ...args)).output) as Status).server.pid, pid);
    process.kill(pid, 'SIGSTOP');
    const { code, output } = await run('status', '--control', socket());
    process.kill(pid, 'SIGCONT');
    assert.deepEqual([code, /does not answer within 15 s/.test(output)], [1, true], output);
  });

  it('has the path of the setting control, or is off', async (t) => {
    const named = place(t, { 'app.py': APP, 'viaduct.toml': 'control = "c.sock"\n' });
    const server = await named.start();
    assert.deepEqual(named.sockets(), []);
    assert.equal((await named.status()).server.pid, server.pid);
    await server.stop();
    const off = await named.start(['--control', 'off']);
    assert.deepEqual(named.sockets(), []);
    assert.match((await named.run('status', '--control', 'off')).output, /the setting "control" is off/);
    assert.equal((await ask(off.port, '/')).body, 'hello');
  });

  it('fails the start if the setting names a path that cannot be used', async (t) => {
    const { run } = place(t, { 'app.py': APP, 'a-file': '' });
    const args = ['--listen', '127.0.0.1:0', '--control'];
    const long = await run(...args, `${'x'.repeat(200)}.sock`);
    assert.deepEqual([long.code, /is longer than 10\d bytes/.test(long.output)], [2, true], long.output);
    const taken = await run(...args, 'a-file');
    assert.deepEqual([taken.code, /a file that is not a socket exists/.test(taken.output)], [1, true], taken.output);
    const missing = await run(...args, 'no/such/directory.sock');
    assert.deepEqual([missing.code, /the directory does not exist/.test(missing.output)], [1, true], missing.output);
  });

  it('refuses garbage, a megabyte, and clients that say nothing, and costs no request', async (t) => {
    const { start, socket, run } = place(t);
    const { port, output } = await start();
    const path = socket();
    const answerTo = async (bytes: string | Buffer): Promise<string> => {
      const client = connect(path);
      let answer = '';
      client.on('error', () => {}).on('data', (block: Buffer) => (answer += block));
      client.write(bytes);
      await once(client, 'close');
      return answer;
    };
    const silent = Array.from({ length: 20 }, () => connect(path).on('error', () => {}));
    t.after(() => silent.map((client) => client.destroy()));
    const megabyte = 1024 * 1024;
    assert.match(await answerTo(Buffer.alloc(megabyte, 'x')), /^HTTP\/1\.1 501 /);
    assert.match(await answerTo('\x00\xff\r\n\r\n'), /^HTTP\/1\.1 400 /);
    const head = 'POST /drain HTTP/1.1\r\nHost: a\r\n';
    const body = 'x'.repeat(megabyte);
    assert.match(await answerTo(`${head}Content-Length: ${megabyte}\r\n\r\n${body}`), /^HTTP\/1\.1 413 /);
    assert.match(await answerTo(`${head}X: ${body}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.equal((await ask(port, '/-/ready')).status, 200, 'it was not drained');
    assert.equal((await ask(port, '/')).body, 'hello');
    assert.equal((await run('status')).code, 0);
    await Promise.all(silent.map((client) => client.closed || once(client, 'close')));
    assert.doesNotMatch(output(), /error/i);
  });
});

describe('viaduct status', { concurrency: 2 }, () => {
  it('distinguishes a thread that waits for its client from one that runs the view', async (t) => {
    const { start, now, run } = place(t);
    const { port } = await start(['--workers', '1', '--threads', '1', '--response-buffer-bytes-max', '64KiB']);
    const client = connect(port, '127.0.0.1').pause();
    client.write('GET /endless HTTP/1.1\r\nHost: test.example\r\n\r\n');
    await eventually('the client holds the thread', async () => {
      const [held] = workersOf(await now()).flatMap(({ requests }) => requests);
      return held?.path === '/endless' && held.waits_for_client;
    });
    assert.match((await run('status')).output, / GET \/endless \(waits for its client\)\n/);
    assert.match((await run('requests')).output, / sending \(worker 1\) +127\.0\.0\.1 +GET test\.example\/endless\n/);
    client.destroy();
  });

  for (const processes of [1, 2]) {
    it(`shows what each worker runs and how long the queue is, with processes = ${processes}`, async (t) => {
      const { start, now, run, cwd, socket } = place(t);
      const { port } = await start(['--workers', '2', '--threads', '1', '--processes', `${processes}`]);
      const answers: Promise<unknown>[] = [];
      const send = () => answers.push(ask(port, `/wait/${answers.length}?secret=1`));
      // The kernel chooses the server process for each connection, so nobody knows how many requests occupy both.
      await eventually('both threads are busy', async () => {
        const isBusy = workersOf(await now()).filter(({ threads_busy }) => threads_busy === 1).length === 2;
        if (!isBusy) send();
        return isBusy;
      });
      for (let i = 0; i < 6; i += 1) send();
      const listed = async () => (await callControl(socket(), 'GET', '/requests')).value as LiveRequest[];
      await eventually('all are there', async () => (await listed()).length === answers.length);
      const { output } = await run('status');
      assert.match(
        output,
        /! (All 2 threads of main are|Server process \d: The only thread of main is) busy: \d+ requests? waiting, the oldest for [\d.]+ m?s\./,
      );
      assert.match(output, /WORKER +PID +STATE +BUSY +CPU +DONE +RSS +UP +RUNS\n/);
      assert.match(output, / ready +1\/1 +(\d+ %|\?) +0 +\d+ MiB .*GET \/wait\/\d+\n/);
      assert.doesNotMatch(output, /secret/);
      const requests = JSON.parse((await run('requests', '--json')).output) as LiveRequest[];
      const places = requests.map(({ where }) => where).toSorted();
      assert.deepEqual(places, [...Array(answers.length - 2).fill('queue'), 'worker', 'worker']);
      assert.ok(requests.every(({ client, age_ms }) => client === '127.0.0.1' && (age_ms ?? -1) >= 0));
      assert.match(
        (await run('requests')).output,
        /^AGE +WHERE +CLIENT +REQUEST\n[\d.]+ m?s +\w+.* GET test\.example\/wait/,
      );
      const workers = (await run('workers')).output.trimEnd().split('\n');
      assert.equal(workers.length, 3);
      go(cwd);
      await Promise.all(answers);
      await eventually('all are counted', async () => {
        const done = workersOf(await now()).reduce((sum, { requests_done }) => sum + requests_done, 0);
        return done === answers.length;
      });
      assert.match((await run('status')).output, /queue +nothing waits/);
      assert.equal((await run('requests')).output, 'No request is open.\n');
    });
  }

  it('shows requests over HTTP/2, through middleware and behind a mount, each of them once', async (t) => {
    const middleware = 'export const pass = (app) => (environ, start) => app({ ...environ, HTTP_X: "1" }, start);\n';
    const { start, socket, cwd } = place(t, {
      'app.py': APP,
      'pass.mjs': middleware,
      'viaduct.toml': 'middleware = ["./pass.mjs#pass"]\n[[route]]\nmount = "/shop"\napp = "main"\n',
    });
    const { port } = await start(['--workers', '1', '--threads', '2']);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const streams = ['/wait/a', '/shop/wait/b'].map((path) => session.request({ ':path': path }).resume());
    await eventually('both run', async () => {
      const requests = (await callControl(socket(), 'GET', '/requests')).value as LiveRequest[];
      assert.ok(requests.length <= 2, JSON.stringify(requests));
      return requests.length === 2 && requests.every(({ where, worker }) => where === 'worker' && worker !== null);
    });
    go(cwd);
    await Promise.all(streams.map((stream) => once(stream, 'end')));
  });

  it('shows backends, and the requests that they have', async (t) => {
    const { url } = await startBackend(t, { onData: () => {} });
    const { start, run, status } = place(t, { 'viaduct.toml': `[[route]]\nname = "shop"\nproxy = "${url}"\n` });
    const { port } = await start();
    void ask(port, '/slow').catch(() => {});
    await eventually('it is there', async () => /backend http/.test((await run('requests')).output));
    const [route] = (await status()).backends;
    assert.deepEqual([route?.route, route?.backends[0]?.active], ['shop', 1]);
    assert.equal((await run('backends', 'drain', url)).code, 0);
    assert.match((await run('status')).output, /! Backends of shop get no new requests: http\S+ \(draining\)\./);
  });
});

describe('viaduct stack', { concurrency: 2 }, () => {
  it('prints where the threads are, of all workers or of one', async (t) => {
    const { start, run, now, cwd } = place(t);
    const { port } = await start(['--workers', '2', '--threads', '2']);
    const answer = ask(port, '/wait');
    await eventually('it runs', async () => workersOf(await now()).some(({ threads_busy }) => threads_busy > 0));
    const { output } = await run('stack');
    assert.match(output, /^worker \d+ of main, process \d+\n {2}\S+ (?:runs|waits)/);
    assert.match(output, /MainThread waits for a request\n/);
    assert.match(
      output,
      / runs GET \/wait for [\d.]+ m?s\n(?: {4}.*\n)* {4}File ".*app\.py", line \d+, in wait_for_go\n/,
    );
    const busy = workersOf(await now()).find(({ threads_busy }) => threads_busy > 0);
    for (const name of [busy?.number, busy?.pid]) {
      const stacks = JSON.parse((await run('stack', `${name}`, '--json')).output) as WorkerStacks[];
      assert.deepEqual([stacks.length, stacks[0]?.pid], [1, busy?.pid]);
      const threads = stacks[0]?.threads ?? [];
      assert.deepEqual(threads.flatMap(({ lane }) => lane ?? []).toSorted(), [0, 1]);
      assert.equal(threads.filter(({ request }) => request === 'GET /wait').length, 1);
    }
    assert.match((await run('stack', '999999999')).output, /Cannot print the stacks: There is no worker 999999999/);
    assert.match((await run('stack', 'x')).output, /The worker must be a number/);
    go(cwd);
    await answer;
  });

  it('says so when the interpreter lock is held', async (t) => {
    const { start, run, now } = place(t);
    const { port } = await start(['--workers', '1', '--worker-timeout-ms', '60s']);
    void ask(port, '/hold-lock').catch(() => {});
    await eventually('it runs', async () => workersOf(await now()).some(({ threads_busy }) => threads_busy > 0));
    await eventually('it holds the lock', async () => /did not answer within 2 s/.test((await run('stack')).output));
  });
});

describe('viaduct reload', { concurrency: 2 }, () => {
  it('waits for the new release, and fails with the traceback where the release fails', async (t) => {
    const { start, run, cwd, status } = place(t);
    const { port } = await start();
    writeFileSync(join(cwd, 'app.py'), APP.replace('b"hello"', 'b"again"'));
    const { code, output } = await run('reload');
    assert.deepEqual([code, /^Reloaded in \d+ ms\n$/.test(output)], [0, true], output);
    assert.equal((await ask(port, '/')).body, 'again');
    assert.equal((await status()).processes[0]?.applications[0]?.release?.number, 2);
    writeFileSync(join(cwd, 'app.py'), 'def broken():\n    raise ValueError("no release")\nbroken()\n');
    const failed = await run('reload');
    assert.equal(failed.code, 1, failed.output);
    assert.match(failed.output, /line 2, in broken[\s\S]*Cannot reload, the old configuration stays: .*no release/);
    const json = await run('reload', '--json');
    const outcome = JSON.parse(json.output) as { error: string; traceback: string };
    assert.equal(json.code, 1);
    assert.match(`${outcome.error} ${outcome.traceback}`, /no release[\s\S]*in broken/);
    writeFileSync(join(cwd, 'viaduct.toml'), 'wrkers = 3\n');
    assert.match((await run('reload')).output, /Cannot reload, the old configuration stays: .*wrkers/);
    assert.equal((await ask(port, '/')).body, 'again');
  });

  for (const processes of [1, 2]) {
    it(`twice at once gives both the outcome of the last one, with processes = ${processes}`, async (t) => {
      const { start, run, cwd, runtime } = place(t);
      const server = await start(['--processes', `${processes}`]);
      writeFileSync(join(cwd, 'hold'), '');
      const first = run('reload');
      await eventually('it has started', () => readdirSync(runtime).length > 0 && /./.test(server.output()));
      const second = run('reload');
      rmSync(join(cwd, 'hold'));
      assert.deepEqual([(await first).code, (await second).code], [0, 0], (await first).output);
    });
  }
});

describe('viaduct stop', { concurrency: 2 }, () => {
  for (const processes of [1, 2]) {
    it(`waits until the requests are answered, with processes = ${processes}`, async (t) => {
      const { start, run, cwd, now } = place(t);
      const server = await start(['--processes', `${processes}`]);
      const answer = ask(server.port, '/wait');
      await eventually('it runs', async () => workersOf(await now()).some(({ threads_busy }) => threads_busy > 0));
      const stopping = run('stop');
      await eventually('it stops', async () => (await now()).processes.some(({ state }) => state === 'stopping'));
      assert.match((await run('reload')).output, /the server is stopping/);
      assert.ok(isRunning(server.pid));
      go(cwd);
      assert.deepEqual(await stopping, { code: 0, output: '' });
      assert.equal((await answer).body, 'hello');
      assert.deepEqual(await server.exited, { code: 0, signal: null });
    });
  }
});

describe('the control API', () => {
  it('answers as docs/control-api.yaml says, each path and each field', async (t) => {
    const { url } = await startBackend(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const site = `[[route]]\nname = "back"\npath = "/back/*"\nproxy = "${url}"\n`;
    const { start, socket, cwd } = place(t, { 'app.py': APP, 'viaduct.toml': site });
    const args = [
      '--workers',
      '1',
      '--threads',
      '1',
      '--tls-self-signed',
      '--access-log-file',
      'access.log',
      '--admin',
      'unix:a.sock',
    ];
    const server = await start(args, { listen: 'http://127.0.0.1:0' });
    const answers = [ask(server.port, '/wait'), ask(server.port, '/wait')];
    const path = socket();
    const call = (method: 'GET' | 'POST', target: string) => callControl(path, method, target);
    await eventually('one runs and one waits', async () => {
      const { value } = await call('GET', '/requests');
      return (value as LiveRequest[]).length === 2;
    });
    for (const target of ['/server', '/status', '/workers', '/stacks', '/backends', '/metrics'])
      await call('GET', target);
    for (const target of ['/stacks?worker=x', '/stacks?worker=999999999']) await call('GET', target);
    for (const target of ['/drain', '/drain?state=off', '/drain?state=maybe']) await call('POST', target);
    for (const query of ['workers=2', 'workers=0', 'workers=1&app=none']) await call('POST', `/scale?${query}`);
    assert.equal((await call('POST', '/logs/reopen')).status, 200);
    for (const query of ['', '?lines=5&errors=true', '?lines=x', '?errors=maybe']) await call('GET', `/logs${query}`);
    const name = `name=${encodeURIComponent(url)}`;
    for (const verb of ['drain', 'enable']) {
      await call('POST', `/backends/${verb}?${name}`);
      await call('POST', `/backends/${verb}?name=none`);
    }
    for (const query of [`${name}&weight=3`, `${name}&weight=0`, 'name=none&weight=3'])
      await call('POST', `/backends/weight?${query}`);
    for (const target of ['overview', 'live', 'errors', 'requests', 'requests?limit=0', 'requests/none'])
      await call('GET', `/traces/${target}`);
    for (const part of ['last-good', 'har']) await call('GET', `/traces/requests/none/${part}`);
    for (const target of ['token', 'token?profile=x', 'requests/none/replay']) await call('POST', `/traces/${target}`);
    writeFileSync(join(cwd, 'go'), '');
    await Promise.all(answers);
    await call('POST', '/reload');
    writeFileSync(join(cwd, 'app.py'), 'raise ValueError("no")\n');
    await call('POST', '/reload');
    await call('POST', '/stop');
    await server.exited;
    const seen = [...SEEN].map((one) => one.replace(/ \d+$/, ''));
    assert.deepEqual(
      OPERATIONS.filter((operation) => !seen.includes(operation)),
      [],
    );
  });

  it('refuses other paths and methods with a sentence', async (t) => {
    const { start, socket } = place(t, { 'viaduct.toml': '[[route]]\nrespond = { status = 200 }\n' });
    await start();
    const answers = ['GET /nothing', 'POST /status', 'GET /reload', 'DELETE /backends'].map(async (line) => {
      const [method = '', target = ''] = line.split(' ');
      const { status, body } = await ask(socket(), target, { method });
      return `${status} ${(JSON.parse(body) as { error: string }).error}`;
    });
    const notAllowed = '405 The method is not allowed';
    assert.deepEqual(await Promise.all(answers), [
      '404 There is no such resource',
      ...[notAllowed, notAllowed, notAllowed],
    ]);
  });
});
