import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { eachTestLifetime } from '../support/lifetime.ts';
import { accepts, SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** `/hold` creates the file `held` when it runs, and ends when the file `release` exists. So no test has to guess how long anything takes. */
const APPLICATION = `
import os, time

VERSION = "one"

def application(environ, start_response):
    path = environ["PATH_INFO"]
    body = VERSION
    if path == "/pids":
        body = "%d %d" % (os.getpid(), os.getppid())
    elif path == "/hold":
        open("held", "w").close()
        while not os.path.exists("release"):
            time.sleep(0.01)
        body = "held by " + VERSION
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body.encode()]
`;

const HOLD = 'GET /hold HTTP/1.1\r\nHost: a\r\n\r\n';

describe('life of the server', () => {
  const eachTest = eachTestLifetime();
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory(eachTest);
    writeApplication(APPLICATION);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finishes the running requests and exits with 0 when it gets ${signal}`, async () => {
      const server = await start();
      const client = await hold(server);
      const idle = await SocketClient.open(server.port);
      process.kill(server.pid, signal);
      await idle.untilClosed();
      await eventually('no further connection is accepted', async () => !(await accepts(server.port)));
      assert.equal(client.received, '', 'the running request is not answered yet');
      release();
      assert.equal(await client.untilClosed(), 200);
      assert.match(client.received, /held by one$/);
      assert.equal((await server.exited).code, 0);
    });
  }

  it('blames no other release when a stop ends a reload that has just started', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGHUP');
    process.kill(server.pid, 'SIGTERM');
    assert.equal((await server.exited).code, 0);
    assert.doesNotMatch(server.output(), /another release is starting/);
  });

  it('exits at once when it gets a second SIGINT', async () => {
    const server = await start();
    const { worker } = await pidsOf(server);
    const client = await hold(server);
    process.kill(server.pid, 'SIGINT');
    await eventually('no further connection is accepted', async () => !(await accepts(server.port)));
    await eventually('another SIGINT ends the server', () => {
      try {
        return !process.kill(server.pid, 'SIGINT');
      } catch {
        return true;
      }
    });
    assert.equal(await client.untilClosed(), 0);
    const { code, signal } = await server.exited;
    assert.ok(code === 130 || signal === 'SIGINT', `exited with ${code ?? signal}`);
    await eventually('the worker has ended', () => !isRunning(worker));
  });

  it('counts two SIGINT at once as one, because npm repeats the SIGINT of the terminal', async () => {
    const server = await start();
    const client = await hold(server);
    process.kill(server.pid, 'SIGINT');
    process.kill(server.pid, 'SIGINT');
    await eventually('no further connection is accepted', async () => !(await accepts(server.port)));
    release();
    assert.equal(await client.untilClosed(), 200);
    assert.equal((await server.exited).code, 0);
  });

  it('loads new code without a failed request when it gets SIGHUP under load', async () => {
    const server = await start();
    const before = await pidsOf(server);
    const load = startLoad(server);
    await load.until('one');
    for (const version of ['two', 'three']) {
      writeApplication(APPLICATION.replace('"one"', `"${version}"`));
      process.kill(server.pid, 'SIGHUP');
      await load.until(version);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    for (const versions of load.seen)
      assert.deepEqual(versions, ['one', 'two', 'three'], 'no client sees old code again');
    await eventually(
      'the old worker and zygote have ended',
      () => !isRunning(before.worker) && !isRunning(before.parent),
    );
  });

  it('lets a running request finish on the old code when it gets SIGHUP', async () => {
    const server = await start();
    const client = await hold(server);
    writeApplication(APPLICATION.replace('"one"', '"two"'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('new requests get the new code', async () => (await ask(server, '/')) === 'two');
    release();
    await client.until(/held by one$/);
    client.close();
  });

  it('gives a running request no deadline in a reload, but one when the server stops', async () => {
    const server = await start('--graceful-timeout-ms', '50');
    const client = await hold(server);
    writeApplication(APPLICATION.replace('"one"', '"two"'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('new requests get the new code', async () => (await ask(server, '/')) === 'two');
    const reloadedAt = performance.now();
    await eventually('the time of a stop is long over', () => performance.now() - reloadedAt > 500);
    assert.equal(client.received, '');
    process.kill(server.pid, 'SIGTERM');
    await client.untilClosed();
    assert.doesNotMatch(client.received, /held by/);
    assert.equal((await server.exited).code, 0);
    assert.match(server.output(), /Requests still ran after 0\.05 s/);
  });

  it('says that threads still ran, and not requests, when only they outlive the time of a stop', async () => {
    writeApplication(`${APPLICATION}
import threading
def application(environ, start_response):
    threading.Thread(target=time.sleep, args=(600,)).start()
    start_response("200 OK", [("Content-Length", "0")])
    return []
`);
    const server = await start('--graceful-timeout-ms', '300');
    await ask(server, '/');
    process.kill(server.pid, 'SIGTERM');
    assert.equal((await server.exited).code, 0);
    assert.match(server.output(), /Threads, hooks or exit functions of workers still ran after 0\.3 s/);
    assert.doesNotMatch(server.output(), /Requests still ran/);
  });

  it('keeps serving the old code and shows the traceback when the new code does not import', async () => {
    const server = await start();
    writeApplication('raise RuntimeError("broken release")\n');
    process.kill(server.pid, 'SIGHUP');
    await eventually('the traceback is shown', () => /RuntimeError: broken release/.test(server.output()));
    assert.equal(await ask(server, '/'), 'one');
    writeApplication(APPLICATION.replace('"one"', '"fixed"'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the fixed code serves', async () => (await ask(server, '/')) === 'fixed');
  });

  it('leaves no Python process running when the server process is killed with SIGKILL', async () => {
    const server = await start();
    const { worker, parent } = await pidsOf(server);
    const client = await hold(server);
    process.kill(server.pid, 'SIGKILL');
    await client.untilClosed();
    await eventually('the zygote has ended', () => parent === server.pid || !isRunning(parent));
    await eventually('the busy worker has ended', () => !isRunning(worker));
  });

  it('replaces a worker that was killed', async () => {
    const server = await start();
    const first = await pidsOf(server);
    process.kill(first.worker, 'SIGKILL');
    await eventually('another worker answers', async () => (await pidsOf(server)).worker !== first.worker);
    assert.equal(await ask(server, '/'), 'one');
  });

  it('answers 502 to the request that a killed worker was running, and serves the next', async () => {
    const server = await start();
    const { worker } = await pidsOf(server);
    const client = await hold(server);
    process.kill(worker, 'SIGKILL');
    await client.until(/^HTTP\/1\.1 502 /);
    client.close();
    assert.equal(await ask(server, '/'), 'one');
  });

  it('waits longer before each new worker when workers die at once', async () => {
    writeApplication(`${APPLICATION}
def die():
    with open("starts", "a") as file:
        file.write("%f\\n" % time.monotonic())
    if os.path.exists("deadly"):
        os._exit(3)

os.register_at_fork(after_in_child=die)
`);
    const server = await start();
    writeFileSync(join(directory, 'starts'), '');
    writeFileSync(join(directory, 'deadly'), '');
    process.kill((await pidsOf(server)).worker, 'SIGKILL');
    const starts = (): number[] =>
      readFileSync(join(directory, 'starts'), 'utf8').split('\n').filter(Boolean).map(Number);
    await eventually('five workers have died', () => starts().length >= 5);
    const times = starts();
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    assert.ok((gaps[3] as number) > 1.5 * (gaps[0] as number), `seconds between starts: ${gaps.join(', ')}`);
    assert.ok(isRunning(server.pid));
    rmSync(join(directory, 'deadly'));
    await eventually(
      'a worker that stays alive serves again',
      async () => (await ask(server, '/').catch(() => '')) === 'one',
    );
  });

  it('shows the traceback and exits with 1 when the application does not import', async () => {
    writeApplication('import missing_module_of_ours\n');
    const server = await startViaduct(eachTest, ['serve', directory], { awaitReady: false });
    assert.equal((await server.exited).code, 1);
    assert.match(server.output(), /ModuleNotFoundError: No module named 'missing_module_of_ours'/);
    assert.match(server.output(), /app\.py", line 1/);
    assert.doesNotMatch(server.output(), /^\s+at .+:\d+:\d+/m);
  });

  it('shows the traceback as the page in development, until the code is fixed', async () => {
    writeApplication('import missing_module_of_ours\n');
    const server = await startViaduct(eachTest, ['serve', directory, '--dev']);
    const page = await fetch(`${server.url}/`, { headers: { Accept: 'text/html' } });
    assert.equal(page.status, 500);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(await page.text(), /No module named .{1,6}missing_module_of_ours/);
    assert.match(server.output(), /ModuleNotFoundError/);
    writeApplication(APPLICATION);
    await eventually('the fixed code serves', async () => (await ask(server, '/').catch(() => '')) === 'one');
  });

  async function start(...args: readonly string[]): Promise<Viaduct> {
    const server = await startViaduct(eachTest, ['serve', directory, '--workers', '1', '--threads', '2', ...args]);
    eachTest.after(release);
    return server;
  }

  function writeApplication(text: string): void {
    writeFileSync(join(directory, 'app.py'), text);
  }

  function release(): void {
    writeFileSync(join(directory, 'release'), '');
  }

  /** A client whose request runs in the application until `release`. */
  async function hold(server: Viaduct): Promise<SocketClient> {
    const client = await SocketClient.open(server.port);
    client.send(HOLD);
    await eventually('the request runs', () => existsSync(join(directory, 'held')));
    return client;
  }
});

async function ask(server: Viaduct, path: string): Promise<string> {
  const response = await fetch(`${server.url}${path}`);
  assert.equal(response.status, 200);
  return await response.text();
}

async function pidsOf(server: Viaduct): Promise<{ worker: number; parent: number }> {
  const [worker, parent] = (await ask(server, '/pids')).split(' ').map(Number);
  return { worker: worker as number, parent: parent as number };
}

/** Four clients that send the next request as soon as they have an answer, until they are stopped. */
function startLoad(server: Viaduct): {
  readonly failures: string[];
  /** The versions that each client saw, one entry for each change. */
  readonly seen: readonly (readonly string[])[];
  until(version: string): Promise<void>;
  stop(): Promise<void>;
} {
  const failures: string[] = [];
  const seen: string[][] = [[], [], [], []];
  let stopped = false;
  const clients = seen.map(async (versions) => {
    while (!stopped && failures.length === 0) {
      try {
        const response = await fetch(`${server.url}/`);
        const text = await response.text();
        if (response.status !== 200) failures.push(`${response.status} ${text}`);
        else if (versions.at(-1) !== text) versions.push(text);
      } catch (error) {
        failures.push(String(error instanceof Error ? (error.cause ?? error) : error));
      }
    }
  });
  return {
    failures,
    seen,
    until: (version) =>
      eventually(`every client sees "${version}"`, () => {
        assert.deepEqual(failures, []);
        return seen.every((versions) => versions.at(-1) === version);
      }),
    stop: async () => {
      stopped = true;
      await Promise.all(clients);
    },
  };
}
