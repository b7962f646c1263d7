import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeClone } from '../support/clone.ts';
import { accepts, SocketClient } from '../support/socket-client.ts';
import { NO_PACKAGES } from '../support/viaduct.ts';
import { eventually, isRunning, within } from '../support/wait.ts';

/** Long enough to compile, migrate and start on a busy machine. */
const PATIENCE_MS = 120_000;

describe('npm start', { skip: NO_PACKAGES }, () => {
  let clone: string;
  let running: Start | null = null;

  before(() => {
    clone = mkdtempSync(join(tmpdir(), 'viaduct-clone-'));
    makeClone(clone);
  });

  afterEach(async () => {
    running?.child.kill('SIGTERM');
    await running?.exited;
    running = null;
  });

  after(() => {
    rmSync(clone, { recursive: true, force: true });
  });

  it('builds, prepares the site, serves it, and exits with it', async () => {
    running = start(clone);
    const url = await running.address();
    for (const step of ['build', 'prepare the database', 'collect static files', 'fill in demo data']) {
      assert.match(running.output(), new RegExp(`^- ${step}$`, 'm'));
    }
    assert.match(running.output(), /log in to \/admin\/ with admin \/ admin/);
    assert.match(await (await fetch(url)).text(), /<dd>40<\/dd>/);
    assert.equal((await fetch(`${url}/static/bridges/site.css`)).status, 200);
    const server = childOf(running.child.pid as number);
    running.child.kill('SIGTERM');
    assert.equal(await running.exited, 0);
    if (server !== null) assert.equal(isRunning(server), false);
  });

  it('repeats no step at the second start', async () => {
    running = start(clone);
    const url = await running.address();
    assert.doesNotMatch(running.output(), /build|prepare|collect|fill in/);
    assert.equal((await fetch(url)).status, 200);
    running.child.kill('SIGINT');
    assert.equal(await running.exited, 0);
  });

  it('finishes a request when npm sends a second SIGINT after that of the terminal', async () => {
    running = start(clone);
    const port = Number(new URL(await running.address()).port);
    const client = await SocketClient.open(port);
    client.send('POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n');
    client.send('a=');
    await (await fetch(`http://127.0.0.1:${port}/health`)).text();
    running.child.kill('SIGINT');
    await delay(50); // the kernel merges two equal signals at the same moment
    running.child.kill('SIGINT');
    await eventually('no further connection is accepted', async () => !(await accepts(port)));
    client.send('b');
    assert.equal(await client.untilClosed(), 403);
    assert.equal(await running.exited, 0);
  });

  it('repeats the steps whose input changed, and keeps the records', async () => {
    const sheet = join(clone, 'examples/django-site/bridges/static/bridges/site.css');
    writeFileSync(sheet, '/* new */');
    running = start(clone);
    const url = await running.address();
    assert.match(running.output(), /^- collect static files$/m);
    assert.equal(await (await fetch(`${url}/static/bridges/site.css`)).text(), '/* new */');
    assert.match(await (await fetch(url)).text(), /<dd>40<\/dd>/);
    running.child.kill('SIGTERM');
    assert.equal(await running.exited, 0);
  });

  it('exits with the code and the message of the server when the server cannot start', async () => {
    running = start(clone, '--lissen', '8000');
    assert.equal(await running.exited, 2);
    assert.match(running.output(), /did you mean --listen\?/);
  });
});

interface Start {
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  output(): string;
  /** Resolves once the server has printed its address. */
  address(): Promise<string>;
}

function start(clone: string, ...args: string[]): Start {
  const child = spawn(process.execPath, ['scripts/start.mjs', ...args], {
    cwd: clone,
    env: { ...process.env, VIADUCT_LISTEN: '127.0.0.1:0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (block: Buffer) => {
    output += block;
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const exited = once(child, 'close').then(([code]) => code as number);
  const address = async () => {
    for (;;) {
      const match = /^Viaduct \S+ serves django-site on (\S+)$/m.exec(output);
      // The lines before it come through another pipe, perhaps later.
      if (match !== null && /^- serve .+$/m.test(output)) return match[1] as string;
      const more = Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')]);
      const ended = exited.then((code) => Promise.reject(new Error(`npm start exited (${code}):\n${output}`)));
      await within(PATIENCE_MS, 'the address', () => Promise.race([more, ended]));
    }
  };
  return { child, exited, output: () => output, address };
}

/** The first child of a process; null if the system cannot say. */
function childOf(pid: number): number | null {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? Number(readFileSync(path, 'latin1').split(' ')[0]) || null : null;
}
