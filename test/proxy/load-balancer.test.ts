import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Backend } from '../../src/proxy/backend.ts';
import type { Discovery } from '../../src/proxy/discovery/discovery.ts';
import type { ReverseProxyOptions } from '../../src/proxy/reverse-proxy.ts';
import type { Standings } from '../../src/upstream/member.ts';
import { ask } from '../support/http-client.ts';
import { ProxyFront } from '../support/proxy-front.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { eventually } from '../support/socket-client.ts';

type Answer = (request: string, connection: RawConnection) => string;

function says(text: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

async function backend(t: TestContext, answer: Answer): Promise<RawBackend> {
  const started = await RawBackend.answering(answer);
  t.after(() => started.stop());
  return started;
}

async function front(
  t: TestContext,
  backends: readonly RawBackend[],
  options: Partial<ReverseProxyOptions> = {},
): Promise<ProxyFront> {
  const started = await ProxyFront.start(
    backends.map((one) => one.backend),
    options,
  );
  t.after(() => started.stop());
  return started;
}

/** A discovery that finds what it is told. */
function toldDiscovery() {
  let tell: (backends: readonly Backend[]) => void = () => {};
  const discovery: Discovery = {
    start(found) {
      tell = found;
    },
    stop() {},
  };
  return { discovery, found: (backends: readonly Backend[]) => tell(backends) };
}

const nameOf = ({ backend: { port } }: RawBackend): string => `http://127.0.0.1:${port}`;

describe('a request that a backend has got and failed', () => {
  const reset: Answer = (_request, { socket }) => {
    socket.destroy();
    return '';
  };

  it('goes to another one when it is idempotent and may be repeated', async (t) => {
    const [broken, good] = [await backend(t, reset), await backend(t, () => says('good'))];
    const proxy = await front(t, [broken, good], { retries: 1 });
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(proxy.port, '/')));
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      Array(4).fill([200, 'good']),
    );
    assert.match(proxy.failures[0] ?? '', /backend "http:.*": response: the connection closed before the response/);
  });

  it('is answered with 502 when it is not idempotent, has content, or was repeated often enough', async (t) => {
    const requests: string[] = [];
    const broken: Answer = (request, connection) => {
      requests.push(request.slice(0, request.indexOf(' ')));
      return reset(request, connection);
    };
    const backends = [await backend(t, broken), await backend(t, broken), await backend(t, broken)];
    const proxy = await front(t, backends, { retries: 1 });
    assert.equal((await ask(proxy.port, '/', { method: 'POST' })).status, 502);
    assert.deepEqual(requests, ['POST']);
    assert.equal((await ask(proxy.port, '/')).status, 502);
    assert.deepEqual(requests, ['POST', 'GET', 'GET']);
  });

  it('is not repeated any more when too many are', async (t) => {
    let requests = 0;
    const broken: Answer = (request, connection) => {
      requests += 1;
      return reset(request, connection);
    };
    const proxy = await front(t, [await backend(t, broken), await backend(t, broken)], {
      retries: 1,
      retryBudget: 0.1,
    });
    for (let i = 0; i < 30; i += 1) assert.equal((await ask(proxy.port, '/')).status, 502);
    assert.ok(requests >= 40 && requests <= 44, `${requests}`);
  });

  it('goes to another one after a status that counts as a failure, and is answered with it when there is none', async (t) => {
    const [busy, good] = [await backend(t, () => says('busy', '503 Busy')), await backend(t, () => says('good'))];
    const both = await front(t, [busy, good], { retries: 1, failedStatuses: [503] });
    assert.deepEqual([(await ask(both.port, '/')).body, (await ask(both.port, '/')).body], ['good', 'good']);
    const alone = await front(t, [busy], { retries: 1, failedStatuses: [503] });
    const answer = await ask(alone.port, '/');
    assert.deepEqual([answer.status, answer.body], [503, 'busy']);
  });
});

describe('backends that fail again and again', () => {
  it('are not asked for a while, then tried by one request', async (t) => {
    let healthy = false;
    const asked: string[] = [];
    const one = await backend(t, (request, { socket }) => {
      asked.push(request.slice(4, request.indexOf(' HTTP')));
      if (healthy) return says('back');
      socket.destroy();
      return '';
    });
    const info: string[] = [];
    const proxy = await front(t, [one], { restMs: 300, failuresMax: 3, onInfo: (message) => info.push(message) });
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, `/${i}`)).status, 502);
    const refused = await ask(proxy.port, '/refused');
    assert.deepEqual([refused.status, refused.header('retry-after')], [503, '1']);
    assert.deepEqual(asked, ['/0', '/1', '/2']);
    assert.match(info[0] ?? '', /^Backend "http:.*" gets no requests for \d+ ms: response: /);
    assert.match(proxy.failures.at(-1) ?? '', /^Cannot choose a backend: "http:.*" resting$/);
    healthy = true;
    await eventually('it is tried again', async () => (await ask(proxy.port, '/again')).status === 200);
  });
});

