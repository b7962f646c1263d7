import assert from 'node:assert/strict';
import cluster, { type ClusterSettings, type Worker as ClusterWorker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { defaultSettings } from '../../../src/config/settings.ts';
import { PRIMARY_UMASK } from '../../../src/listen/unix-socket.ts';
import type { ToServerProcess } from '../../../src/server/cluster/messages.ts';
import { type LauncherOptions, ProcessLauncher } from '../../../src/server/cluster/process-launcher.ts';
import type { Configuration } from '../../../src/site/configuration.ts';

const OWN_UMASK = 0o027;
/** No process has such a high id. */
const PID = 2 ** 30;
const TIMEOUT_MS = 20_000;

const CONFIGURATION = {
  settings: { ...defaultSettings(), processes: 2, workers: 3, workersMin: 0, workerTimeoutMs: TIMEOUT_MS },
  applications: {},
} as unknown as Configuration;

/** A prepared launcher. Node's cluster forks processes on paper. */
function prepare(t: TestContext, options: Partial<LauncherOptions> = {}) {
  const umask = process.umask(OWN_UMASK);
  const { schedulingPolicy } = cluster;
  t.after(() => {
    process.umask(umask);
    cluster.schedulingPolicy = schedulingPolicy;
  });
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const lines: string[] = [];
  const sent: ToServerProcess[] = [];
  const signals: string[] = [];
  const masks: number[] = [];
  const child = Object.assign(new EventEmitter(), {
    pid: PID,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    kill: (signal: string) => void signals.push(signal),
  });
  const worker = Object.assign(new EventEmitter(), {
    process: child,
    isConnected: () => true,
    send: (message: ToServerProcess) => void sent.push(message),
  });
  const state = { failure: null as Error | null };
  const settings = t.mock.method(cluster, 'setupPrimary', () => {});
  t.mock.method(cluster, 'fork', () => {
    masks.push(process.umask());
    if (state.failure !== null) throw state.failure;
    return worker as unknown as ClusterWorker;
  });
  const fail = (text: string): void => assert.fail(text);
  const log = { info: fail, warn: fail, error: (text: string) => void lines.push(text) };
  const launcher = new ProcessLauncher({ identity: null, log, logFormat: 'text', isJournal: false, ...options });
  launcher.prepare();
  return { launcher, lines, sent, signals, masks, child, worker, state, settings: settings.mock };
}

describe('the launcher of server processes', () => {
  it('makes this process a primary in which no process waits for another one', (t) => {
    const { settings } = prepare(t);
    assert.equal(cluster.schedulingPolicy, cluster.SCHED_NONE);
    const [options] = settings.calls.flatMap((call) => call.arguments as unknown as ClusterSettings[]);
    assert.equal(existsSync(options?.exec ?? ''), true, options?.exec);
    assert.equal(options?.serialization, 'advanced', 'a configuration has values that JSON does not have');
  });

  it('gives processes the umask that this one had, also after one could not be started', (t) => {
    const { launcher, masks, state } = prepare(t);
    assert.equal(process.umask(), PRIMARY_UMASK);
    launcher.launch(CONFIGURATION, 0, false);
    assert.equal(process.umask(), PRIMARY_UMASK);
    state.failure = new Error('EAGAIN');
    assert.throws(() => launcher.launch(CONFIGURATION, 1, false), /EAGAIN/);
    assert.equal(process.umask(), PRIMARY_UMASK);
    state.failure = null;
    launcher.launch(CONFIGURATION, 1, true);
    assert.deepEqual(masks, [OWN_UMASK, OWN_UMASK, OWN_UMASK]);
  });

  it('tells a process its share and how to log, and whether it takes the place of another one', (t) => {
    const identity = { uid: 33, gid: 33, name: 'www-data', groups: [] } as unknown as LauncherOptions['identity'];
    const { launcher, worker, sent } = prepare(t, { identity, logFormat: 'json', isJournal: true });
    for (const [index, isReplacement, workers] of [
      [0, false, 2],
      [1, true, 1],
    ] as const) {
      worker.removeAllListeners();
      launcher.launch(CONFIGURATION, index, isReplacement);
      worker.emit('message', { kind: 'hello' });
      const message = sent.at(-1);
      assert.ok(message?.kind === 'start');
      const { configuration, ...start } = message.start;
      assert.deepEqual(start, { identity, logFormat: 'json', isJournal: true, isReplacement });
      assert.equal(configuration.settings.workers, workers);
    }
  });

  it('kills a process that does not respond, and says which one', (t) => {
    const { launcher, worker, lines, signals } = prepare(t);
    const { pid } = launcher.launch(CONFIGURATION, 1, false);
    assert.equal(pid, PID);
    worker.emit('message', { kind: 'hello' });
    worker.emit('message', { kind: 'ready', urls: [] });
    for (let ticks = 0; ticks < 4; ticks += 1) t.mock.timers.tick(TIMEOUT_MS / 4);
    assert.deepEqual([lines, signals], [[], []]);
    t.mock.timers.tick(TIMEOUT_MS / 4);
    assert.deepEqual(lines, [`server process 2 (pid ${PID}) is killed: it does not respond`]);
    assert.deepEqual(signals, ['SIGKILL']);
  });

  it('passes on what a process writes, if that is not inherited', async (t) => {
    const { launcher, child } = prepare(t);
    const seen: string[] = [];
    for (const [name, to] of [
      ['stdout', process.stdout],
      ['stderr', process.stderr],
    ] as const) {
      const write = to.write.bind(to) as (...args: unknown[]) => boolean;
      t.mock.method(to, 'write', (block: unknown, ...rest: unknown[]) => {
        if (!String(block).startsWith('paper')) return write(block, ...rest);
        seen.push(`${name}: ${block}`);
        return true;
      });
    }
    launcher.launch(CONFIGURATION, 0, false);
    child.stdout.write('paper out\n');
    child.stderr.write('paper err\n');
    await new Promise(setImmediate);
    assert.deepEqual(seen.sort(), ['stderr: paper err\n', 'stdout: paper out\n']);
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    Object.assign(child, { stdout: null, stderr: null });
    launcher.launch(CONFIGURATION, 1, false);
  });
});
