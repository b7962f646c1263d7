import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { callControl } from '../support/control-api.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { BIN, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `
import os, time
def application(environ, start_response):
    while environ["PATH_INFO"] == "/wait" and not os.path.exists("go"): time.sleep(0.01)
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
`;

interface ListedWorker {
  readonly process: number;
  readonly application: string;
  readonly pid: number;
  readonly state: string;
}

function place(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const cwd = makeProject(t, { 'app.py': APP, ...files });
  const socket = join(cwd, 'control.sock');
  const run = async (...words: string[]) => {
    const args = [BIN, ...words, '--control', socket];
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (block: Buffer) => (output += block));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };
  return {
    cwd,
    socket,
    run,
    start: (...args: string[]) => startViaduct(t, [...args, '--control', socket], { cwd }),
    /** The workers of an application that take requests. */
    async ready(application = 'main'): Promise<readonly ListedWorker[]> {
      const workers = JSON.parse((await run('workers', '--json')).output) as ListedWorker[];
      return workers.filter((worker) => worker.application === application && worker.state === 'ready');
    },
  };
}

describe('viaduct scale', { concurrency: 2 }, () => {
  it('starts workers, waits until they are ready, and lets the surplus finish its requests', async (t) => {
    const { start, run, ready, cwd } = place(t);
    const { port, output } = await start('--workers', '1', '--threads', '1');
    assert.deepEqual(await run('scale', '3'), { code: 0, output: 'main has 3 workers\n' });
    assert.equal((await ready()).length, 3);
    assert.match(output(), /Workers: 3 instead of 1, because a command asked for it/);
    const answers = Array.from({ length: 3 }, () => ask(port, '/wait'));
    await eventually('all are busy', async () => (await run('status')).output.includes('3 of 3 busy'));
    const json = await run('scale', '1', '--json');
    assert.deepEqual(JSON.parse(json.output), { application: 'main', workers: 1 });
    assert.equal((await ready()).length, 1);
    writeFileSync(join(cwd, 'go'), '');
    assert.deepEqual(
      (await Promise.all(answers)).map(({ body }) => body),
      ['hello', 'hello', 'hello'],
    );
    assert.deepEqual(await run('scale', '1'), { code: 0, output: 'main has 1 worker\n' }, 'it is so already');
  });

  it('holds when a worker or the zygote dies, until a reload', async (t) => {
    const { start, run, ready } = place(t);
    const { port } = await start('--workers', '1');
    assert.equal((await run('scale', '3')).code, 0);
    const [worker] = await ready();
    process.kill(worker?.pid as number, 'SIGKILL');
    await eventually('it is replaced', async () => {
      const pids = (await ready()).map(({ pid }) => pid);
      return pids.length === 3 && !pids.includes(worker?.pid as number);
    });
    const before = (await ready()).map(({ pid }) => pid);
    process.kill(parentOf(before[0] as number), 'SIGKILL');
    await eventually('all are new', async () => {
      const pids = (await ready()).map(({ pid }) => pid);
      return pids.length === 3 && !pids.some((pid) => before.includes(pid));
    });
    assert.equal((await run('reload')).code, 0);
    await eventually('it has the configured number', async () => (await ready()).length === 1);
    assert.equal((await ask(port, '/')).body, 'hello');
  });

  it('goes on from there with workers_min, and a reload keeps a number between the limits', async (t) => {
    const { start, run, ready } = place(t);
    await start('--workers', '4', '--workers-min', '1', '--workers-idle-ms', '10min');
    assert.equal((await run('scale', '3')).output, 'main has 3 workers\n');
    assert.equal((await run('reload')).code, 0);
    assert.equal((await ready()).length, 3);
    assert.equal((await run('scale', '5')).output, 'main has 5 workers\n');
    assert.equal((await run('reload')).code, 0);
    assert.equal((await ready()).length, 4);
  });

  it('is for one of several applications', async (t) => {
    const site = '[[route]]\npath = "/api/*"\napp = "api"\n[apps.api]\ntarget = "app:application"\nworkers = 1\n';
    const { start, run, ready } = place(t, { 'viaduct.toml': site });
    await start('--workers', '1');
    assert.equal((await run('scale', '2', '--app', 'api')).output, 'api has 2 workers\n');
    assert.deepEqual([(await ready()).length, (await ready('api')).length], [1, 2]);
    const { code, output } = await run('scale', '2', '--app', 'shop');
    assert.deepEqual([code, /There is no Python application "shop"/.test(output)], [1, true], output);
  });

  it('shares them out among the server processes, also to one that starts later', async (t) => {
    const { start, run, ready } = place(t);
    await start('--workers', '2', '--processes', '2');
    const shares = async (): Promise<readonly number[]> => {
      const counts = new Map<number, number>();
      for (const { process: pid } of await ready()) counts.set(pid, (counts.get(pid) ?? 0) + 1);
      return [...counts.values()].toSorted();
    };
    assert.equal((await run('scale', '5')).output, 'main has 5 workers\n');
    assert.deepEqual(await shares(), [2, 3]);
    const [{ process: dead }] = (await ready()) as [ListedWorker];
    process.kill(dead, 'SIGKILL');
    await eventually('a new process has its share', async () => {
      const isGone = (await ready()).every((worker) => worker.process !== dead);
      return isGone && `${await shares()}` === '2,3';
    });
    assert.equal((await run('scale', '1')).output, 'main has 2 workers\n', 'each process has at least one');
    assert.equal((await run('scale', '4')).code, 0);
    assert.equal((await run('reload')).code, 0);
    assert.deepEqual(await shares(), [1, 1]);
  });

  it('refuses what makes no sense with a sentence', async (t) => {
    const { start, run } = place(t, { 'viaduct.toml': '[[route]]\nrespond = { status = 200 }\n' });
    await start();
    for (const count of ['0', '257', '9999']) {
      const { code, output } = await run('scale', count);
      assert.deepEqual([code, /The number of workers must be from 1 to 256/.test(output)], [1, true], output);
    }
    for (const words of [[], ['x'], ['1', '2'], ['1', '--app']]) assert.equal((await run('scale', ...words)).code, 2);
    assert.match((await run('status', '--app', 'main')).output, /only the command scale takes it/);
  });

  it('is refused by a server without Python', async (t) => {
    const cwd = makeProject(t, { 'index.html': 'hello', 'viaduct.toml': '[[route]]\nrespond = { status = 200 }\n' });
    const socket = join(cwd, 'control.sock');
    await startViaduct(t, ['--control', socket], { cwd });
    assert.equal((await callControl(socket, 'POST', '/scale?workers=2')).status, 404);
    assert.equal((await callControl(socket, 'POST', '/logs/reopen')).status, 409);
  });

  it('waits for its turn: during a reload it is refused', async (t) => {
    const { start, socket, cwd, run } = place(t);
    const { output } = await start('--workers', '1');
    writeFileSync(
      join(cwd, 'app.py'),
      `import os, time\nopen("starts", "w").close()\nwhile not os.path.exists("end"): time.sleep(0.01)\n${APP}`,
    );
    const reload = run('reload');
    await eventually('it imports', () => existsSync(join(cwd, 'starts')));
    const { status, value } = await callControl(socket, 'POST', '/scale?workers=2');
    assert.deepEqual([status, /a reload or a restart is running/.test(JSON.stringify(value))], [409, true], output());
    writeFileSync(join(cwd, 'end'), '');
    assert.equal((await reload).code, 0);
    assert.equal((await run('scale', '2')).code, 0);
  });
});

describe('viaduct logs reopen', { concurrency: 2 }, () => {
  for (const processes of [1, 2]) {
    it(`opens renamed files again, with processes = ${processes}`, async (t) => {
      const { start, run, cwd } = place(t);
      const files = ['access.log', 'error.log'].map((name) => join(cwd, name)) as [string, string];
      const [access, error] = files;
      const { port } = await start(
        '--processes',
        `${processes}`,
        '--access-log-file',
        access,
        '--error-log-file',
        error,
      );
      await ask(port, '/before');
      await eventually('the line is there', () => readFileSync(access, 'utf8').includes('/before'));
      for (const file of files) renameSync(file, `${file}.1`);
      assert.deepEqual(await run('logs', 'reopen'), { code: 0, output: '' });
      const lines = (): number => readFileSync(error, 'utf8').match(/The log files were opened again/g)?.length ?? 0;
      await eventually('each process with a log has opened it', () => lines() >= (processes === 1 ? 1 : 3));
      await ask(port, '/after');
      await eventually('the new file has the line', () => readFileSync(access, 'utf8').includes('/after'));
      assert.doesNotMatch(readFileSync(`${access}.1`, 'utf8'), /\/after/);
      for (const file of files) renameSync(file, `${file}.2`);
      mkdirSync(access);
      const { code, output } = await run('logs', 'reopen');
      assert.deepEqual(
        [code, /Cannot open the log files again: Cannot open .*access\.log/.test(output)],
        [1, true],
        output,
      );
      rmdirSync(access);
      assert.deepEqual(JSON.parse((await run('logs', 'reopen', '--json')).output), { files: 2 });
    });
  }

  it('says so when there are none', async (t) => {
    const { start, run } = place(t);
    await start();
    const { code, output } = await run('logs', 'reopen');
    assert.deepEqual([code, /access_log_file and error_log_file are not set/.test(output)], [1, true], output);
    for (const words of [['close'], ['reopen', 'x']])
      assert.match((await run('logs', ...words)).output, /or viaduct logs reopen/);
  });
});

/** The process that started `pid`; 1 if there is none. */
function parentOf(pid: number): number {
  const [, parent = '1'] = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(parent);
}