describe('a limit of requests for each backend', () => {
  it('makes further requests wait, in order, until one is answered', async (t) => {
    const waiting: RawConnection[] = [];
    const paths: string[] = [];
    const slow = await backend(t, (request, connection) => {
      waiting.push(connection);
      paths.push(request.slice(4, request.indexOf(' HTTP')));
      return '';
    });
    const proxy = await front(t, [slow], { connectionsMax: 2 });
    const answers = ['/0', '/1', '/2', '/3'].map((path) => ask(proxy.port, path));
    await eventually('two are with the backend', () => waiting.length === 2 && proxy.proxy.waiting === 2);
    waiting.shift()?.socket.write(says('a'));
    await eventually('the third is', () => paths.length === 3);
    for (const { socket } of waiting.splice(0)) socket.write(says('b'));
    await eventually('the fourth is', () => paths.length === 4);
    for (const { socket } of waiting.splice(0)) socket.write(says('c'));
    assert.deepEqual(
      (await Promise.all(answers)).map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.equal(slow.connections.length, 2);
  });

  it('answers 503 when too many wait, and to those that wait for too long', async (t) => {
    const silent = await backend(t, () => '');
    const proxy = await front(t, [silent], { connectionsMax: 1, queueMax: 1, queueTimeoutMs: 50 });
    void ask(proxy.port, '/with').catch(() => {});
    await eventually('it is busy', () => silent.connections.length === 1);
    const late = ask(proxy.port, '/late');
    await eventually('one waits', () => proxy.proxy.waiting === 1);
    const full = await ask(proxy.port, '/full');
    assert.deepEqual([full.status, full.header('retry-after')], [503, '1']);
    assert.equal((await late).status, 503);
    assert.match(proxy.failures.join('\n'), /Cannot get a backend: all were busy for 50 ms/);
  });

  it('gives requests to the others that have room', async (t) => {
    const [slow, good] = [await backend(t, () => ''), await backend(t, () => says('good'))];
    const proxy = await front(t, [slow, good], { connectionsMax: 1 });
    void ask(proxy.port, '/').catch(() => {});
    await eventually('one is busy', () => slow.connections.length === 1);
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'good');
  });

  it('lets go of those whose client has left while they waited', async (t) => {
    const held: RawConnection[] = [];
    const slow = await backend(t, (_request, connection) => {
      held.push(connection);
      return '';
    });
    const proxy = await front(t, [slow], { connectionsMax: 1 });
    const first = ask(proxy.port, '/');
    await eventually('it is busy', () => held.length === 1);
    const { connect } = await import('node:net');
    const leaving = connect(proxy.port, '127.0.0.1', () => leaving.write('GET /left HTTP/1.1\r\nHost: a\r\n\r\n'));
    await eventually('one waits', () => proxy.proxy.waiting === 1);
    leaving.destroy();
    await eventually('nobody waits', () => proxy.proxy.waiting === 0);
    held[0]?.socket.write(says('done'));
    assert.equal((await first).body, 'done');
    assert.equal(held.length, 1);
  });
});

