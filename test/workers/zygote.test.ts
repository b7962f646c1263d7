import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { Project } from '../../src/project/project.ts';
import type { WaitingInterpreter } from '../../src/project/waiting-interpreter.ts';
import { sendMessage } from '../../src/workers/channel.ts';
import type { FromPython, ToPython } from '../../src/workers/messages.ts';
import { Zygote } from '../../src/workers/zygote.ts';
import { eachTestLifetime } from '../support/lifetime.ts';

const PID = 2 ** 30;

/** A process on paper: the test says when it ends. */
class FakeChild extends EventEmitter {
  readonly pid = PID;
  readonly signals: string[] = [];

  kill(signal: string): void {
    this.signals.push(signal);
  }
}

describe('the zygote', () => {
  const eachTest = eachTestLifetime();

  /** A started zygote, and what it has reported. */
  function start() {
    const children: FakeChild[] = [];
    const reports: string[] = [];
    const seen = new EventEmitter();
    const report = (text: string): void => {
      reports.push(text);
      seen.emit('report');
    };
    const become = (): ChildProcess => {
      const child = new FakeChild();
      children.push(child);
      return child as unknown as ChildProcess;
    };
    const waiting = { become } as unknown as WaitingInterpreter;
    const zygote = new Zygote(
      { project: {} as Project, waiting },
      {
        onLoaded: () => report('loaded'),
        onUnsafe: (findings) => report(`unsafe: ${findings.join(' ')}`),
        onMessage: ({ kind }) => report(`message: ${kind}`),
        onBroken: (reason) => report(`broken: ${reason}`),
        onGone: (status) => report(`gone: ${status}`),
      },
    );
    zygote.start([], {});
    return {
      zygote,
      children,
      reports,
      child: children[0] as FakeChild,
      /** Resolves when there are so many reports. */
      async reported(count: number): Promise<void> {
        while (reports.length < count) await once(seen, 'report');
      },
    };
  }

  /** The two ends of a connection: that of the server, and that of Python. */
  async function connection(): Promise<{ server: Socket; python: Socket }> {
    const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const python = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    const [server] = (await once(listener, 'connection')) as [Socket];
    listener.close();
    eachTest.after(() => {
      server.destroy();
      python.destroy();
    });
    return { server, python };
  }

  /** As Python sends a message. */
  function say(python: Socket, message: FromPython): void {
    sendMessage(python, message as unknown as ToPython);
  }

  it('is gone when its process has ended and its connection is closed, with the messages before', async () => {
    const { zygote, child, reports, reported } = start();
    const { server, python } = await connection();
    zygote.attach(server);
    child.emit('exit', 1, null);
    say(python, { kind: 'broken', traceback: '', reason: 'no module', exception: '' });
    python.end();
    await reported(2);
    assert.deepEqual(reports, ['message: broken', 'gone: exit code 1']);
    assert.equal(zygote.send({ kind: 'quit' }), false);
    assert.deepEqual(child.signals, []);
  });

  it('is gone a little after its process when it never connects', async () => {
    const { child, reports, reported } = start();
    child.emit('exit', null, 'SIGKILL');
    assert.deepEqual(reports, [], 'it may connect yet');
    await reported(1);
    assert.deepEqual(reports, ['gone: SIGKILL']);
  });

  it('reports that it is loaded once, and passes on a second message of the kind', async () => {
    const { zygote, reports, reported } = start();
    const { server, python } = await connection();
    zygote.attach(server);
    say(python, { kind: 'loaded' });
    say(python, { kind: 'loaded' });
    say(python, { kind: 'unsafe', findings: ['a lock'] });
    await reported(3);
    assert.deepEqual(reports, ['loaded', 'message: loaded', 'message: unsafe']);
  });

  it('goes on with another connection after it was detached', async () => {
    const { zygote, reports, reported } = start();
    const first = await connection();
    zygote.attach(first.server);
    say(first.python, { kind: 'unsafe', findings: ['a lock'] });
    await reported(1);
    zygote.detach();
    await once(first.python, 'close');
    const second = await connection();
    zygote.attach(second.server);
    say(second.python, { kind: 'loaded' });
    await reported(2);
    assert.deepEqual(reports, ['unsafe: a lock', 'loaded']);
  });

  it('has one connection, and closes any other', async () => {
    const { zygote } = start();
    const [first, second] = [await connection(), await connection()];
    zygote.attach(first.server);
    zygote.attach(second.server);
    await once(second.python, 'close');
    assert.equal(first.server.destroyed, false);
  });

  it('is killed once when it does not respond to pings', async () => {
    const { zygote, child, reports, reported } = start();
    const { server, python } = await connection();
    zygote.attach(server);
    for (let tick = 0; tick < 10; tick += 1) zygote.checkLife();
    assert.deepEqual(reports, [], 'nobody expects an answer during the import');
    say(python, { kind: 'loaded' });
    await reported(1);
    for (let tick = 0; tick < 5; tick += 1) zygote.checkLife();
    assert.deepEqual(reports, ['loaded', 'broken: it does not respond']);
    assert.deepEqual(child.signals, ['SIGKILL']);
  });

  it('is asked to end when it is connected, and otherwise killed', async () => {
    const { zygote, child } = start();
    zygote.quit();
    assert.deepEqual(child.signals, ['SIGKILL']);
    const { server, python } = await connection();
    zygote.attach(server);
    zygote.quit();
    const [data] = (await once(python, 'data')) as [Buffer];
    assert.equal(data.toString('utf8', 4), '{"kind":"quit"}');
    assert.deepEqual(child.signals, ['SIGKILL']);
  });

  it('starts again when a signal for the whole server ends it before it connects, unless it was to end', async () => {
    const { zygote, children, reports, reported } = start();
    children[0]?.emit('exit', null, 'SIGHUP');
    assert.equal(children.length, 2);
    zygote.end();
    children[1]?.emit('exit', null, 'SIGHUP');
    await reported(1);
    assert.equal(children.length, 2);
    assert.deepEqual(reports, ['gone: SIGHUP']);
  });

  it('is not started for ever', async () => {
    const { children, reports, reported } = start();
    for (let at = 0; at < children.length; at += 1) children[at]?.emit('exit', null, 'SIGHUP');
    await reported(1);
    assert.equal(children.length, 4);
    assert.deepEqual(reports, ['gone: SIGHUP']);
  });
});
