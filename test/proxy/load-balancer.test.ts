import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Backend } from '../../src/proxy/backend.ts';
import type { BackendOverrides } from '../../src/proxy/backend-state.ts';
import type { Discovery } from '../../src/proxy/discovery/discovery.ts';
import type { ReverseProxyOptions } from '../../src/proxy/reverse-proxy-options.ts';
import { type BackendConnection, startBackend, type TestBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { type ProxyServer, serveProxy } from '../support/serve-proxy.ts';
import { eventually } from '../support/wait.ts';

type Answer = (request: string, connection: BackendConnection) => string;

function responseWith(text: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

function withProxy(
  t: TestContext,
  backends: readonly TestBackend[],
  options: Partial<ReverseProxyOptions> = {},
): Promise<ProxyServer> {
  const list = backends.map(({ backend }) => backend);
  return serveProxy(t, list, options);
}

/** A discovery that returns the backends given to `setBackends`. */
function controlledDiscovery() {
  let report: (backends: readonly Backend[]) => void = () => {};
  const discovery: Discovery = {
    start(onBackends) {
      report = onBackends;
    },
    stop() {},
  };
  return { discovery, setBackends: (backends: readonly Backend[]) => report(backends) };
}

const nameOf = ({ url }: TestBackend): string => url;

describe('a request that a backend received and failed', () => {
  const reset: Answer = (_request, { socket }) => {
    socket.destroy();
    return '';
  };

  it('goes to another backend when it is idempotent and retries are allowed', async (t) => {
    const [broken, good] = [await startBackend(t, reset), await startBackend(t, () => responseWith('good'))];
    const proxy = await withProxy(t, [broken, good], { retries: 1 });
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(proxy.port, '/')));
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      Array(4).fill([200, 'good']),
    );
    assert.match(proxy.failures[0] ?? '', /backend "http:.*": response: the connection closed before the response/);
  });

  it('gets 502 when it is not idempotent, has content, or has no retries left', async (t) => {
    const requests: string[] = [];
    const broken: Answer = (request, connection) => {
      requests.push(request.slice(0, request.indexOf(' ')));
      return reset(request, connection);
    };
    const backends = [await startBackend(t, broken), await startBackend(t, broken), await startBackend(t, broken)];
    const proxy = await withProxy(t, backends, { retries: 1 });
    assert.equal((await ask(proxy.port, '/', { method: 'POST' })).status, 502);
    assert.deepEqual(requests, ['POST']);
    assert.equal((await ask(proxy.port, '/')).status, 502);
    assert.deepEqual(requests, ['POST', 'GET', 'GET']);
  });

  it('is not retried when the retry budget is exhausted', async (t) => {
    let requests = 0;
    const broken: Answer = (request, connection) => {
      requests += 1;
      return reset(request, connection);
    };
    const proxy = await withProxy(t, [await startBackend(t, broken), await startBackend(t, broken)], {
      retries: 1,
      retryBudget: 0.1,
    });
    for (let i = 0; i < 30; i += 1) assert.equal((await ask(proxy.port, '/')).status, 502);
    assert.ok(requests >= 40 && requests <= 44, `${requests}`);
  });

  it('goes to another backend after a status that counts as a failure, and gets that status without another backend', async (t) => {
    const [busy, good] = [
      await startBackend(t, () => responseWith('busy', '503 Busy')),
      await startBackend(t, () => responseWith('good')),
    ];
    const both = await withProxy(t, [busy, good], { retries: 1, failedStatuses: [503] });
    assert.deepEqual([(await ask(both.port, '/')).body, (await ask(both.port, '/')).body], ['good', 'good']);
    const alone = await withProxy(t, [busy], { retries: 1, failedStatuses: [503] });
    const answer = await ask(alone.port, '/');
    assert.deepEqual([answer.status, answer.body], [503, 'busy']);
  });
});

describe('a backend that fails repeatedly', () => {
  it('receives no requests for a while, then one trial request', async (t) => {
    let healthy = false;
    const asked: string[] = [];
    const failing = await startBackend(t, (request, { socket }) => {
      asked.push(request.slice(4, request.indexOf(' HTTP')));
      if (healthy) return responseWith('back');
      socket.destroy();
      return '';
    });
    const info: string[] = [];
    const proxy = await withProxy(t, [failing], {
      retryAfterMs: 300,
      failuresMax: 3,
      onInfo: (message) => info.push(message),
    });
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, `/${i}`)).status, 502);
    const refused = await ask(proxy.port, '/refused');
    assert.deepEqual([refused.status, refused.header('retry-after')], [503, '1']);
    assert.deepEqual(asked, ['/0', '/1', '/2']);
    assert.match(info[0] ?? '', /^Backend "http:.*" is down for \d+ ms: response: /);
    assert.match(proxy.failures.at(-1) ?? '', /^Cannot choose a backend: "http:.*" down$/);
    healthy = true;
    await eventually('the trial request succeeds', async () => (await ask(proxy.port, '/again')).status === 200);
  });
});

