import assert from 'node:assert/strict';
import type { Worker as ClusterWorker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import type { FromServerProcess, ToServerProcess } from '../../../src/server/cluster/messages.ts';
import { ServerProcess } from '../../../src/server/cluster/server-process.ts';
import type { Configuration } from '../../../src/site/configuration.ts';

const WORKER_TIMEOUT_MS = 8000;
const TICK_MS = WORKER_TIMEOUT_MS / 4;
const START_TIMEOUT_MS = 60_000;
const FAILURE = { code: 'WORKER', message: 'no release', advice: '', cause: '' } as const;

const configuration = (workerTimeoutMs = WORKER_TIMEOUT_MS): Configuration =>
  ({ settings: { workerTimeoutMs, startTimeoutMs: START_TIMEOUT_MS } }) as Configuration;

/** A server process that says what the test lets it say. */
function start(t: TestContext, timeoutMs?: number) {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const sent: ToServerProcess[] = [];
  let isConnected = true;
  const child = Object.assign(new EventEmitter(), { pid: 7, kill: () => true });
  const worker = Object.assign(new EventEmitter(), {
    process: child,
    isConnected: () => isConnected,
    send: (message: ToServerProcess) => sent.push(message),
  });
  let isReported = false;
  const serverProcess = new ServerProcess(
    worker as unknown as ClusterWorker,
    {
      configuration: configuration(timeoutMs),
      identity: null,
      logFormat: 'text',
      isJournal: false,
      isReplacement: false,
    },
    () => {
      isReported = true;
    },
  );
  return {
    serverProcess,
    sent,
    isReported: () => isReported,
    say: (message: FromServerProcess) => worker.emit('message', message),
    sayAnything: (value: unknown) => worker.emit('message', value),
    tick: (count: number, ms = TICK_MS) => {
      for (let i = 0; i < count; i += 1) t.mock.timers.tick(ms);
    },
    die: (code: number | null = null) => {
      isConnected = false;
      child.emit('close', code, code === null ? 'SIGKILL' : null);
    },
  };
}

describe('the end of a server process', () => {
  it('has its signal or exit code, or why the system did not start it', async (t) => {
    for (const [code, how] of [
      [null, 'of SIGKILL'],
      [3, 'with exit code 3'],
      [-constants.errno.EAGAIN, `before it started: spawn ${process.execPath} EAGAIN`],
    ] as const) {
      const { serverProcess, die } = start(t);
      die(code);
      assert.equal(await serverProcess.exited, how);
    }
  });
});

describe('what a server process says', () => {
  it('is ignored when it is not a message', async (t) => {
    const { serverProcess, sayAnything, say } = start(t);
    for (const value of [
      ...['ready', 'failed', '', 0, 7, true, null, [], {}, [['kind', 'ready']], new Map([['kind', 'ready']])],
      ...[{ kind: 'ready' }, { kind: 'ready', urls: 7 }, { kind: 'ready', urls: [7] }],
      ...[{ kind: 'failed' }, { kind: 'failed', error: null }, { kind: 'failed', error: { message: 'x' } }],
      ...[{ kind: 'reloaded' }, { kind: 'reloaded', id: 1, error: 'no' }, { kind: 'reloaded', id: 1, error: {} }],
      ...[
        { kind: 'reached', id: 1, step: 'first' },
        { kind: 'reached', step: 'proved' },
      ],
      ...[
        { kind: 'answer' },
        { kind: 'answer', id: 1 },
        { kind: 'answer', id: 1, about: 'backends', answer: [{ route: 'a' }] },
        { kind: 'answer', id: 1, about: 'scale', answer: 'some' },
      ],
      ...[{ kind: 'answer', id: 1, about: 'backends', answer: [{ route: 'a', waiting: 0, backends: [null] }] }],
      ...[
        { kind: 'show', id: 1 },
        { kind: 'show', id: 1, question: { about: 'stacks', worker: null } },
      ],
      ...[
        { kind: 'show', id: 1, question: { about: 'traces' } },
        { kind: 'show', question: { about: 'status' } },
      ],
      ...[{ kind: 'alive' }, { kind: 'alive', connections: 'many' }, { kind: 'alive', connections: -1 }],
      ...[{ kind: 'constructor' }, { kind: '__proto__' }, { kind: 7 }, { type: 'online' }],
    ])
      sayAnything(value);
    assert.deepEqual([serverProcess.state, serverProcess.connections, serverProcess.failure], ['starting', 0, null]);
    say({ kind: 'ready', urls: ['http://a'] });
    await serverProcess.started;
    const asked = serverProcess.ask({ about: 'backends' });
    sayAnything({ kind: 'answer', id: 1, about: 'backends', answer: [7] });
    sayAnything({ kind: 'answer', id: 1, about: 'status', answer: {} });
    say({ kind: 'answer', id: 1, about: 'requests', answer: [] });
    sayAnything({ kind: 'ready', urls: [] });
    say({ kind: 'failed', error: FAILURE });
    assert.deepEqual([serverProcess.state, serverProcess.urls, serverProcess.failure], ['ready', ['http://a'], null]);
    say({ kind: 'answer', id: 1, about: 'backends', answer: [] });
    assert.deepEqual(await asked, []);
  });

  it('starts it once', (t) => {
    const { sent, say } = start(t);
    say({ kind: 'hello' });
    say({ kind: 'hello' });
    assert.deepEqual(
      sent.map(({ kind }) => kind),
      ['start'],
    );
  });
});

describe('a server process that is silent', () => {
  it('is reported after its time', (t) => {
    const { say, isReported, tick } = start(t);
    say({ kind: 'hello' });
    say({ kind: 'ready', urls: [] });
    tick(4);
    assert.equal(isReported(), false);
    say({ kind: 'alive', connections: 1 });
    tick(4);
    assert.equal(isReported(), false, 'it had answered');
    tick(10);
    assert.equal(isReported(), true);
  });

  it('has the time of a start to load its program, and then the usual one', (t) => {
    const { say, isReported, tick } = start(t);
    tick(4, START_TIMEOUT_MS / 4);
    assert.equal(isReported(), false);
    say({ kind: 'hello' });
    tick(5);
    assert.equal(isReported(), true, 'while it starts');
    const stopped = start(t);
    stopped.tick(5, START_TIMEOUT_MS / 4);
    assert.equal(stopped.isReported(), true, 'before it has said anything');
  });

  it('does not look dead because of a short time, or of 0, which is never', (t) => {
    const hasty = start(t, 100);
    hasty.say({ kind: 'hello' });
    hasty.tick(4, 1250);
    assert.equal(hasty.isReported(), false);
    hasty.tick(1, 1250);
    assert.equal(hasty.isReported(), true);
    const never = start(t, 0);
    never.tick(100, START_TIMEOUT_MS);
    assert.equal(never.isReported(), false);
  });

  it('blocks no question and no reload for ever', async (t) => {
    const { serverProcess, say, tick, die, isReported } = start(t);
    say({ kind: 'hello' });
    say({ kind: 'ready', urls: [] });
    const asked = serverProcess.ask({ about: 'backends' });
    const reloaded = serverProcess.reload(configuration(), 1);
    tick(5);
    assert.equal(await asked, null);
    assert.equal(isReported(), true);
    die();
    await assert.rejects(reloaded, /Cannot start a release: the server process ended of SIGKILL/);
    assert.equal(await serverProcess.exited, 'of SIGKILL');
  });
});
