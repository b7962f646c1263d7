import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { callControl } from '../support/control-api.ts';
import { ask, Pipeline } from '../support/http-client.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { ROOT, runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** `/die` ends the worker, `/wait` runs until there is a file `go`, `/raise` raises. */
const APP = `
import os, time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/die": os._exit(1)
    if path == "/raise": raise ValueError("wrong")
    while path == "/wait" and not os.path.exists("go"): time.sleep(0.01)
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
`;

const ROUTES = `
[[route]]
name = "shop"
path = "/shop/*"
app = "main"

[[route]]
name = "files"
path = "/files/*"
respond = { status = 404, body = "nothing" }
`;

interface Place {
  readonly cwd: string;
  readonly server: Viaduct;
  readonly admin: string;
  /** The value of a series, such as `viaduct_ready` or `viaduct_workers{state="ready"}`: the sum of all that have these labels. */
  value(series: string): Promise<number>;
}

async function place(
  t: TestContext,
  args: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<Place> {
  const cwd = makeProject(t, { 'app.py': APP, ...files });
  const admin = join(cwd, 'admin.sock');
  const server = await startViaduct(
    t,
    ['--workers', '1', '--threads', '2', '--admin', `unix:${admin}`, '--control', 'control.sock', ...args],
    { cwd },
  );
  return { cwd, server, admin, value: async (series) => valueIn((await ask(admin, '/metrics')).body, series) };
}

/** The sum of all series in `text` that have the name and the labels of `series`; NaN if there is none. */
function valueIn(text: string, series: string): number {
  const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
  const wanted = labels === '' ? [] : labels.split(',');
  const found = text.split('\n').flatMap((line) => {
    const [, found, own = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return found === name && wanted.every((label) => own.includes(label)) ? [Number(value)] : [];
  });
  return found.length === 0 ? Number.NaN : found.reduce((sum, value) => sum + value);
}

describe('the metrics', { concurrency: 2 }, () => {
  it('count requests by route, method and class of the status, over both protocols', async (t) => {
    const { server, value } = await place(t, [], { 'viaduct.toml': ROUTES });
    const client = await Pipeline.open(server.port);
    await client.get('/shop/1', '/shop/2', '/files/3', '/other');
    const session = connectHttp2(server.url);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/shop/4', ':method': 'PROPFIND' });
    await new Promise((resolve) => stream.on('close', resolve).resume().end());
    const count = 'http_server_request_duration_seconds_count';
    const shop = `${count}{http_route="shop",http_request_method="GET",http_response_status_class="2xx"}`;
    await eventually('all are counted', async () => (await value(count)) === 5);
    assert.equal(await value(shop), 2);
    assert.equal(await value(`${count}{http_route="files",http_response_status_class="4xx"}`), 1);
    assert.equal(await value(`${count}{http_request_method="_OTHER",http_route="shop"}`), 1);
    assert.equal(await value('viaduct_requests_total{network_protocol_version="2"}'), 1);
    assert.equal(await value('viaduct_python_duration_seconds_count{http_route="shop"}'), 3);
    assert.equal(await value('viaduct_queue_wait_seconds_count'), 4);
    assert.equal(await value('viaduct_response_content_bytes_total{http_route="shop"}'), 15);
    assert.equal(await value('viaduct_connections{protocol="http/1.1"}'), 1);
    assert.equal(await value('viaduct_connections{protocol="h2"}'), 1);
    assert.equal(await value('viaduct_connections_accepted_total'), 2);
    client.close();
  });

  it('show workers, the queue, and why requests failed', async (t) => {
    const { cwd, server, value } = await place(t, ['--max-requests', '2', '--queue-max', '1', '--threads', '1']);
    assert.equal((await ask(server.port, '/raise')).status, 500);
    await eventually('the worker is replaced', async () => {
      if ((await value('viaduct_worker_recycles_total{reason="max_requests"}')) === 1) return true;
      await ask(server.port, '/');
      return false;
    });
    assert.ok((await value('viaduct_worker_starts_total')) >= 2);
    assert.equal(await value('viaduct_request_failures_total{reason="exception"}'), 1);
    await ask(server.port, '/die');
    await eventually('a worker has died', async () => (await value('viaduct_worker_exits_total{outcome="died"}')) >= 1);
    assert.equal(await value('viaduct_request_failures_total{reason="worker died"}'), 1);
    await eventually('it is replaced', async () => (await value('viaduct_workers{state="ready"}')) === 1);
    const waits = Array.from({ length: 12 }, () => ask(server.port, '/wait'));
    await eventually('requests wait', async () => (await value('viaduct_queue_requests')) === 1);
    assert.equal(await value('viaduct_worker_busy_threads'), 1);
    assert.ok((await value('http_server_active_requests')) > 1);
    assert.ok((await value('viaduct_request_failures_total{reason="queue full"}')) > 0);
    assert.ok((await value('viaduct_worker_resident_memory_bytes{slot="1"}')) > 1e6);
    writeFileSync(join(cwd, 'go'), '');
    await Promise.all(waits);
  });

  it('measure the requests at backends, and the wait for the interpreter lock', async (t) => {
    const backend = createServer((_request, response) => response.end('ok'));
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    t.after(() => void backend.close().closeAllConnections());
    const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
    const routes = `[[route]]\nname = "api"\npath = "/api/*"\nproxy = "${url}"\n`;
    const { server, value } = await place(t, ['--processes', '2'], { 'viaduct.toml': routes });
    for (let i = 0; i < 4; i += 1) await ask(server.port, '/api/x');
    const labels = `{http_route="api",backend="${url}"}`;
    await eventually('they count', async () => (await value(`viaduct_backend_duration_seconds_count${labels}`)) === 4);
    assert.ok((await value(`viaduct_backend_duration_seconds_sum${labels}`)) > 0);
    const lock = 'viaduct_lock_wait_seconds_count{application="main"}';
    await eventually('it is measured', async () => (await value(lock)) > 1);
  });

  it('count lines that a log has lost', { skip: !existsSync('/dev/full') }, async (t) => {
    const { server, value } = await place(t, ['--access-log', 'json', '--access-log-file', '/dev/full']);
    const lost = 'viaduct_log_lines_dropped_total{log="access",output="file"}';
    assert.equal(await value(lost), 0);
    for (let i = 0; i < 3; i += 1) await ask(server.port, '/');
    await eventually('they count', async () => (await value(lost)) === 3);
    assert.equal(await value('viaduct_log_lines_dropped_total{log="server"}'), 0);
  });

  it('count reloads and refused requests', async (t) => {
    const { cwd, server, value } = await place(t);
    assert.equal((await runViaduct(cwd, 'reload', '--control', 'control.sock')).code, 0);
    writeFileSync(join(cwd, 'app.py'), 'raise RuntimeError("broken")');
    assert.equal((await runViaduct(cwd, 'reload', '--control', 'control.sock')).code, 1);
    assert.equal(await value('viaduct_reloads_total{outcome="success"}'), 1);
    assert.equal(await value('viaduct_reloads_total{outcome="failure"}'), 1);
    const refused = await ask(server.port, '/a b');
    assert.equal(refused.status, 400);
    assert.equal(await value('viaduct_requests_refused_total'), 1);
    assert.equal(await value('viaduct_ready'), 1);
  });

  it('are sums over the server processes, and do not become less when one of them dies', async (t) => {
    const { server, value, cwd } = await place(t, ['--processes', '2', '--workers', '2']);
    for (let i = 0; i < 20; i += 1) await ask(server.port, '/');
    const count = 'http_server_request_duration_seconds_count';
    await eventually('all are counted', async () => (await value(count)) === 20);
    assert.equal(await value('viaduct_workers{state="ready"}'), 2);
    assert.equal(await value('viaduct_ready{process="1"}'), 1);
    assert.equal(await value('viaduct_ready{process="2"}'), 1);
    const { value: status } = await callControl(join(cwd, 'control.sock'), 'GET', '/status');
    const [first] = (status as { processes: { pid: number }[] }).processes;
    process.kill(first?.pid as number, 'SIGKILL');
    await eventually('it is gone', async () => {
      assert.ok((await value(count)) >= 20, 'never less');
      const { value: now } = await callControl(join(cwd, 'control.sock'), 'GET', '/status');
      const { processes } = now as { processes: { pid: number; state: string }[] };
      return processes.length === 2 && processes.every(({ pid, state }) => pid !== first?.pid && state === 'serving');
    });
    assert.equal(await value(count), 20);
    await ask(server.port, '/');
    await eventually('further ones are counted', async () => (await value(count)) === 21);
  });

  it('are printed by a command, and are JSON on the control socket', async (t) => {
    const { cwd } = await place(t);
    const { code, output } = await runViaduct(cwd, 'metrics', '--control', 'control.sock');
    assert.equal(code, 0);
    assert.match(output, /^# TYPE viaduct_build info\n/);
    assert.match(output, /# EOF\n$/);
    const { status, value } = await callControl(join(cwd, 'control.sock'), 'GET', '/metrics');
    assert.equal(status, 200);
    assert.ok((value as unknown[]).length > 30);
  });

  it('are not counted without the setting, and the command says so', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP });
    await startViaduct(t, ['--workers', '1', '--control', 'control.sock'], { cwd });
    const { code, output } = await runViaduct(cwd, 'metrics', '--control', 'control.sock');
    assert.equal(code, 2);
    assert.match(output, /Cannot print the metrics: The server counts nothing: the setting admin is not set/);
    assert.equal((await callControl(join(cwd, 'control.sock'), 'GET', '/metrics')).status, 409);
  });

  it('are all in the documentation, and nothing else is', async (t) => {
    const { admin } = await place(t);
    const { body } = await ask(admin, '/metrics', { headers: [['Accept', 'application/openmetrics-text']] });
    const served = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
    const documented = [...page.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram|info) \|/gm)].map(
      ([, name, type]) =>
        `${type === 'counter' ? name?.replace(/_total$/, '') : type === 'info' ? name?.replace(/_info$/, '') : name} ${type}`,
    );
    assert.deepEqual(documented.toSorted(), served.toSorted());
  });
});

