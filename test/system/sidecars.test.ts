import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { type BesideStatus, besideStatus, CTRL_C, linesOf, startTerminal } from '../support/sidecars.ts';
import { accepts } from '../support/socket-client.ts';
import { BIN, runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** Notes its start and its end, and waits. `slow` takes its time to end, `deaf` never does. */
const WORKER = `
import os, signal, sys, time
def note(text):
    with open('notes', 'a') as notes: notes.write(f'{text} {os.getpid()}\\n')
kind = sys.argv[1]
def end(number, frame):
    note(f'end-{kind}')
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == 'deaf' else end)
note(f'start-{kind}')
print('working', kind, flush=True)
while True: time.sleep(60)
`;

const APP = `
import os, time
def application(environ, start_response):
    if environ['PATH_INFO'] == '/hold':
        open('held', 'w').close()
        while not os.path.exists('release'): time.sleep(.01)
        with open('notes', 'a') as notes: notes.write('answered 0\\n')
    start_response('200 OK', [])
    return [os.environ.get('VIRTUAL_ENV', '').encode()]
`;

interface Site {
  readonly server: Viaduct;
  readonly project: string;
  /** The process ids in the notes with this text. */
  pids(text: string): number[];
  status(): Promise<BesideStatus>;
}

async function start(
  t: TestContext,
  config: string,
  { files = {}, args = [] }: { files?: Readonly<Record<string, string>>; args?: readonly string[] } = {},
): Promise<Site> {
  const project = makeProject(t, { 'app.py': APP, 'work.py': WORKER, 'viaduct.toml': config, ...files });
  const server = await startViaduct(t, ['--workers', '1', '--access-log', 'off', ...args], { cwd: project });
  const pids = (text: string): number[] =>
    linesOf(project, 'notes')
      .filter((line) => line.startsWith(`${text} `))
      .map((line) => Number(line.split(' ')[1]));
  return { server, project, pids, status: () => besideStatus(project) };
}

const sidecar = (command: string, more = ''): string => `[[process]]\ncommand = ${JSON.stringify(command)}\n${more}\n`;

/** The process group, the session and the terminal of a process; see proc_pid_stat(5). */
function groupOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(2, 5);
}

