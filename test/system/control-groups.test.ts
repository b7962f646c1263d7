import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { BIN } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const TOP = '/sys/fs/cgroup';
const MIB = 1024 * 1024;

/** `/take/N` takes N MiB of memory. */
const APP = `
import os
def application(environ, start_response):
    _, action, *mib = environ['PATH_INFO'].split('/')
    if action == 'take':
        taken = bytearray(os.urandom(1024) * (1024 * int(mib[0])))
    start_response('200 OK', [])
    return [b'%d' % os.getpid()]
`;

/** A new control group with a limit (cgroups(7)), of version 1 or 2; null where this user cannot make one. */
function makeGroup(controller: 'cpu' | 'memory', limits: Readonly<Record<string, string>>): string | null {
  for (const parent of [join(TOP, controller), TOP]) {
    const path = join(parent, `viaduct-test-${process.pid}-${controller}`);
    try {
      mkdirSync(path);
      const written = Object.entries(limits).filter(([name]) => existsSync(join(path, name)));
      for (const [name, limit] of written) writeFileSync(join(path, name), limit);
      if (written.length > 0) return path;
      rmdirSync(path);
    } catch {
      // The next one.
    }
  }
  return null;
}

interface Contained {
  readonly port: number;
  readonly pid: number;
  output(): string;
}

/** Starts the program in a control group. The end of the test removes the group. */
async function startIn(t: TestContext, group: string, ...args: string[]): Promise<Contained> {
  const project = makeProject(t, { 'app.py': APP });
  const enter = `echo $$ > ${group}/cgroup.procs; exec "$@"`;
  const child = spawn(
    'sh',
    ['-c', enter, 'sh', process.execPath, BIN, 'serve', project, '--access-log', 'off', ...args],
    { env: { ...process.env, VIADUCT_LISTEN: '127.0.0.1:0' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(async () => {
    child.kill('SIGKILL');
    await eventually('the group is empty', () => readFileSync(join(group, 'cgroup.procs'), 'latin1') === '');
    rmdirSync(group);
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (block: Buffer) => (output += block));
  const address = /serves .+ on http:\/\/127\.0\.0\.1:(\d+)/;
  await eventually('it serves', () => {
    if (child.exitCode !== null) throw new Error(output);
    return address.test(output);
  });
  return { port: Number(address.exec(output)?.[1]), pid: child.pid as number, output: () => output };
}

async function workersOf({ port }: Contained): Promise<Set<string>> {
  const workers = new Set<string>();
  for (let i = 0; i < 20; i += 1) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(port, '/')));
    for (const { body } of answers) workers.add(body);
  }
  return workers;
}

describe('a server in a control group', () => {
  it('has as many workers as its quota of processor time allows', async (t) => {
    if (availableParallelism() < 2) return t.skip('there is only one processor');
    const group = makeGroup('cpu', { 'cpu.cfs_quota_us': '100000', 'cpu.max': '100000 100000' });
    if (group === null) return t.skip('this user cannot make a control group with a quota');
    const server = await startIn(t, group, '--threads', '1');
    assert.equal((await workersOf(server)).size, 1);
  });

  it('loses the worker whose memory exceeds the limit, and no other request', async (t) => {
    const limit = `${400 * MIB}`;
    const group = makeGroup('memory', { 'memory.limit_in_bytes': limit, 'memory.max': limit });
    if (group === null) return t.skip('this user cannot make a control group with a limit');
    const server = await startIn(t, group, '--workers', '2', '--threads', '1');
    for (let round = 1; round <= 2; round += 1) {
      const taken = ask(server.port, '/take/600');
      const others = await Promise.all(Array.from({ length: 10 }, () => ask(server.port, '/')));
      assert.deepEqual(new Set(others.map(({ status }) => status)), new Set([200]));
      assert.equal((await taken).status, 502);
      await eventually('it is told', () => server.output().split('died of SIGKILL; a new one follows').length > round);
    }
    assert.ok(isRunning(server.pid));
    await eventually('two workers serve again', async () => (await workersOf(server)).size === 2);
  });
});