describe('the admin listener', { concurrency: 2 }, () => {
  it('is read by programs over TCP, and not by web pages', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP });
    const port = await freePort();
    const server = await startViaduct(t, ['--workers', '1', '--admin', `${port}`], { cwd });
    const get = (headers: Readonly<Record<string, string>>) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        request({ port, path: '/metrics', headers, agent: false }, (response) => resolve(response.resume()))
          .on('error', reject)
          .end();
      });
    assert.equal((await get({ host: `attacker.example:${port}` })).statusCode, 403);
    assert.equal((await get({ host: `127.0.0.1:${port}` })).statusCode, 200);
    const foreign = await get({ host: `127.0.0.1:${port}`, origin: 'https://attacker.example' });
    assert.equal(foreign.statusCode, 403);
    assert.equal(foreign.headers['access-control-allow-origin'], undefined);
    assert.doesNotMatch(server.output(), /open to the network/);
    assert.match(server.output(), new RegExp(`^Pages and metrics are on http://127\\.0\\.0\\.1:${port}/$`, 'm'));
  });

  it('warns when the network can reach it', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP });
    const server = await startViaduct(t, ['--workers', '1', '--admin', `0.0.0.0:${await freePort()}`], { cwd });
    assert.match(server.output(), /The admin listener http:\/\/0\.0\.0\.0:\d+ is open to the network/);
  });

  it('that cannot be opened ends the start with the reason', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP });
    const { admin } = await place(t);
    const used = await runViaduct(cwd, '--admin', `unix:${admin}`, '--listen', '127.0.0.1:0');
    assert.notEqual(used.code, 0);
    assert.match(used.output, /Cannot listen on "unix:.*"/);
    writeFileSync(join(cwd, 'app.py'), 'raise RuntimeError("broken")');
    assert.equal((await runViaduct(cwd, '--admin', 'unix:left.sock', '--listen', '127.0.0.1:0')).code, 1);
    assert.ok(!existsSync(join(cwd, 'left.sock')), 'nothing is left of a start that failed');
    for (const address of ['https://127.0.0.1:9464', 'uwsgi://127.0.0.1:9464', 'fd:3', 'nowhere']) {
      const { code, output } = await runViaduct(cwd, 'check', '--admin', address);
      assert.equal(code, 2, output);
      assert.match(output, /it must be 9464, HOST:PORT, \[::1\]:PORT or unix:PATH/);
    }
  });
});
