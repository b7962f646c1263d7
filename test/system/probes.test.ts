import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { ask, fetchWhole, Pipeline, PROTOCOLS } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { accepts } from '../support/socket-client.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** `/wait` runs until there is a file `go`, `/die` ends the worker. With a file `broken`, the application cannot be imported. */
const APP = `
import os, time
if os.path.exists("broken"): raise RuntimeError("broken")
while os.path.exists("hold"): time.sleep(0.01)
def application(environ, start_response):
    if environ["PATH_INFO"] == "/die": os._exit(1)
    while environ["PATH_INFO"] == "/wait" and not os.path.exists("go"): time.sleep(0.01)
    start_response("200 OK", [("Content-Length", "11")])
    return [b"application"]
`;

const STRANGER = [['X-Forwarded-For', '203.0.113.9']] as const;

/** Status and content of `/-/ready`. */
async function readiness(address: number | string): Promise<string> {
  const { status, body } = await ask(address, '/-/ready');
  return `${status} ${body.trim()}`;
}

const READY = '200 {"ready":true,"reasons":[]}';
const unready = (reason: string): string => `503 {"ready":false,"reasons":["${reason}"]}`;

function becomes(address: number | string, expected: string): Promise<void> {
  return eventually(`it is ${expected}`, async () => (await readiness(address)) === expected);
}

function project(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  return makeProject(t, { 'app.py': APP, ...files });
}

