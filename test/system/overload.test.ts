import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { eachTestLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** A view of 20 ms, and one of microseconds. */
const APP = `
import time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.02)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
`;

const ONE_LANE = ['--workers', '1', '--threads', '1', '--access-log', 'off'];

interface Answer {
  readonly status: number;
  readonly retryAfter: number;
}

describe('requests that wait for a worker', () => {
  const eachTest = eachTestLifetime();

  const start = (...options: string[]): Promise<Viaduct> =>
    startViaduct(eachTest, ['serve', 'app:application', ...ONE_LANE, ...options], {
      cwd: makeProject(eachTest, { 'app.py': APP }),
    });

  it('are all answered when two thousand clients come at once', async () => {
    // Only the wait is limited, and not the number. How long so many wait depends on the machine.
    const { port } = await start('--queue-delay-ms', '60s');
    const answers = await Promise.all(Array.from({ length: 2000 }, () => get(port, '/')));
    assert.deepEqual(
      answers.filter(({ status }) => status !== 200),
      [],
    );
  });

  it('are refused under overload with Retry-After, but not those of another client', async () => {
    const server = await start('--queue-delay-ms', '100ms');
    const refusals: Answer[] = [];
    let isOver = false;
    const greedy = async (): Promise<void> => {
      while (!isOver) {
        const answer = await get(server.port, '/slow');
        if (answer.status !== 200) refusals.push(answer);
      }
    };
    const greedyClients = Promise.all(Array.from({ length: 60 }, greedy));
    await eventually('requests are refused', () => refusals.length > 100);
    for (let i = 0; i < 20; i += 1) assert.equal((await get(server.port, '/slow', '127.0.0.2')).status, 200);
    isOver = true;
    await greedyClients;
    assert.deepEqual(
      refusals.filter(({ status, retryAfter }) => status !== 503 || retryAfter < 1),
      [],
    );
    assert.match(server.output(), /Overload: \d+ requests wait for a worker, the last one for \d+\.\d s/);
    await eventually('the overload is over', async () => {
      await get(server.port, '/');
      return /The overload is over: \d+ requests were refused/.test(server.output());
    });
  });

  it('do not wait for a minute when their client took more than its share', async () => {
    const server = await start();
    const startedMs = performance.now();
    // They come before the overload is noticed, and so they may wait. Alone, they would be answered in eight seconds.
    const greedy = Promise.all(Array.from({ length: 400 }, () => get(server.port, '/slow')));
    let isOver = false;
    const polite = async (address: string): Promise<void> => {
      while (!isOver) assert.equal((await get(server.port, '/slow', address)).status, 200);
    };
    // They are so few that each may wait for any time, because 16 may for each thread.
    const others = Promise.all(Array.from({ length: 10 }, (_, i) => polite(`127.0.1.${i + 1}`)));
    const answers = await greedy;
    const waitedMs = performance.now() - startedMs;
    isOver = true;
    await others;
    const refused = answers.filter(({ status }) => status === 503).length;
    assert.ok(refused > 200, `${refused} of 400 were refused, after ${waitedMs} ms`);
  });

  it('are all answered when few clients ask a slow application, however short the delay', async () => {
    const { port } = await start('--queue-delay-ms', '1ms');
    const client = async (): Promise<void> => {
      for (let i = 0; i < 10; i += 1) assert.equal((await get(port, '/slow')).status, 200);
    };
    await Promise.all(Array.from({ length: 16 }, client));
  });
});

/** Asks on a connection of its own, as the client with this address. */
function get(port: number, path: string, localAddress = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let head = '';
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      head += text;
    });
    socket.on('error', reject);
    socket.on('close', () =>
      resolve({
        status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
        retryAfter: Number(/^Retry-After: (\d+)/im.exec(head)?.[1] ?? 0),
      }),
    );
    socket.write(`GET ${path} HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n`);
  });
}
