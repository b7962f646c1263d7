import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const APP = `
import os
import viaduct
@viaduct.postfork
def start():
    if os.path.exists('dies'):  # a worker registers each of its lanes, after it has made its scoreboard
        os.register_at_fork = lambda **_: os._exit(7)
def application(environ, start_response):
    length = len(environ['wsgi.input'].read())
    start_response('200 OK', [])
    return [b'%d %d %d' % (length, os.getpid(), os.getppid())]
`;
const NOT_ROOT = process.getuid?.() !== 0 && 'only root can be another user';
const UPLOAD = { method: 'POST', body: 'x'.repeat(600_000) };

interface Site {
  readonly server: Viaduct;
  readonly temporary: string;
  readonly runtime: string;
  readonly project: string;
}

describe('private directories', { concurrency: 2 }, () => {
  async function serve(t: TestContext): Promise<Site> {
    const [temporary, runtime] = [temporaryDirectory(t), temporaryDirectory(t)];
    const project = makeProject(t, { 'app.py': APP });
    const env = { TMPDIR: temporary, XDG_RUNTIME_DIR: runtime, RUNTIME_DIRECTORY: '' };
    const server = await startViaduct(
      t,
      ['serve', project, '--workers', '1', '--access-log', 'off', '--control', 'off'],
      { env },
    );
    return { server, temporary, runtime, project };
  }

  const pidsOf = async (server: Viaduct): Promise<[number, number]> =>
    (await ask(server.port, '/')).body.split(' ').slice(1).map(Number) as [number, number];

  it('are made again when a cleaner removed them: uploads arrive, workers are replaced, and a reload works', async (t) => {
    const { server, temporary, runtime } = await serve(t);
    const clean = (): void => {
      for (const base of [temporary, runtime]) {
        for (const name of readdirSync(base)) rmSync(join(base, name), { recursive: true });
      }
    };
    clean();
    assert.match((await ask(server.port, '/', UPLOAD)).body, /^600000 /);
    const [worker, zygote] = await pidsOf(server);
    clean();
    process.kill(worker, 'SIGKILL');
    assert.notEqual((await pidsOf(server))[0], worker);
    clean();
    process.kill(server.pid, 'SIGHUP');
    await eventually('the reload is over', () => /Reloaded in/.test(server.output()));
    assert.notEqual((await pidsOf(server))[1], zygote);
    assert.match((await ask(server.port, '/', UPLOAD)).body, /^600000 /);
  });

  it('have nothing of workers that died before they could serve', async (t) => {
    const { server, temporary, runtime, project } = await serve(t);
    const [worker] = await pidsOf(server);
    const leave = join(project, 'dies');
    writeFileSync(leave, '');
    process.kill(worker, 'SIGKILL');
    await eventually('two workers died', () => server.output().split('with exit code 7').length > 2);
    rmSync(leave);
    assert.notEqual((await pidsOf(server))[0], worker);
    const names = [temporary, runtime].flatMap((base) => readdirSync(base, { recursive: true }).map(String));
    assert.deepEqual(
      names.filter((name) => name.endsWith('.scoreboard')),
      [],
    );
  });

  it('are not those that another user put in their place', { skip: NOT_ROOT }, async (t) => {
    const { server, temporary, runtime } = await serve(t);
    const [worker] = await pidsOf(server);
    const foreign: string[] = [];
    for (const base of [temporary, runtime]) {
      for (const name of readdirSync(base)) {
        const path = join(base, name);
        rmSync(path, { recursive: true });
        mkdirSync(path, { mode: 0o777 });
        const socket = createServer().listen(join(path, 'server.sock'));
        await once(socket, 'listening');
        t.after(() => socket.close());
        chownSync(path, 12345, 12345);
        foreign.push(path);
      }
    }
    assert.match((await ask(server.port, '/', UPLOAD)).body, /^600000 /);
    process.kill(worker, 'SIGKILL');
    assert.notEqual((await pidsOf(server))[0], worker);
    for (const path of foreign)
      assert.deepEqual(
        readdirSync(path).filter((name) => name !== 'server.sock'),
        [],
        path,
      );
    assert.deepEqual([readdirSync(temporary).length, readdirSync(runtime).length], [2, 2]);
  });

  it('fail one upload, and not the server, while there is no place for them', async (t) => {
    const { server, temporary, runtime } = await serve(t);
    const [worker] = await pidsOf(server);
    for (const base of [temporary, runtime]) rmSync(base, { recursive: true });
    assert.equal((await ask(server.port, '/', UPLOAD)).status, 500);
    process.kill(worker, 'SIGKILL');
    await eventually('the reason is logged', () => /Cannot make a private directory in /.test(server.output()));
    for (const base of [temporary, runtime]) mkdirSync(base);
    assert.match((await ask(server.port, '/', UPLOAD)).body, /^600000 /);
  });

  it('are removed when the server stops, and when it is killed', async (t) => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const { server, temporary, runtime } = await serve(t);
      assert.deepEqual([readdirSync(temporary).length, readdirSync(runtime).length], [1, 1]);
      process.kill(server.pid, signal);
      await server.exited;
      await eventually('nothing is left', () => readdirSync(temporary).length + readdirSync(runtime).length === 0);
    }
  });

  it('of a server that died together with its zygote are removed by the next one', async (t) => {
    const { server, temporary, runtime } = await serve(t);
    const [worker, zygote] = await pidsOf(server);
    process.kill(zygote, 'SIGSTOP');
    process.kill(server.pid, 'SIGKILL');
    process.kill(zygote, 'SIGKILL');
    await eventually('the worker has ended', () => !isRunning(worker));
    const left = [...readdirSync(temporary), ...readdirSync(runtime)];
    assert.equal(left.length, 2);
    const project = makeProject(t, { 'app.py': APP });
    const env = { TMPDIR: temporary, XDG_RUNTIME_DIR: runtime, RUNTIME_DIRECTORY: '' };
    await startViaduct(t, ['serve', project, '--workers', '1', '--control', 'off'], { env });
    await eventually('they are gone', () => {
      const names = [...readdirSync(temporary), ...readdirSync(runtime)];
      return names.length === 2 && !names.some((name) => left.includes(name));
    });
  });
});
