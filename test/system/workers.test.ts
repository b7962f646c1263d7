import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, Pipeline } from '../support/http-client.ts';
import { encode, parseAnswer } from '../support/http-message.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { startMarked } from '../support/marks.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { APPS, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning, within } from '../support/wait.ts';

const NO_PROC = existsSync('/proc/self/fd') ? false : 'descriptors are counted in /proc';
/** Longer than any step takes, and shorter than the time for which a stopping server waits for its requests. */
const SOON_MS = 15_000;

describe('workers', () => {
  const eachTest = eachTestLifetime();

  const start = (...args: string[]): Promise<Viaduct> =>
    startViaduct(eachTest, ['serve', 'gallery:application', '--chdir', APPS, '--access-log', 'off', ...args]);

  it('each import an application that is not preloaded', async () => {
    const server = await start('--no-preload', '--workers', '2', '--threads', '1');
    const pids = new Set<string>();
    await eventually('both have answered', async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => ask(server.port, '/raises?pid')));
      for (const { body } of answers) pids.add(body);
      return pids.size === 2;
    });
  });

  it('end at once when the server stops while one of them imports', async () => {
    const directory = temporaryDirectory(eachTest);
    writeFileSync(
      join(directory, 'app.py'),
      `
import os, time

while os.path.exists("closed") and not os.path.exists("open"):
    open("importing", "w").close()
    time.sleep(0.01)

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
`,
    );
    const server = await startViaduct(eachTest, ['serve', directory, '--no-preload', '--workers', '1']);
    eachTest.after(() => writeFileSync(join(directory, 'open'), ''));
    const pid = Number((await ask(server.port, '/')).body);
    writeFileSync(join(directory, 'closed'), '');
    process.kill(pid, 'SIGKILL');
    await eventually('its successor imports', () => existsSync(join(directory, 'importing')));
    process.kill(server.pid, 'SIGTERM');
    const { code } = await within(SOON_MS, 'the end', () => server.exited);
    assert.equal(code, 0);
  });

  it('start again when a broken application is fixed', async () => {
    const directory = temporaryDirectory(eachTest);
    const write = (body: string): void =>
      writeFileSync(
        join(directory, 'app.py'),
        `
import os
${body}
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
`,
      );
    write('');
    const server = await startViaduct(eachTest, ['serve', directory, '--no-preload', '--workers', '1']);
    const pid = Number((await ask(server.port, '/')).body);
    write('raise RuntimeError("broken meanwhile")');
    process.kill(pid, 'SIGKILL');
    const waiting = ask(server.port, '/');
    await eventually('the traceback is logged', () => /RuntimeError: broken meanwhile/.test(server.output()));
    write('');
    const answer = await waiting;
    assert.equal(answer.status, 200);
    assert.notEqual(Number(answer.body), pid);
  });

  it('are reported once when they die', async () => {
    const server = await start('--workers', '1', '--threads', '8');
    const pid = Number((await ask(server.port, '/raises?pid')).body);
    process.kill(pid, 'SIGKILL');
    await eventually('another worker answers', async () => (await ask(server.port, '/raises?pid')).body !== `${pid}`);
    const lines = server
      .output()
      .split('\n')
      .filter((line) => line.includes(`pid ${pid}`));
    assert.equal(lines.length, 1, lines.join('\n'));
  });

  it('are replaced when they die, even if a process that the application forked stays alive', async () => {
    const server = await start('--workers', '1', '--threads', '1');
    const [worker = 0, child = 0] = (await ask(server.port, '/forks?sleeping')).body.split(' ').map(Number);
    try {
      process.kill(worker, 'SIGKILL');
      const { body } = await within(SOON_MS, 'an answer of its successor', () => ask(server.port, '/forks'));
      assert.notEqual(Number(body.split(' ')[0]), worker);
      process.kill(server.pid, 'SIGTERM');
      assert.equal((await within(SOON_MS, 'the end', () => server.exited)).code, 0);
    } finally {
      process.kill(child, 'SIGKILL');
    }
  });

  it('answer once when a process that the application forked returns from the application too', async () => {
    const server = await start('--workers', '1', '--threads', '1');
    const client = await Pipeline.open(server.port);
    const [first] = await client.get('/bare/forks');
    const worker = first?.body.split(' ')[0] as string;
    for (let i = 0; i < 5; i += 1) {
      const [forked, next] = await client.get('/bare/forks?returning', '/bare/forks');
      assert.match(forked?.body ?? '', new RegExp(`^${worker} [1-9]\\d*$`));
      assert.equal(next?.body, `${worker} 0`);
    }
    assert.equal(client.excess, '');
    client.close();
  });

  describe('with clients that read slowly', () => {
    const limited = (...args: string[]): Promise<Viaduct> => {
      const fixed = ['serve', 'gallery:application', '--chdir', APPS, '--access-log', 'off', '--workers', '1'];
      return startViaduct(eachTest, [...fixed, ...args], { env: { VIADUCT_RESPONSE_BUFFER_BYTES_MAX: '64KiB' } });
    };

    /** A client that sends a request and does not read. */
    const lazyClient = async (server: Viaduct, target: string): Promise<SocketClient> => {
      const client = await SocketClient.open(server.port);
      client.socket.pause();
      client.send(encode(target));
      return client;
    };

    for (const kind of ['generator', 'list']) {
      it(`are free again when the response fits the buffer of a client that does not read: ${kind}`, async () => {
        const server = await start('--workers', '1', '--threads', '1');
        const clients = [1, 2, 3].map(() => lazyClient(server, `/bare/blocks?${kind}+100`));
        const lazy = await Promise.all(clients);
        for (let i = 0; i < 5; i += 1) assert.equal((await ask(server.port, '/blocks?hello')).body, 'hello');
        for (const client of lazy) client.close();
      });

      it(`do not delay other clients when the response is larger than the buffer: ${kind}`, async () => {
        const server = await limited('--threads', '2');
        const hellos = await Pipeline.open(server.port);
        const hello = (): Promise<unknown> => hellos.get('/bare/blocks?hello');
        for (let i = 0; i < 300; i += 1) await hello(); // the lanes learn that this application is fast
        const lazy = await SocketClient.open(server.port);
        lazy.socket.pause();
        const others = await Promise.all(Array.from({ length: 10 }, () => Pipeline.open(server.port)));
        await Promise.all(others.map((other) => other.get('/bare/blocks?hello')));
        process.kill(server.pid, 'SIGSTOP'); // so that it finds all requests at once, and some are behind the large one
        lazy.send(encode(`/bare/blocks?${kind}+800`));
        const behind = others.map((other) => other.get('/bare/blocks?hello'));
        await Promise.all([lazy, ...others].map((client) => client.flushed()));
        process.kill(server.pid, 'SIGCONT');
        await within(SOON_MS, 'the requests behind it', () => Promise.all(behind));
        for (let i = 0; i < 300; i += 1) await within(SOON_MS, 'a fast answer', hello);
        lazy.socket.resume();
        await lazy.untilClosed();
        const answer = parseAnswer(lazy.received, 'GET');
        assert.deepEqual([answer.status, answer.body.length, answer.whole], [200, 800 * 65536, true]);
        for (const client of [hellos, ...others]) client.close();
      });
    }

    it('stop the application when the buffer is full, and continue when the client has left', async () => {
      const server = await limited('--threads', '2');
      const lazy = await lazyClient(server, '/blocks?generator+100000');
      const produced = async (): Promise<number> => Number((await ask(server.port, '/blocks?produced')).body);
      let before = -1;
      await eventually('the application waits', async () => {
        const now = await produced();
        const still = now > 0 && now === before;
        before = now;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return still;
      });
      assert.ok(before * 65536 < 32 * 1024 * 1024, `${before} blocks of 64 KiB were made for a buffer of 64 KiB`);
      lazy.close();
      const both = Promise.all([lazyClient(server, '/blocks?generator+1'), ask(server.port, '/blocks?hello')]);
      (await both)[0].close();
    });
  });

  describe('with clients that leave', () => {
    it('never start a request whose client left while it waited', async () => {
      const marked = await startMarked(eachTest, ['--workers', '1', '--threads', '1'], { VIADUCT_ACCESS_LOG: 'json' });
      const held = await Pipeline.open(marked.port);
      const holding = held.get('/hold/held');
      await eventually('the worker is busy', () => marked.starts().has('held'));
      const leaving = await SocketClient.open(marked.port);
      leaving.send('GET /run/left HTTP/1.1\r\nHost: a\r\n\r\n');
      const uploading = await SocketClient.open(marked.port);
      uploading.send(`POST /run/uploaded HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(500_000)}`);
      const staying = await Pipeline.open(marked.port);
      const stayed = staying.get('/run/stayed');
      leaving.close();
      uploading.close();
      for (const name of ['left', 'uploaded']) {
        await eventually(`${name} is given up`, () =>
          new RegExp(`/run/${name}.*\\b499\\b`).test(marked.viaduct.output()),
        );
      }
      marked.release();
      assert.deepEqual([(await holding)[0]?.status, (await stayed)[0]?.status], [200, 200]);
      assert.deepEqual([...marked.starts().keys()], ['held', 'stayed']);
      held.close();
      staying.close();
    });

    it('finish a request whose client left, and answer the next one', async () => {
      const marked = await startMarked(eachTest, ['--workers', '1', '--threads', '1'], { VIADUCT_ACCESS_LOG: 'json' });
      const leaving = await SocketClient.open(marked.port);
      leaving.send('GET /hold/left HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually('it runs', () => marked.starts().has('left'));
      leaving.close();
      const staying = await Pipeline.open(marked.port);
      const stayed = staying.get('/run/1', '/run/2');
      marked.release();
      const answers = await stayed;
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200],
      );
      const pids = new Set(marked.marks().map(({ pid }) => pid));
      assert.equal(pids.size, 1, 'the worker was replaced');
      assert.ok(marked.marks().some(({ kind, id }) => kind === 'end' && id === 'left'));
      staying.close();
    });
  });

  it('hold no more descriptors after thousands of requests, like the server process', { skip: NO_PROC }, async () => {
    const server = await start('--workers', '1', '--threads', '2');
    const worker = Number((await ask(server.port, '/raises?pid')).body);
    const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
    await mixedLoad(server);
    const settled = async (): Promise<[number, number]> => {
      let before = '';
      let now: [number, number] = [0, 0];
      await eventually('the number of descriptors is stable', async () => {
        await new Promise((resolve) => setTimeout(resolve, 250));
        now = [descriptors(server.pid), descriptors(worker)];
        const still = String(now) === before;
        before = String(now);
        return still;
      });
      return now;
    };
    const [processBefore, pythonBefore] = await settled();
    const memory = residentBytes(worker);
    for (let round = 0; round < 5; round += 1) await mixedLoad(server);
    const [processAfter, pythonAfter] = await settled();
    assert.ok(processAfter <= processBefore, `the server process: ${processBefore} descriptors, then ${processAfter}`);
    assert.ok(pythonAfter <= pythonBefore, `the worker: ${pythonBefore} descriptors, then ${pythonAfter}`);
    const grown = residentBytes(worker) - memory;
    assert.ok(grown < 4 * 1024 * 1024, `the worker grew by ${grown} bytes in 2,500 requests`);
    assert.ok(isRunning(worker));
  });
});

/** Sends 500 requests of all kinds. Some of the clients leave early. */
async function mixedLoad(server: Viaduct): Promise<void> {
  const upload = 'x'.repeat(300_000);
  const targets = ['/bare/files?file', '/bare/files?temporary', '/files?memory', '/closes?a+raise', '/raises?error'];
  await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      for (let i = 0; i < 25; i += 1) {
        await ask(server.port, targets[(i + index) % targets.length] as string);
        const body = i % 5 === 0 ? upload : 'small';
        if (i % 2 === 0) await ask(server.port, '/inputs?read(5)', { method: 'POST', body });
        else {
          const leaving = await SocketClient.open(server.port);
          leaving.send(encode(i % 4 === 1 ? '/bare/files?large' : '/closes?a+endless'));
          await leaving.until(/^HTTP/);
          leaving.close();
        }
      }
    }),
  );
}

function residentBytes(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}
