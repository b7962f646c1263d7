import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { BIN, startViaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const UNSHARE = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const NO_NAMESPACE =
  spawnSync('unshare', [...UNSHARE, 'true']).status === 0 ? false : 'this user cannot make namespaces of processes';

/** `/orphan` leaves an orphan that ends soon, `/daemon` one that lives until the file `end` exists. */
const ORPHANS = `
import os, time
def application(environ, start_response):
    path = environ['PATH_INFO']
    if path in ('/orphan', '/daemon'):
        pid = os.fork()
        if pid == 0:
            if os.fork() == 0:
                while path == '/daemon' and not os.path.exists('end'):
                    time.sleep(.01)
            os._exit(0)
        os.waitpid(pid, 0)
    start_response('200 OK', [])
    return [b'%d' % os.getpid()]
`;

interface First {
  readonly port: number;
  /** Outside of the namespace. */
  readonly pid: number;
  readonly output: () => string;
}

/** Starts the program as the first process of a namespace. */
async function startFirst(t: TestContext, project: string, ...args: string[]): Promise<First> {
  const child = spawn(
    'unshare',
    [...UNSHARE, process.execPath, BIN, 'serve', project, '--workers', '1', '--access-log', 'off', ...args],
    { env: { ...process.env, VIADUCT_LISTEN: '127.0.0.1:0' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (block) => {
      output += `${block}`;
    });
  }
  const address = /serves .+ on http:\/\/127\.0\.0\.1:(\d+)/;
  await eventually('it serves', () => {
    if (child.exitCode !== null) throw new Error(output);
    return address.test(output);
  });
  return {
    port: Number(address.exec(output)?.[1]),
    pid: childrenOf(child.pid as number)[0] as number,
    output: () => output,
  };
}

/** All processes below `pid`. */
function treeOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...treeOf(child)]);
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(name)[1] === `${pid}`)
    .map(Number);
}