describe('a limit of requests for each backend', () => {
  it('makes further requests wait, in order, until a response has ended', async (t) => {
    const waiting: BackendConnection[] = [];
    const paths: string[] = [];
    const slow = await startBackend(t, (request, connection) => {
      waiting.push(connection);
      paths.push(request.slice(4, request.indexOf(' HTTP')));
      return '';
    });
    const proxy = await withProxy(t, [slow], { connectionsMax: 2 });
    const answers = ['/0', '/1', '/2', '/3'].map((path) => ask(proxy.port, path));
    await eventually('two requests are at the backend', () => waiting.length === 2 && proxy.proxy.waiting === 2);
    waiting.shift()?.socket.write(responseWith('a'));
    await eventually('the third request is at the backend', () => paths.length === 3);
    for (const { socket } of waiting.splice(0)) socket.write(responseWith('b'));
    await eventually('the fourth request is at the backend', () => paths.length === 4);
    for (const { socket } of waiting.splice(0)) socket.write(responseWith('c'));
    assert.deepEqual(
      (await Promise.all(answers)).map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.equal(slow.connections.length, 2);
  });

  it('causes 503 when too many requests wait, or one waits too long', async (t) => {
    const silent = await startBackend(t, () => '');
    const proxy = await withProxy(t, [silent], { connectionsMax: 1, queueMax: 1, queueTimeoutMs: 50 });
    void ask(proxy.port, '/with').catch(() => {});
    await eventually('the backend is busy', () => silent.connections.length === 1);
    const late = ask(proxy.port, '/late');
    await eventually('one request waits', () => proxy.proxy.waiting === 1);
    const full = await ask(proxy.port, '/full');
    assert.deepEqual([full.status, full.header('retry-after')], [503, '1']);
    assert.equal((await late).status, 503);
    assert.match(proxy.failures.join('\n'), /Cannot choose a backend: all were busy for 50 ms/);
  });

  it('sends requests to the other backends that have room', async (t) => {
    const [slow, good] = [await startBackend(t, () => ''), await startBackend(t, () => responseWith('good'))];
    const proxy = await withProxy(t, [slow, good], { connectionsMax: 1 });
    void ask(proxy.port, '/').catch(() => {});
    await eventually('one backend is busy', () => slow.connections.length === 1);
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'good');
  });

  it('drops a waiting request when its client leaves', async (t) => {
    const held: BackendConnection[] = [];
    const slow = await startBackend(t, (_request, connection) => {
      held.push(connection);
      return '';
    });
    const proxy = await withProxy(t, [slow], { connectionsMax: 1 });
    const first = ask(proxy.port, '/');
    await eventually('the backend is busy', () => held.length === 1);
    const { connect } = await import('node:net');
    const leaving = connect(proxy.port, '127.0.0.1', () => leaving.write('GET /left HTTP/1.1\r\nHost: a\r\n\r\n'));
    await eventually('one request waits', () => proxy.proxy.waiting === 1);
    leaving.destroy();
    await eventually('no request waits', () => proxy.proxy.waiting === 0);
    held[0]?.socket.write(responseWith('done'));
    assert.equal((await first).body, 'done');
    assert.equal(held.length, 1);
  });
});

describe('sticky sessions', () => {
  const sticky = { cookie: 'stay', secret: 'a secret of enough letters', maxAgeS: 60, path: '/' };

  it('keep a client at the backend that answered it first, by a cookie that names no backend', async (t) => {
    const backends = await Promise.all(['a', 'b', 'c'].map((name) => startBackend(t, () => responseWith(name))));
    const proxy = await withProxy(t, backends, { sticky });
    const first = await ask(proxy.port, '/');
    const cookie = first.header('set-cookie') ?? '';
    assert.match(cookie, /^stay=[\w-]{22}; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/);
    const value = cookie.slice(0, cookie.indexOf(';'));
    for (let i = 0; i < 5; i += 1) {
      const next = await ask(proxy.port, '/', { headers: [['Cookie', `x=y; ${value}`]] });
      assert.deepEqual([next.body, next.header('set-cookie')], [first.body, null]);
    }
    const forged = await ask(proxy.port, '/', { headers: [['Cookie', `stay=${'A'.repeat(22)}`]] });
    assert.match(forged.header('set-cookie') ?? '', /^stay=/);
  });

  it('keep a draining backend, which receives no other requests', async (t) => {
    const backends = await Promise.all(['a', 'b'].map((name) => startBackend(t, () => responseWith(name))));
    const overrides: BackendOverrides = new Map();
    const proxy = await withProxy(t, backends, { sticky, overrides });
    const first = await ask(proxy.port, '/');
    const drained = backends[first.body === 'a' ? 0 : 1] as TestBackend;
    Object.assign(overrides.get(nameOf(drained)) ?? {}, { draining: true });
    proxy.proxy.refresh();
    const value = (first.header('set-cookie') ?? '').split(';')[0] ?? '';
    assert.equal((await ask(proxy.port, '/', { headers: [['Cookie', value]] })).body, first.body);
    for (let i = 0; i < 4; i += 1) assert.notEqual((await ask(proxy.port, '/')).body, first.body);
    assert.equal(proxy.proxy.status().find(({ name }) => name === nameOf(drained))?.state, 'draining');
  });

  it('move to another backend with a new cookie when their backend has left', async (t) => {
    const backends = await Promise.all(['a', 'b'].map((name) => startBackend(t, () => responseWith(name))));
    const proxy = await withProxy(t, backends, { sticky, retryAfterMs: 60_000 });
    const first = await ask(proxy.port, '/');
    backends[first.body === 'a' ? 0 : 1]?.stop();
    const value = (first.header('set-cookie') ?? '').split(';')[0] ?? '';
    await eventually('the other backend answers', async () => {
      const moved = await ask(proxy.port, '/', { headers: [['Cookie', value]] });
      return moved.status === 200 && moved.body !== first.body && moved.header('set-cookie') !== null;
    });
  });
});