describe('the probes', { concurrency: 2 }, () => {
  for (const processes of [1, 2]) {
    it(`are answered over both protocols, with processes = ${processes}`, async (t) => {
      const { port } = await startViaduct(t, ['--processes', `${processes}`], { cwd: project(t) });
      for (const protocol of PROTOCOLS) {
        for (const [path, body] of [
          ['/-/live', '{"live":true}\n'],
          ['/-/ready', '{"ready":true,"reasons":[]}\n'],
        ] as const) {
          const answer = await fetchWhole(protocol, port, 'GET', path);
          assert.deepEqual([answer.status, answer.text], [200, body]);
          assert.equal(answer.headers['content-type'], 'application/json');
          assert.equal(answer.headers['cache-control'], 'no-store');
          const head = await fetchWhole(protocol, port, 'HEAD', path);
          assert.deepEqual([head.status, head.text], [200, '']);
          assert.equal((await fetchWhole(protocol, port, 'POST', path)).status, 405);
        }
      }
      assert.equal((await ask(port, '/-/live?a=b')).status, 200);
      for (const other of ['/-/lives', '/-/', '/-', '/x/-/live', '//-/live', '/%2D/live'])
        assert.equal((await ask(port, other)).body, 'application', other);
    });
  }

  it('answer while the application is imported: the server is alive, and not ready', async (t) => {
    const cwd = project(t, { hold: '' });
    const socket = join(cwd, 's');
    const server = await startViaduct(t, [], { cwd, listen: `unix:${socket}`, awaitReady: false });
    await eventually('it listens', () => accepts(socket));
    assert.equal((await ask(socket, '/-/live')).status, 200);
    assert.equal(await readiness(socket), unready('the server is starting'));
    rmSync(join(cwd, 'hold'));
    await becomes(socket, READY);
    assert.match(server.output(), /application/);
  });

  it('say that an application has no worker, until it has one again', async (t) => {
    const cwd = project(t);
    const { port } = await startViaduct(t, ['--workers', '1', '--no-preload'], { cwd });
    writeFileSync(join(cwd, 'broken'), '');
    assert.equal((await ask(port, '/die')).status, 502);
    await becomes(port, unready('an application has no worker'));
    assert.equal((await ask(port, '/-/live')).status, 200);
    rmSync(join(cwd, 'broken'));
    await becomes(port, READY);
  });

  it('say that a queue is full, and are answered meanwhile', async (t) => {
    const cwd = project(t);
    const { port } = await startViaduct(t, ['--workers', '1', '--threads', '1', '--queue-max', '1'], { cwd });
    const waiting = [ask(port, '/wait'), ask(port, '/wait')];
    await becomes(port, unready('a queue is full'));
    writeFileSync(join(cwd, 'go'), '');
    await Promise.all(waiting);
    await becomes(port, READY);
  });

  it('say that a route has no backend that is up', async (t) => {
    const { url } = await startBackend(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const cwd = makeProject(t, { 'viaduct.toml': `[[route]]\nproxy = "${url}"\n` });
    const { port } = await startViaduct(t, [], { cwd });
    assert.equal(await readiness(port), READY);
    assert.equal((await runViaduct(cwd, 'backends', 'drain', url)).code, 0);
    assert.equal(await readiness(port), unready('a route has no backend that is up'));
    assert.equal((await runViaduct(cwd, 'backends', 'enable', url)).code, 0);
    assert.equal(await readiness(port), READY);
  });

  it('say that a server is ready that has an application in TypeScript', async (t) => {
    const cwd = makeProject(t, { 'app.ts': 'export default { fetch: () => new Response("typescript") };\n' });
    const { port } = await startViaduct(t, ['app.ts'], { cwd });
    assert.equal(await readiness(port), READY);
    assert.equal((await ask(port, '/-/live', { headers: STRANGER })).body, 'typescript');
  });

  it('are for clients in private networks, unless the setting says otherwise', async (t) => {
    const cwd = project(t);
    const near = await startViaduct(t, [], { cwd });
    const from = (address: string) => ask(near.port, '/-/live', { headers: [['X-Forwarded-For', address]] });
    for (const address of ['10.1.2.3', '192.168.0.1', '172.20.0.1', '100.64.0.1', 'fd00::1', 'fe80::1'])
      assert.equal((await from(address)).body, '{"live":true}\n', address);
    for (const address of ['203.0.113.9', '2001:db8::1', '172.32.0.1'])
      assert.equal((await from(address)).body, 'application', address);
    const all = await startViaduct(t, ['--probes', 'all'], { cwd });
    assert.equal((await ask(all.port, '/-/live', { headers: STRANGER })).body, '{"live":true}\n');
    const off = await startViaduct(t, ['--probes', 'off'], { cwd });
    assert.equal((await ask(off.port, '/-/live')).body, 'application');
  });

  it('leave a path to the route that has it, and pass no handler', async (t) => {
    const site = `https_redirect = true\n[[route]]\npath = "/-/live"\nrespond = { body = "mine" }\n`;
    const { port } = await startViaduct(t, [], { cwd: project(t, { 'viaduct.toml': site }) });
    assert.equal((await ask(port, '/-/live')).status, 301);
    assert.equal((await ask(port, '/page')).status, 301);
    assert.equal(await readiness(port), READY);
    assert.equal((await ask(port, '/-/ready', { host: 'unknown.example' })).status, 200);
  });

  it('are in the access log only if they found something wrong', async (t) => {
    const cwd = project(t);
    const server = await startViaduct(t, ['--access-log', 'json'], { cwd });
    assert.equal(await readiness(server.port), READY);
    assert.equal((await ask(server.port, '/-/ready', { headers: STRANGER })).body, 'application');
    await runViaduct(cwd, 'drain');
    assert.equal(await readiness(server.port), unready('the server is drained'));
    await eventually('it is logged', () => /"status":503/.test(server.output()));
    const lines = server.output().split('\n');
    const logged = lines.flatMap((line) => /"path":"\/-\/ready".*"status":(\d+)/.exec(line)?.[1] ?? []);
    assert.deepEqual(logged, ['200', '503']);
  });
});

describe('a server with drain_delay_ms', { concurrency: 2 }, () => {
  for (const processes of [1, 2]) {
    it(`is unready first, accepts, and then ends its connections, with processes = ${processes}`, async (t) => {
      const cwd = project(t);
      const args = ['--drain-delay-ms', '4s', '--processes', `${processes}`];
      const { port, pid, exited } = await startViaduct(t, args, { cwd });
      const kept = await Pipeline.open(port);
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      session.on('error', () => {});
      t.after(() => session.destroy());
      await once(session, 'remoteSettings');
      const goaway = once(session, 'goaway');
      process.kill(pid, 'SIGTERM');
      await becomes(port, unready('the server is stopping'));
      assert.equal((await ask(port, '/-/live')).status, 200);
      assert.equal((await ask(port, '/new')).body, 'application');
      const [persists] = await kept.get('/kept');
      assert.doesNotMatch(persists?.head ?? '', /^connection: close/im);
      const waits = kept.get('/wait');
      assert.equal((await goaway)[0], 0, 'NO_ERROR');
      await eventually('it accepts no more', async () => !(await accepts(port)));
      writeFileSync(join(cwd, 'go'), '');
      const [last] = await waits;
      assert.equal(last?.body, 'application');
      assert.match(last?.head ?? '', /^connection: close$/im);
      assert.deepEqual(await exited, { code: 0, signal: null });
    });
  }

  it('ends at once at a second signal', async (t) => {
    const { port, pid, exited } = await startViaduct(t, ['--drain-delay-ms', '10min'], { cwd: project(t) });
    process.kill(pid, 'SIGTERM');
    await becomes(port, unready('the server is stopping'));
    process.kill(pid, 'SIGTERM');
    assert.deepEqual(await exited, { code: 143, signal: null });
  });
});

describe('viaduct drain', { concurrency: 2 }, () => {
  it('makes every server process unready, those too that start later, until drain off', async (t) => {
    const cwd = project(t);
    const { port } = await startViaduct(t, ['--processes', '2'], { cwd });
    const pids = async (): Promise<number[]> => {
      const { output } = await runViaduct(cwd, 'status', '--json');
      return (JSON.parse(output) as { processes: { pid: number }[] }).processes.map(({ pid }) => pid);
    };
    const everyAnswer = async (expected: string): Promise<void> => {
      for (let i = 0; i < 12; i += 1) assert.equal(await readiness(port), expected);
    };
    assert.deepEqual(await runViaduct(cwd, 'drain'), { code: 0, output: '' });
    await everyAnswer(unready('the server is drained'));
    assert.equal((await ask(port, '/')).body, 'application', 'requests are answered all the same');
    const [first = 0, second = 0] = await pids();
    process.kill(first, 'SIGKILL');
    await eventually('another one serves', async () => {
      const { output } = await runViaduct(cwd, 'status', '--json');
      const { processes } = JSON.parse(output) as { processes: { pid: number; state: string }[] };
      return processes.filter(({ pid, state }) => pid !== first && state === 'drained').length === 2;
    });
    assert.ok((await pids()).includes(second));
    await everyAnswer(unready('the server is drained'));
    assert.deepEqual(await runViaduct(cwd, 'drain', 'off'), { code: 0, output: '' });
    await everyAnswer(READY);
  });
});
