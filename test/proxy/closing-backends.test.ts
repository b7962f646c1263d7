import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnswerRequest, type BackendConnection, startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { eventually } from '../support/wait.ts';
import { startUwsgi } from '../swap/backends/uwsgi.ts';
import { BACKEND_PEERS } from '../swap/peers.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Statuses of `count` requests, of which `atOnce` wait at the same time. */
async function statuses(port: number, method: string, count: number, atOnce: number): Promise<number[]> {
  const all: number[] = [];
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      all.push((await ask(port, '/echo', { method, headers: [['Content-Length', '0']] })).status);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return all;
}

const unlike200 = (all: readonly number[]): number[] => all.filter((status) => status !== 200);

/** Behaves as a backend that answers one request on each connection, closes it some time later, and does not say so. */
function closingAfter(ms: number): { answer: AnswerRequest; lost: () => number } {
  const answered = new WeakSet<BackendConnection>();
  let lost = 0;
  const answer: AnswerRequest = (_, connection) => {
    if (answered.has(connection)) {
      lost += 1;
      return '';
    }
    answered.add(connection);
    setTimeout(() => connection.socket.destroy(), ms);
    return OK;
  };
  return { answer, lost: () => lost };
}

describe('a backend that closes a connection after each response', () => {
  for (const ms of [0, 1, 5, 20]) {
    it(`loses no POST, ${ms} ms after it`, async (t: TestContext) => {
      const backend = await startBackend(t, closingAfter(ms).answer);
      const proxy = await serveProxy(t, [backend.backend]);
      assert.deepEqual(unlike200(await statuses(proxy.port, 'POST', 100, 1)), []);
      assert.deepEqual(unlike200(await statuses(proxy.port, 'POST', 200, 8)), []);
    });

    it(`loses no POST among other requests, ${ms} ms after it`, async (t: TestContext) => {
      const backend = await startBackend(t, closingAfter(ms).answer);
      const proxy = await serveProxy(t, [backend.backend]);
      const all = await Promise.all(['POST', 'GET', 'PUT'].map((method) => statuses(proxy.port, method, 100, 3)));
      assert.deepEqual(unlike200(all.flat()), []);
    });
  }

  it('is remembered: later requests get a connection of their own at once', async (t: TestContext) => {
    const { answer, lost } = closingAfter(5);
    const backend = await startBackend(t, answer);
    const proxy = await serveProxy(t, [backend.backend]);
    await statuses(proxy.port, 'GET', 20, 1);
    const before = [backend.connections.length, lost()];
    await statuses(proxy.port, 'GET', 20, 1);
    assert.deepEqual([backend.connections.length - (before[0] ?? 0), lost() - (before[1] ?? 0)], [20, 0]);
  });
});

describe('a backend that keeps connections', () => {
  const keeping = (): string => OK;

  it('gets all POSTs over one connection once it has shown that', async (t: TestContext) => {
    const backend = await startBackend(t, keeping);
    const proxy = await serveProxy(t, [backend.backend]);
    await statuses(proxy.port, 'GET', 2, 1);
    assert.deepEqual(unlike200(await statuses(proxy.port, 'POST', 50, 1)), []);
    assert.equal(backend.connections.length, 1);
  });

  it('shows it also when all requests are POSTs', async (t: TestContext) => {
    const backend = await startBackend(t, keeping);
    const proxy = await serveProxy(t, [backend.backend]);
    await statuses(proxy.port, 'POST', 3, 1);
    await eventually('a POST uses a connection that stayed open', async () => {
      await sleep(300); // on a busy machine it may take longer, and then the connection is not fresh any more
      const before = backend.connections.length;
      await statuses(proxy.port, 'POST', 1, 1);
      return backend.connections.length === before;
    });
    const before = backend.connections.length;
    await statuses(proxy.port, 'POST', 20, 1);
    assert.equal(backend.connections.length, before);
  });

  it('loses no POST when it closes idle connections early', async (t: TestContext) => {
    const timers = new Map<number, NodeJS.Timeout>();
    const backend = await startBackend(t, (_, { socket, number }) => {
      clearTimeout(timers.get(number));
      timers.set(
        number,
        setTimeout(() => socket.end(), 500),
      );
      return OK;
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const all: number[] = [];
    await statuses(proxy.port, 'GET', 2, 1);
    await sleep(600);
    for (let round = 0; round < 5; round += 1) {
      all.push(...(await statuses(proxy.port, 'GET', 2, 1)));
      await sleep(497 + round * 2);
      all.push(...(await statuses(proxy.port, 'POST', 1, 1)));
    }
    assert.deepEqual(unlike200(all), []);
  });
});

describe('uWSGI with http-socket behind the proxy', { skip: BACKEND_PEERS.uWSGI.missing }, () => {
  it('loses no request', async (t: TestContext) => {
    const { http } = await startUwsgi(t, 'WSGI');
    assert.ok(http);
    const proxy = await serveProxy(t, [{ host: http.host, port: http.port }]);
    const all = await Promise.all(['POST', 'PATCH', 'GET', 'PUT'].map((one) => statuses(proxy.port, one, 150, 2)));
    assert.deepEqual(unlike200(all.flat()), []);
  });
});