describe('health checks', () => {
  const checks = {
    path: '/healthz?full',
    host: null,
    statuses: [[200, 299]] as const,
    body: 'fine',
    intervalMs: 50,
    timeoutMs: 200,
    healthyAfter: 2,
    unhealthyAfter: 2,
  };

  /** A backend that answers its health check with the current result of `health`. */
  async function checked(t: TestContext, name: string, health: () => string): Promise<TestBackend> {
    return startBackend(t, (request) => (request.startsWith('GET /healthz?full ') ? health() : responseWith(name)));
  }

  for (const [description, unhealthyResponse] of [
    ['has another status', responseWith('fine', '500 Ill')],
    ['has other content', responseWith('ill')],
    ['does not come', ''],
    ['does not come whole', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfi'],
    ['is no response', 'nonsense\r\n\r\n'],
  ] as const) {
    it(`take a backend out when its response ${description}, until it is healthy again`, async (t) => {
      let answer = responseWith('fine');
      const backends = [await checked(t, 'a', () => answer), await checked(t, 'b', () => responseWith('all is fine'))];
      const info: string[] = [];
      const proxy = await withProxy(t, backends, { checks, onInfo: (message) => info.push(message) });
      void proxy.proxy.start();
      assert.deepEqual([(await ask(proxy.port, '/')).body, (await ask(proxy.port, '/')).body], ['a', 'b']);
      answer = unhealthyResponse;
      await eventually('the backend is unhealthy', () => proxy.proxy.status()[0]?.state === 'unhealthy');
      for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'b');
      assert.match(info[0] ?? '', /^Backend "http:.*" is unhealthy and receives no requests: /);
      answer = responseWith('fine');
      await eventually('the backend is healthy', () => proxy.proxy.status()[0]?.state === 'up');
      assert.match(info.at(-1) ?? '', /^Backend "http:.*" is healthy$/);
    });
  }

  it("cause 503 and a message with the backends' states when all are unhealthy", async (t) => {
    const proxy = await withProxy(t, [await checked(t, 'a', () => responseWith('ill'))], { checks });
    void proxy.proxy.start();
    await eventually('the backend is unhealthy', () => proxy.proxy.status()[0]?.state === 'unhealthy');
    assert.equal((await ask(proxy.port, '/')).status, 503);
    assert.match(proxy.failures.at(-1) ?? '', /^Cannot choose a backend: "http:.*" unhealthy$/);
  });
});

describe('discovered backends', () => {
  it('finish their requests when they leave, and receive requests when they join', async (t) => {
    const held: BackendConnection[] = [];
    const old = await startBackend(t, (request, connection) => {
      if (!request.startsWith('GET /slow')) return responseWith('old');
      held.push(connection);
      return '';
    });
    const fresh = await startBackend(t, () => responseWith('fresh'));
    const { discovery, setBackends } = controlledDiscovery();
    const proxy = await withProxy(t, [], { discoveries: [discovery] });
    const started = proxy.proxy.start();
    assert.equal((await ask(proxy.port, '/')).status, 503);
    setBackends([old.backend]);
    await started;
    const slow = ask(proxy.port, '/slow');
    await eventually('the request is at the backend', () => held.length === 1);
    setBackends([fresh.backend]);
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'fresh');
    held[0]?.socket.write(responseWith('whole'));
    assert.equal((await slow).body, 'whole');
    await eventually('the old connection is closed', () => old.connections.every(({ socket }) => socket.readableEnded));
  });

  it('reach their share step by step with a slow start', async (t) => {
    const [old, fresh] = [
      await startBackend(t, () => responseWith('old')),
      await startBackend(t, () => responseWith('fresh')),
    ];
    const { discovery, setBackends } = controlledDiscovery();
    const proxy = await withProxy(t, [], { discoveries: [discovery], slowStartMs: 60_000 });
    const started = proxy.proxy.start();
    setBackends([old.backend]);
    await started;
    setBackends([old.backend, fresh.backend]);
    const bodies: string[] = [];
    for (let i = 0; i < 22; i += 1) bodies.push((await ask(proxy.port, '/')).body);
    assert.equal(bodies.filter((body) => body === 'fresh').length, 2);
  });
});
