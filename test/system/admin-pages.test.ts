import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Overview } from '../../src/trace/overview.ts';
import type { TraceSummary } from '../../src/trace/store.ts';
import { callControl } from '../support/control-api.ts';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

interface Served {
  readonly server: Viaduct;
  /** The port of the admin listener. */
  readonly admin: number;
  readonly socket: string;
}

async function serve(t: TestContext, flags: readonly string[], address = '127.0.0.1:0'): Promise<Served> {
  const cwd = makeProject(t, { 'app.py': WSGI_APP });
  const socket = join(cwd, 'control.sock');
  const all = ['app:application', '--workers', '2', '--admin', address, '--control', socket, ...flags];
  const server = await startViaduct(t, all, { cwd });
  const found = (): RegExpExecArray | null =>
    /^Pages and metrics are on http:\/\/[\d.]+:(\d+)\//m.exec(server.output());
  await eventually('the admin listener', () => found() !== null);
  return { server, admin: Number(found()?.[1]), socket };
}

async function overviewOf(port: number, headers: readonly (readonly [string, string])[] = []): Promise<Overview> {
  const { status, body } = await ask(port, '/api/overview', { host: 'localhost', headers });
  assert.equal(status, 200, body);
  return JSON.parse(body) as Overview;
}

describe('the admin listener of a running server', () => {
  for (const processes of [1, 2])
    it(`shows rates and all workers, with ${processes} server processes`, async (t) => {
      const { server, admin } = await serve(t, ['--processes', `${processes}`]);
      await eventually('all workers', async () => (await overviewOf(admin)).workers.length === 2);
      for (let i = 0; i < 20; i += 1) await ask(server.port, '/');
      await eventually('a rate', async () => (await overviewOf(admin)).rates.requests > 0);
      const overview = await overviewOf(admin);
      assert.equal(overview.server.processes, processes);
      assert.equal(overview.counted, true);
      assert.ok(overview.workers.every(({ state, gilWaitMs }) => state === 'ready' && gilWaitMs !== null));
      assert.equal(overview.workers.reduce((sum, { done }) => sum + done, 0) >= 20, true);
      assert.deepEqual(overview.rates.errors, 0);
    });

  it('has events that a reload keeps, and that end with the server', async (t) => {
    const { server, admin, socket } = await serve(t, []);
    const stream = connect(admin, '127.0.0.1');
    let received = '';
    stream.on('data', (block: Buffer) => (received += block));
    const ended = new Promise((resolve) => stream.once('end', resolve));
    stream.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const overviews = (): number => received.split('event: overview').length - 1;
    await eventually('events', () => overviews() >= 2);
    assert.equal((await callControl(socket, 'POST', '/reload')).status, 200);
    const before = overviews();
    await eventually('further events', () => overviews() >= before + 2);
    const stopping = server.stop();
    await ended;
    await stopping;
    assert.match(received, /\r\n0\r\n\r\n$/, 'the stream is complete');
  });

  it('prints a token where others can connect, and asks for it', async (t) => {
    const { server, admin } = await serve(t, [], '0.0.0.0:0');
    const [, token = ''] = /with the token (\S+)$/m.exec(server.output()) ?? [];
    assert.equal((await ask(admin, '/api/overview', { host: 'localhost' })).status, 401);
    assert.equal((await ask(admin, '/metrics', { host: 'localhost' })).status, 200);
    assert.equal((await overviewOf(admin, [['Authorization', `Bearer ${token}`]])).server.processes, 1);
    assert.equal(server.output().split(token).length, 2, 'once');
  });
});

describe('/__viaduct/ of a running server', () => {
  it('exists in development, for this machine', async (t) => {
    const cwd = makeProject(t, { 'app.py': WSGI_APP });
    const server = await startViaduct(t, ['app:application', '--dev'], { cwd });
    await ask(server.port, '/');
    const { status, body } = await ask(server.port, '/__viaduct/api/overview', { host: 'localhost' });
    assert.equal(status, 200);
    const { server: shown, counted } = JSON.parse(body) as Overview;
    assert.deepEqual([shown.urls, counted], [[server.url], true]);
    assert.equal((await ask(server.port, '/__viaduct/', { host: 'attacker.example' })).status, 403);
  });

  it('shows all server processes, whichever answers', async (t) => {
    const cwd = makeProject(t, { 'app.py': WSGI_APP });
    const server = await startViaduct(t, ['app:application', '--dev', '--processes', '2', '--workers', '2'], { cwd });
    const data = async (path: string): Promise<unknown> =>
      JSON.parse((await ask(server.port, `/__viaduct/api/${path}`, { host: 'localhost' })).body);
    const requests = async (): Promise<readonly TraceSummary[]> =>
      ((await data('requests?path=/shown')) as { readonly requests: readonly TraceSummary[] }).requests;
    // Each is on a connection of its own, which the kernel gives to one of the processes.
    let sent = 0;
    await eventually('both processes have answered', async () => {
      await ask(server.port, '/shown');
      sent += 1;
      return new Set((await requests()).map(({ worker }) => worker)).size === 2;
    });
    for (let turn = 0; turn < 8; turn += 1) {
      const list = await requests();
      assert.equal(list.length, sent);
      for (const { id } of [list[0], list.at(-1)] as TraceSummary[])
        assert.equal(((await data(`requests/${id}`)) as { readonly id: string }).id, id);
    }
    const { server: shown, workers } = (await data('overview')) as Overview;
    assert.deepEqual([shown.processes, workers.length], [2, 2]);
  });

  it('is a path of the application in production', async (t) => {
    const cwd = makeProject(t, { 'app.py': WSGI_APP, 'viaduct.toml': 'dev_pages = "private"\n' });
    const server = await startViaduct(t, ['app:application'], { cwd });
    const site = await ask(server.port, '/', { host: 'localhost' });
    for (const path of ['/__viaduct/', '/__viaduct/api/overview', '/__viaduct/api/events']) {
      const { status, body } = await ask(server.port, path, { host: 'localhost' });
      assert.deepEqual([status, body], [site.status, site.body], path);
    }
  });
});