describe('a sidecar', { concurrency: 2 }, () => {
  it('runs in the environment of the project, in a process group of its own, and stops after the last request', async (t) => {
    const config = sidecar('work.py fast', 'name = "jobs"\nstop_signal = "SIGTERM"\nenvironment = { A = "b c" }');
    const { server, project, pids, status } = await start(t, config);
    await eventually('it has started', () => pids('start-fast').length === 1);
    const [pid] = pids('start-fast') as [number];
    assert.deepEqual(groupOf(pid), [`${pid}`, `${pid}`, '0']);
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    assert.ok(environment.includes('A=b c'));
    await eventually('its output is in the log', () =>
      /"message":"working fast","sidecar":"jobs"/.test(server.output()),
    );
    const [first] = (await status()).sidecars;
    assert.deepEqual(
      { ...first, started_at: null },
      { name: 'jobs', state: 'running', pid, restarts: 0, started_at: null, last_end: null },
    );
    assert.match((await runViaduct(project, 'status')).output, /^ {2}jobs +\d+ +running +0 /m);
    const held = ask(server.port, '/hold');
    await eventually('the request runs', () => readdirSync(project).includes('held'));
    process.kill(server.pid, 'SIGTERM');
    await eventually('the server drains', async () => !(await accepts(server.port)));
    assert.ok(isRunning(pid));
    writeFileSync(join(project, 'release'), '');
    assert.equal((await held).status, 200);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(!isRunning(pid));
    const notes = linesOf(project, 'notes').map((line) => line.split(' ')[0]);
    assert.deepEqual(notes, ['start-fast', 'answered', 'end-fast']);
  });

  it('is started again with longer and longer pauses when it dies, and no request notices', async (t) => {
    const { server, status } = await start(t, sidecar(`sh -c "echo broken; exit 7"`, 'name = "bad"'));
    await eventually('some attempts have failed', () => /it is started again in 800 ms/.test(server.output()));
    for (const delay of [100, 200, 400, 800]) {
      const lines = server
        .output()
        .match(new RegExp(`ended with exit code 7; it is started again in ${delay} ms`, 'g'));
      assert.equal(lines?.length, 1, `${delay}`);
    }
    assert.equal((await ask(server.port, '/')).status, 200);
    const [bad] = (await status()).sidecars;
    assert.ok((bad?.restarts ?? 0) >= 3);
    assert.equal(bad?.last_end, 'with exit code 7');
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });

  it('that there is not costs no request, and is reported', async (t) => {
    const { server, status } = await start(t, sidecar('no-such-program --x'));
    await eventually('it is reported', () =>
      /no-such-program could not be started: .*No such file/.test(server.output()),
    );
    assert.equal((await ask(server.port, '/')).status, 200);
    assert.match((await status()).sidecars[0]?.last_end ?? '', /No such file/);
  });

  it('is in the output of check, with a warning if its program is missing', async (t) => {
    const config = `${sidecar('no-such-program --x')}${sidecar('work.py fast')}[[schedule]]\ncommand = "true"\ncron = "@daily"\n`;
    const project = makeProject(t, { 'app.py': APP, 'work.py': WORKER, 'viaduct.toml': config });
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 0, output);
    assert.match(output, /^ {2}beside {6}sidecar fast: \S+python3? work\.py fast$/m);
    assert.match(output, /^ {2}beside {6}schedule true: true, @daily$/m);
    assert.match(output, /^ {2}warning {5}no-such-program cannot be started: there is no program "no-such-program"$/m);
  });

  it('is not started again if its configuration says so', async (t) => {
    const config = sidecar('true', 'restart = "on-failure"') + sidecar('false', 'restart = "never"');
    const { server, status } = await start(t, config);
    await eventually('both have ended', async () => (await status()).sidecars.every(({ state }) => state === 'ended'));
    assert.match(server.output(), /sidecar false \(pid \d+\) ended with exit code 1, and is not started again/);
    assert.deepEqual(
      (await status()).sidecars.map(({ restarts }) => restarts),
      [0, 0],
    );
  });

  it('is killed with its process group when it does not end in time', async (t) => {
    const config = sidecar(
      'sh -c "sleep 600 & echo child-$! ; exec python3 work.py deaf"',
      'name = "deaf"\nstop_grace_ms = 100',
    );
    const { server, pids } = await start(t, config);
    await eventually('it has started', () => pids('start-deaf').length === 1);
    const child = Number(/child-(\d+)/.exec(server.output())?.[1]);
    assert.ok(isRunning(child));
    await server.stop();
    assert.match(server.output(), /sidecar deaf still ran 0.1 s after its stop signal, and is killed/);
    assert.ok(!isRunning(child) && !isRunning(pids('start-deaf')[0] as number));
  });

  it('runs several times with count', async (t) => {
    const { pids, status } = await start(t, sidecar('work.py fast', 'count = 3'));
    await eventually('all have started', () => pids('start-fast').length === 3);
    assert.deepEqual(
      (await status()).sidecars.map(({ name }) => name),
      ['fast-1', 'fast-2', 'fast-3'],
    );
  });

  it('is new after a reload, unless it is kept or the reload fails', async (t) => {
    const config = sidecar('work.py fast') + sidecar('work.py kept', 'reload = "keep"');
    const { server, project, pids, status } = await start(t, config);
    await eventually('both have started', () => pids('start-fast').length + pids('start-kept').length === 2);
    writeFileSync(join(project, 'app.py'), 'raise ValueError("broken")\n');
    assert.equal((await runViaduct(project, 'reload')).code, 1);
    assert.equal((await status()).sidecars.filter(({ state }) => state === 'running').length, 2);
    assert.deepEqual([pids('start-fast').length, pids('end-fast').length], [1, 0]);
    writeFileSync(join(project, 'app.py'), WSGI_APP);
    assert.equal((await runViaduct(project, 'reload')).code, 0);
    await eventually('one of them is new', () => pids('start-fast').length === 2);
    assert.deepEqual(pids('end-fast'), pids('start-fast').slice(0, 1));
    assert.equal(pids('start-kept').length, 1);
    writeFileSync(join(project, 'viaduct.toml'), sidecar('work.py other'));
    assert.equal((await runViaduct(project, 'reload')).code, 0);
    await eventually('the others are gone', async () => (await status()).sidecars.length === 1);
    await eventually('the new one runs', () => pids('start-other').length === 1);
    assert.ok(![...pids('start-fast'), ...pids('start-kept')].some(isRunning));
    assert.ok(isRunning(server.pid));
  });

  it('is new after a change of the code in development', async (t) => {
    const { project, pids } = await start(t, sidecar('work.py fast'), { args: ['--dev'] });
    await eventually('it has started', () => pids('start-fast').length === 1);
    writeFileSync(join(project, 'app.py'), `${APP}\n`);
    await eventually('it has started again', () => pids('start-fast').length === 2);
  });

  it('does not outlive a server that is killed', async (t) => {
    const config = sidecar('work.py fast') + sidecar('work.py deaf', 'stop_grace_ms = 200');
    const { server, pids } = await start(t, config);
    await eventually('both have started', () => pids('start-fast').length + pids('start-deaf').length === 2);
    process.kill(server.pid, 'SIGKILL');
    await eventually('both have ended', () => ![...pids('start-fast'), ...pids('start-deaf')].some(isRunning));
    assert.equal(pids('end-fast').length, 1);
  });

  it('does not outlive its keeper, and gets another one', async (t) => {
    const { server, pids } = await start(t, sidecar('work.py fast'));
    await eventually('it has started', () => pids('start-fast').length === 1);
    const [pid] = pids('start-fast') as [number];
    const keeper = Number(/PPid:\t(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
    process.kill(keeper, 'SIGKILL');
    await eventually('another one has started', () => pids('start-fast').length === 2);
    assert.ok(!isRunning(pid));
    assert.match(server.output(), /keeper of sidecars and schedules is lost: it ended of SIGKILL/);
    await server.stop();
    assert.ok(!pids('start-fast').some(isRunning));
  });

  it('ends with the server although its keeper is stopped', async (t) => {
    const { server, pids } = await start(t, sidecar('work.py fast', 'stop_grace_ms = 0'));
    await eventually('it has started', () => pids('start-fast').length === 1);
    const [pid] = pids('start-fast') as [number];
    process.kill(Number(/PPid:\t(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]), 'SIGSTOP');
    process.kill(server.pid, 'SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(!isRunning(pid));
  });

  it('gets nothing of a Ctrl-C, which reaches the server first', async (t) => {
    const project = makeProject(t, { 'app.py': APP, 'work.py': WORKER, 'viaduct.toml': sidecar('work.py fast') });
    const terminal = startTerminal(t, [process.execPath, BIN, '--workers', '1'], project, {
      VIADUCT_LISTEN: '127.0.0.1:0',
    });
    await eventually('it has started', () => linesOf(project, 'notes').length === 1);
    await eventually('the server serves', () => /Press Ctrl-C/.test(terminal.output()));
    terminal.type(CTRL_C);
    assert.equal(await terminal.exited, 0);
    assert.deepEqual(
      linesOf(project, 'notes').map((line) => line.split(' ')[0]),
      ['start-fast', 'end-fast'],
    );
  });

  it('is killed at once when the server is', async (t) => {
    const { server, pids } = await start(t, sidecar('work.py deaf'));
    await eventually('it has started', () => pids('start-deaf').length === 1);
    process.kill(server.pid, 'SIGTERM');
    await eventually('the server waits for it', async () => !(await accepts(server.port)));
    process.kill(server.pid, 'SIGTERM');
    assert.deepEqual(await server.exited, { code: 143, signal: null });
    await eventually('it has ended', () => !isRunning(pids('start-deaf')[0] as number));
  });

  it('may write without end, while requests are answered', async (t) => {
    const loud = sidecar('python3 -c "while True: print(\'x\' * 200)"', 'name = "loud"');
    const { server, project } = await start(t, `error_log_file = "log"\n${loud}`);
    await eventually('it writes', () => linesOf(project, 'log').length > 1000);
    for (let i = 0; i < 20; i += 1) assert.equal((await ask(server.port, '/')).status, 200);
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });

  it('runs once with several server processes, and is in their status', async (t) => {
    const { server, pids, status } = await start(t, sidecar('work.py fast'), {
      args: ['--processes', '2', '--workers', '2'],
    });
    await eventually('it has started', () => pids('start-fast').length === 1);
    assert.equal((await status()).sidecars[0]?.state, 'running');
    process.kill(server.pid, 'SIGHUP');
    await eventually('it is new', () => pids('start-fast').length === 2);
    await server.stop();
    assert.deepEqual(pids('end-fast'), pids('start-fast'));
  });
});