describe('sticky sessions', () => {
  const sticky = { cookie: 'stay', secret: 'a secret of enough letters', maxAgeS: 60, path: '/' };

  it('keep a client with the backend that answered it first, by a cookie that names nobody', async (t) => {
    const backends = await Promise.all(['a', 'b', 'c'].map((name) => backend(t, () => says(name))));
    const proxy = await front(t, backends, { sticky });
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

  it('go on with a backend that is drained, which gets no new ones', async (t) => {
    const backends = await Promise.all(['a', 'b'].map((name) => backend(t, () => says(name))));
    const standings: Standings = new Map();
    const proxy = await front(t, backends, { sticky, standings });
    const first = await ask(proxy.port, '/');
    const drained = backends[first.body === 'a' ? 0 : 1] as RawBackend;
    Object.assign(standings.get(nameOf(drained)) ?? {}, { draining: true });
    proxy.proxy.refresh();
    const value = (first.header('set-cookie') ?? '').split(';')[0] ?? '';
    assert.equal((await ask(proxy.port, '/', { headers: [['Cookie', value]] })).body, first.body);
    for (let i = 0; i < 4; i += 1) assert.notEqual((await ask(proxy.port, '/')).body, first.body);
    assert.equal(proxy.proxy.status().find(({ name }) => name === nameOf(drained))?.state, 'draining');
  });

  it('move on, with a new cookie, when their backend is gone', async (t) => {
    const backends = await Promise.all(['a', 'b'].map((name) => backend(t, () => says(name))));
    const proxy = await front(t, backends, { sticky, restMs: 60_000 });
    const first = await ask(proxy.port, '/');
    backends[first.body === 'a' ? 0 : 1]?.stop();
    const value = (first.header('set-cookie') ?? '').split(';')[0] ?? '';
    await eventually('the other one answers', async () => {
      const moved = await ask(proxy.port, '/', { headers: [['Cookie', value]] });
      return moved.status === 200 && moved.body !== first.body && moved.header('set-cookie') !== null;
    });
  });
});

describe('checks of backends', () => {
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

  /** A backend whose check is answered with what `health` says at the time. */
  async function checked(t: TestContext, name: string, health: () => string): Promise<RawBackend> {
    return backend(t, (request) => (request.startsWith('GET /healthz?full ') ? health() : says(name)));
  }

  for (const [what, ill] of [
    ['has another status', says('fine', '500 Ill')],
    ['has other content', says('ill')],
    ['does not come', ''],
    ['does not come whole', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfi'],
    ['is no response', 'nonsense\r\n\r\n'],
  ] as const) {
    it(`keep requests away from one whose answer ${what}, until it is well again`, async (t) => {
      let answer = says('fine');
      const backends = [await checked(t, 'a', () => answer), await checked(t, 'b', () => says('all is fine'))];
      const info: string[] = [];
      const proxy = await front(t, backends, { checks, onInfo: (message) => info.push(message) });
      void proxy.proxy.start();
      assert.deepEqual([(await ask(proxy.port, '/')).body, (await ask(proxy.port, '/')).body], ['a', 'b']);
      answer = ill;
      await eventually('it is found ill', () => proxy.proxy.status()[0]?.state === 'unhealthy');
      for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'b');
      assert.match(info[0] ?? '', /^Backend "http:.*" is not healthy and gets no requests: /);
      answer = says('fine');
      await eventually('it is found well', () => proxy.proxy.status()[0]?.state === 'up');
      assert.match(info.at(-1) ?? '', /^Backend "http:.*" is healthy$/);
    });
  }

  it('answer 503, with a line that names the backends, when all are ill', async (t) => {
    const proxy = await front(t, [await checked(t, 'a', () => says('ill'))], { checks });
    void proxy.proxy.start();
    await eventually('it is found ill', () => proxy.proxy.status()[0]?.state === 'unhealthy');
    assert.equal((await ask(proxy.port, '/')).status, 503);
    assert.match(proxy.failures.at(-1) ?? '', /^Cannot choose a backend: "http:.*" unhealthy$/);
  });
});

describe('backends that come and go', () => {
  it('finish what they have when they go, and get requests when they come', async (t) => {
    const held: RawConnection[] = [];
    const old = await backend(t, (request, connection) => {
      if (!request.startsWith('GET /slow')) return says('old');
      held.push(connection);
      return '';
    });
    const fresh = await backend(t, () => says('fresh'));
    const { discovery, found } = toldDiscovery();
    const proxy = await front(t, [], { discoveries: [discovery] });
    const started = proxy.proxy.start();
    assert.equal((await ask(proxy.port, '/')).status, 503);
    found([old.backend]);
    await started;
    const slow = ask(proxy.port, '/slow');
    await eventually('it is with the backend', () => held.length === 1);
    found([fresh.backend]);
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'fresh');
    held[0]?.socket.write(says('whole'));
    assert.equal((await slow).body, 'whole');
    await eventually('the old connection is closed', () => old.connections.every(({ socket }) => socket.readableEnded));
  });

  it('get their share little by little with a slow start', async (t) => {
    const [old, fresh] = [await backend(t, () => says('old')), await backend(t, () => says('fresh'))];
    const { discovery, found } = toldDiscovery();
    const proxy = await front(t, [], { discoveries: [discovery], slowStartMs: 60_000 });
    const started = proxy.proxy.start();
    found([old.backend]);
    await started;
    found([old.backend, fresh.backend]);
    const bodies: string[] = [];
    for (let i = 0; i < 22; i += 1) bodies.push((await ask(proxy.port, '/')).body);
    assert.equal(bodies.filter((body) => body === 'fresh').length, 2);
  });
});