/** State, parent and more of a process; see proc_pid_stat(5). */
function statOf(pid: number | string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

const zombies = (pid: number): number[] => treeOf(pid).filter((one) => statOf(one)[0] === 'Z');

// Most of these tests wait for a time-out or for the end of a process.
describe('the server as the first process of a container', { skip: NO_NAMESPACE, concurrency: 4 }, () => {
  for (const args of [[], ['--no-preload'], ['--processes', '2']]) {
    it(`leaves no zombie of an orphan${args.length === 0 ? '' : `, with ${args.join(' ')}`}`, async (t) => {
      const { port, pid } = await startFirst(t, makeProject(t, { 'app.py': ORPHANS }), ...args);
      for (let i = 0; i < 10; i += 1) assert.equal((await ask(port, '/orphan')).status, 200);
      await eventually('every orphan is collected', () => zombies(pid).length === 0);
    });
  }

  it('leaves no zombie of an import that it gives up, because it cannot be forked', async (t) => {
    const start =
      'import subprocess, threading, time\nsubprocess.Popen(["sleep", ".5"])\n' +
      'threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n';
    const { port, pid, output } = await startFirst(t, makeProject(t, { 'app.py': start + ORPHANS }));
    assert.match(output(), /cannot share: thread/);
    const worker = Number((await ask(port, '/')).body);
    await eventually('only the zombie of the worker itself may be left', () => zombies(pid).length <= 1);
    for (let i = 0; i < 5; i += 1) assert.equal(Number((await ask(port, '/orphan')).body), worker);
    await eventually('every orphan is collected', () => zombies(pid).length <= 1);
    process.kill(pid, 'SIGTERM');
    await eventually('it has ended', () => !isRunning(pid));
  });

  it('collects an orphan that outlives its release', async (t) => {
    const project = makeProject(t, { 'app.py': ORPHANS });
    const { port, pid } = await startFirst(t, project);
    const before = (await ask(port, '/daemon')).body;
    process.kill(pid, 'SIGHUP');
    await eventually('the new release serves', async () => (await ask(port, '/')).body !== before);
    await eventually('the old worker has ended', () => treeOf(pid).length <= 5);
    writeFileSync(join(project, 'end'), '');
    await eventually('only the new release is left', () => treeOf(pid).length === 3 && zombies(pid).length === 0);
  });

  it('leaves no zombie of an orphan of a sidecar', async (t) => {
    const leaves = 'for i in 1 2 3; do (setsid sleep .2 &); done; sleep .1; touch left; exec sleep 600';
    const config = `[[process]]\nname = "leaves"\ncommand = ["sh", "-c", "${leaves}"]\n`;
    const project = makeProject(t, { 'app.py': ORPHANS, 'viaduct.toml': config });
    const { pid } = await startFirst(t, project);
    await eventually('it has left orphans', () => existsSync(join(project, 'left')));
    await eventually('only the server, its workers, the keeper and the sidecar are left', () => {
      return treeOf(pid).length === 5 && zombies(pid).length === 0;
    });
    process.kill(pid, 'SIGTERM');
    await eventually('it has ended', () => !isRunning(pid));
  });

  const BEGINS =
    'import os, subprocess, time\nsubprocess.Popen(["sleep", ".5"])\nif os.fork() == 0: time.sleep(.7); os._exit(0)\n';
  for (const [how, code, ...args] of [
    ['raises', 'raise SystemExit(1)'],
    ['ends the process', 'os._exit(1)'],
    ['is killed', 'os.kill(os.getpid(), 9)'],
    ['never ends', 'time.sleep(1000)', '--start-timeout-ms', '5s'],
    ['closes the connection of the zygote', 'os.closerange(3, 256)\ntime.sleep(1000)', '--start-timeout-ms', '5s'],
    ['breaks the connection of the zygote', 'os.closerange(3, 256)\napplication = print'],
    [
      'says nonsense to the server',
      'for fd in range(3, 9):\n  try: os.write(fd, b"x" * 99)\n  except OSError: pass\ntime.sleep(1000)',
    ],
    ['raises in each worker', 'raise SystemExit(1)', '--no-preload'],
    ['never ends in a worker', 'time.sleep(1000)', '--no-preload', '--start-timeout-ms', '5s'],
  ] as const) {
    it(`leaves no zombie of a release whose import ${how}`, async (t) => {
      const project = makeProject(t, { 'app.py': ORPHANS });
      const { pid, output } = await startFirst(t, project, ...args);
      writeFileSync(join(project, 'app.py'), `${BEGINS}${code}\n`);
      process.kill(pid, 'SIGHUP');
      await eventually('the reload fails', () => output().includes('Cannot reload'));
      await eventually('the old release is left', () => treeOf(pid).length === 3);
    });
  }

  it('leaves no zombie of a release that another one replaces while it is imported', async (t) => {
    const project = makeProject(t, { 'app.py': ORPHANS });
    const { port, pid } = await startFirst(t, project);
    writeFileSync(join(project, 'app.py'), `${BEGINS}open('imports', 'w').close()\ntime.sleep(1000)\n`);
    process.kill(pid, 'SIGHUP');
    await eventually('the import hangs', () => existsSync(join(project, 'imports')));
    writeFileSync(join(project, 'app.py'), ORPHANS);
    const before = (await ask(port, '/')).body;
    process.kill(pid, 'SIGHUP');
    await eventually('the next release serves', async () => (await ask(port, '/')).body !== before);
    await eventually('only it is left', () => treeOf(pid).length === 3);
  });

  it('replaces a worker and a zygote that die', async (t) => {
    const { port, pid } = await startFirst(t, makeProject(t, { 'app.py': ORPHANS }));
    for (const depth of [2, 1]) {
      const victims = treeOf(pid);
      const before = (await ask(port, '/')).body;
      process.kill(victims[depth] as number, 'SIGKILL');
      await eventually('another worker answers', async () => {
        const { status, body } = await ask(port, '/');
        return status === 200 && body !== before;
      });
    }
    await eventually('nothing else is left', () => treeOf(pid).length === 3 && zombies(pid).length === 0);
  });

  it('has no processor times for viaduct status outside of its namespace, where its ids are those of others', async (t) => {
    const project = makeProject(t, { 'app.py': ORPHANS });
    const control = join(project, 'control');
    const first = await startFirst(t, project, '--control', control);
    const command = [process.execPath, BIN, 'status', '--control', control];
    const cpu = (before: readonly string[]): string => {
      const [program = '', ...args] = [...before, ...command];
      const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
      return /^ {2}processor +(\?|\d+ %) \(/m.exec(stdout)?.[1] ?? `${stdout}${stderr}`;
    };
    assert.equal(cpu([]), '?');
    assert.match(cpu(['nsenter', '--target', `${first.pid}`, '--pid', '--mount']), /^\d+ %$/);
  });
});

describe('the zygote', () => {
  it('leaves the exit status of its children to the application that waits for them', async (t) => {
    const project = makeProject(t, {
      'app.py': `
import os, subprocess, threading, time
def watch():
    while True:  # not with subprocess: a worker that is forked meanwhile would inherit the pipe on which subprocess waits
        code = os.spawnlp(os.P_WAIT, 'sh', 'sh', '-c', 'exit 7')
        with open('codes', 'a') as file: file.write('%d\\n' % code)
        time.sleep(.01)
BEFORE = subprocess.Popen(['sh', '-c', 'exit 5'])
def wait_later():
    while not os.path.exists('codes') or os.path.getsize('codes') < 100:
        time.sleep(.01)
    with open('before', 'w') as file: file.write(str(BEFORE.wait()))
threading.Thread(target=watch, daemon=True).start()
threading.Thread(target=wait_later, daemon=True).start()
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'%d' % os.getpid()]
`,
    });
    const server = await startViaduct(t, ['serve', project, '--workers', '2', '--preload']);
    const worker = Number((await ask(server.port, '/')).body);
    process.kill(worker, 'SIGKILL');
    await eventually('the dead worker is collected', () => statOf(worker).length === 0);
    const read = (name: string): string => {
      try {
        return readFileSync(join(project, name), 'utf8');
      } catch {
        return '';
      }
    };
    await eventually('both have their status', () => read('before') !== '');
    assert.equal(read('before'), '5');
    assert.deepEqual([...new Set(read('codes').trim().split('\n'))], ['7']);
    assert.ok(isRunning(server.pid));
  });
});
