import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { deriveRequest } from '../../src/http/derived-request.ts';
import type { Request } from '../../src/http/message.ts';
import type { Backend } from '../../src/proxy/backend.ts';
import type { ReverseProxyOptions } from '../../src/proxy/reverse-proxy.ts';
import { ask } from '../support/http-client.ts';
import { Pipeline } from '../support/pipeline.ts';
import { ProxyFront } from '../support/proxy-front.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { eventually, SocketClient } from '../support/socket-client.ts';

async function answering(
  t: TestContext,
  answer: (request: string, connection: RawConnection) => string | Buffer,
): Promise<RawBackend> {
  const backend = await RawBackend.answering(answer);
  t.after(() => backend.stop());
  return backend;
}

async function inFront(
  t: TestContext,
  backends: readonly Backend[],
  options: Partial<ReverseProxyOptions> = {},
  derive?: (request: Request) => Request,
): Promise<ProxyFront> {
  const front = await ProxyFront.start(backends, options, derive);
  t.after(() => front.stop());
  return front;
}

const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers with the request's head. */
function echoHead(request: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${request.length}\r\n\r\n${request}`;
}

/** Waits until the proxy has ended this connection. */
function ended(connection: RawConnection | undefined): Promise<void> {
  return eventually('the proxy ends the connection', () => {
    return connection?.socket.readableEnded === true || connection?.socket.destroyed === true;
  });
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

describe('a request to a backend', () => {
  it('keeps method, path and query as they came', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend]);
    const { body } = await ask(front.port, '/a%2Fb/../c;d?x=%20&y=[1]', { method: 'DELETE' });
    assert.match(body, /^DELETE \/a%2Fb\/\.\.\/c;d\?x=%20&y=\[1\] HTTP\/1\.1\r\n/);
  });

  it('loses the prefix that leads to the application', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend], {}, (request) => deriveRequest(request, { scriptName: '/app' }));
    assert.match((await ask(front.port, '/app/x?y')).body, /^GET \/x\?y HTTP/);
    assert.match((await ask(front.port, '/app')).body, /^GET \/ HTTP/);
  });

  it('loses the fields of the connection, also those that Connection names', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend]);
    const headers: [string, string][] = [
      ['Connection', 'X-Mine, x-other ,keep-alive'],
      ['X-Mine', '1'],
      ['x-OTHER', '2'],
      ['Keep-Alive', 'timeout=5'],
      ['TE', 'trailers'],
      ['Proxy-Connection', 'keep-alive'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAA'],
      ['X-Kept', 'yes'],
    ];
    const { body } = await ask(front.port, '/', { headers });
    assert.deepEqual(
      body
        .split('\r\n')
        .slice(1)
        .filter(Boolean)
        .map((line) => line.slice(0, line.indexOf(':'))),
      ['Host', 'X-Kept', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port'],
    );
  });

  const hosts: [string, string, RegExp][] = [
    ["the client's", 'client', /^Host: test\.example\r\n/m],
    ["the backend's", 'backend', /^Host: 127\.0\.0\.1:\d+\r\n/m],
    ['a given one', 'app.internal', /^Host: app\.internal\r\n/m],
  ];
  for (const [what, hostHeader, pattern] of hosts) {
    it(`has ${what} Host`, async (t) => {
      const backend = await answering(t, echoHead);
      const front = await inFront(t, [backend.backend], { hostHeader });
      const { body } = await ask(front.port, '/');
      assert.match(body, pattern);
      assert.equal(body.match(/^host:/gim)?.length, 1);
    });
  }

  it('tells the client in X-Forwarded fields, behind what a trusted proxy told', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend], { listenerPorts: ['8080'] });
    const first = await ask(front.port, '/');
    assert.match(
      first.body,
      /X-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: test\.example\r\nX-Forwarded-Port: 8080\r\n/,
    );
    const behind = await ask(front.port, '/', {
      headers: [
        ['x-forwarded-for', '192.0.2.1'],
        ['X-Forwarded-Proto', 'https'],
      ],
    });
    assert.match(behind.body, /^X-Forwarded-For: 192\.0\.2\.1, 127\.0\.0\.1\r$/m);
    assert.match(behind.body, /^X-Forwarded-Proto: http\r$/m);
    assert.equal(behind.body.match(/x-forwarded-(for|proto)/gi)?.length, 2);
  });

  it('names a client once that a trusted proxy has named', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend], { forwarded: 'both' }, (request) =>
      deriveRequest(request, { peer: { ...request.peer, remoteAddress: '2001:db8::1', secure: true } }),
    );
    const headers: [string, string][] = [
      ['X-Forwarded-For', '2001:db8::1'],
      ['Forwarded', 'for="[2001:db8::1]";proto=https'],
    ];
    const { body } = await ask(front.port, '/', { headers });
    assert.match(body, /^X-Forwarded-For: 2001:db8::1\r$/m);
    assert.match(body, /^Forwarded: for="\[2001:db8::1\]";proto=https\r$/m);
    assert.match(body, /^X-Forwarded-Port: 443\r$/m);
  });

  it('tells the client in Forwarded', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend], { forwarded: 'forwarded' }, (request) =>
      deriveRequest(request, { host: 'a.example:81', headers: ['Forwarded', 'for=198.51.100.9'] }),
    );
    const { body } = await ask(front.port, '/');
    assert.match(body, /^Forwarded: for=198\.51\.100\.9, for=127\.0\.0\.1;host="a\.example:81";proto=http\r$/m);
    assert.doesNotMatch(body, /X-Forwarded/);
  });

  it('tells nothing when told so, and takes forged spellings away otherwise', async (t) => {
    const backend = await answering(t, echoHead);
    const silent = await inFront(t, [backend.backend], { forwarded: 'off' });
    assert.doesNotMatch((await ask(silent.port, '/')).body, /forwarded/i);
    const front = await inFront(t, [backend.backend]);
    const { body } = await ask(front.port, '/', { headers: [['X_Forwarded-For', '6.6.6.6']] });
    assert.doesNotMatch(body, /6\.6\.6\.6/);
  });

  it('passes fields with an underscore in their name on only when told so', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend]);
    assert.doesNotMatch((await ask(front.port, '/', { headers: [['X_User', 'mallory']] })).body, /mallory/);
    const open = await inFront(t, [backend.backend], { underscores: true });
    const headers: [string, string][] = [
      ['X_User', 'alice'],
      ['X_Forwarded_For', '6.6.6.6'],
    ];
    const { body } = await ask(open.port, '/', { headers });
    assert.match(body, /^X_User: alice\r$/m);
    assert.doesNotMatch(body, /6\.6\.6\.6/);
  });

  it('writes the same for a request whose fields recur, and the right thing when they change', async (t) => {
    const backend = await answering(t, echoHead);
    const front = await inFront(t, [backend.backend]);
    const client = await Pipeline.open(front.port);
    t.after(() => client.close());
    const request = (path: string, cookie: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`;
    const bodies: string[] = [];
    for (const [path, cookie] of [
      ['/1', 'x'],
      ['/2', 'x'],
      ['/3', 'x'],
      ['/4', 'y'],
      ['/5', 'y'],
    ] as const) {
      const [answer] = await client.send([request(path, cookie)]);
      bodies.push(answer?.body ?? '');
    }
    assert.deepEqual(
      bodies.map((body) => [/^GET (\S+)/.exec(body)?.[1], /Cookie: (\w)/.exec(body)?.[1]]),
      [
        ['/1', 'x'],
        ['/2', 'x'],
        ['/3', 'x'],
        ['/4', 'y'],
        ['/5', 'y'],
      ],
    );
  });
});

describe('a response of a backend', () => {
  it('keeps its Date, Server and repeated fields, loses those of the connection', async (t) => {
    const head = [
      'HTTP/1.1 203 Fine',
      'Date: Mon, 01 Jan 2024 00:00:00 GMT',
      'Server: theirs',
      'Set-Cookie: a=1',
      'Connection: X-Hop, keep-alive',
      'X-Hop: 1',
      'Keep-Alive: timeout=5',
      'Set-Cookie:b=2 ',
      'Content-Length: 0',
    ];
    const backend = await answering(t, () => `${head.join('\r\n')}\r\n\r\n`);
    const front = await inFront(t, [backend.backend]);
    const { status, reason, headers } = await ask(front.port, '/');
    assert.equal(`${status} ${reason}`, '203 Fine');
    assert.deepEqual(headers, [
      ['date', 'Mon, 01 Jan 2024 00:00:00 GMT'],
      ['server', 'theirs'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['content-length', '0'],
      ['connection', 'close'],
    ]);
  });

  const framings: [string, string, string, string][] = [
    ['with a length', 'Content-Length: 5\r\n\r\nhello', 'length', 'hello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', 'length', 'hello'],
    ['without content', 'Content-Length: 0\r\n\r\n', 'length', ''],
  ];
  for (const [what, rest, framing, body] of framings) {
    it(`arrives ${what}, however it is split`, async (t) => {
      const octets = `HTTP/1.1 200 OK\r\n${rest}`;
      const backend = await answering(t, (request, { socket }) => {
        if (request.startsWith('GET /whole')) return octets;
        let at = 0;
        const next = (): void => {
          if (at >= octets.length) return;
          socket.write(octets.charAt(at), 'latin1');
          at += 1;
          setImmediate(next);
        };
        next();
        return '';
      });
      const front = await inFront(t, [backend.backend]);
      const whole = await ask(front.port, '/whole');
      assert.deepEqual([whole.body, whole.framing, whole.whole], [body, framing, true]);
      const split = await ask(front.port, '/split');
      assert.deepEqual([split.body, split.whole], [body, true]);
      assert.equal(backend.connections.length, 1, 'the connection was kept');
      assert.deepEqual(front.failures, []);
    });
  }

  it('that ends with the connection is passed on whole', async (t) => {
    const backend = await answering(t, (_request, { socket }) => {
      socket.end('HTTP/1.0 200 OK\r\n\r\nhello');
      return '';
    });
    const front = await inFront(t, [backend.backend]);
    const answer = await ask(front.port, '/');
    assert.deepEqual([answer.body, answer.framing, answer.whole], ['hello', 'chunked', true]);
    assert.equal((await ask(front.port, '/')).body, 'hello');
    assert.equal(backend.connections.length, 2);
  });

  for (const [method, head] of [
    ['HEAD', '200 OK\r\nContent-Length: 500'],
    ['HEAD', '200 OK\r\nTransfer-Encoding: chunked'],
    ['GET', '304 Not Modified\r\nContent-Length: 500'],
    ['GET', '204 No Content'],
  ] as const) {
    it(`has no content: ${method} ${JSON.stringify(head)}`, async (t) => {
      const backend = await answering(t, () => `HTTP/1.1 ${head}\r\nX-A: b\r\n\r\n`);
      const front = await inFront(t, [backend.backend]);
      for (let i = 0; i < 2; i += 1) {
        const answer = await ask(front.port, '/', { method });
        assert.deepEqual([answer.status, answer.body, answer.whole], [Number(head.slice(0, 3)), '', true]);
        assert.equal(answer.header('content-length'), /Length: (\d+)/.exec(head)?.[1] ?? null);
      }
      assert.equal(backend.connections.length, 1);
    });
  }

  it('means what its own head says, also where heads on the connection recur', async (t) => {
    const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
    const answers: [method: string, octets: string, status: number, body: string][] = [
      ['GET', `${plain}a1`, 200, 'a1'],
      ['GET', `${plain}a2`, 200, 'a2'],
      ['HEAD', plain, 200, ''],
      ['HEAD', plain, 200, ''],
      ['GET', `${plain}a3`, 200, 'a3'],
      ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na34', 200, 'a34'],
      ['GET', 'HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\na5', 201, 'a5'],
      ['GET', `HTTP/1.1 103 Early Hints\r\n\r\n${plain}a6`, 200, 'a6'],
      ['GET', `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${plain}a7`, 200, 'a7'],
      ['GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na8\r\n0\r\n\r\n', 200, 'a8'],
      ['GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n9\r\n0\r\n\r\n', 200, '9'],
      ['GET', `${plain}b0`, 200, 'b0'],
      ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200, ''],
      ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200, ''],
    ];
    let answered = 0;
    const backend = await answering(t, () => answers[answered++]?.[1] ?? '');
    const front = await inFront(t, [backend.backend]);
    for (const [method, , status, body] of answers) {
      const answer = await ask(front.port, '/', { method });
      assert.deepEqual([answer.status, answer.body, answer.whole], [status, body, true]);
    }
    assert.equal(backend.connections.length, 1);
  });

  it('comes behind the interim ones, of which 100 is not passed on', async (t) => {
    const interim = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${HINTS}`;
    const backend = await answering(t, () => interim + OK);
    const front = await inFront(t, [backend.backend]);
    const client = await SocketClient.open(front.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/ok$/);
    assert.ok(client.received.startsWith(`HTTP/1.1 102 Processing\r\n\r\n${HINTS}HTTP/1.1 200 OK\r\n`));
  });

  it('does not keep interim ones waiting', async (t) => {
    let answer = (): void => {};
    const backend = await answering(t, (_request, { socket }) => {
      answer = () => void socket.write(OK);
      return HINTS;
    });
    const front = await inFront(t, [backend.backend]);
    const client = await SocketClient.open(front.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/\r\n\r\n/);
    assert.equal(client.received, HINTS);
    answer();
    await client.until(/ok$/);
  });

  it('comes behind interim ones without the fields of their connection and of content', async (t) => {
    const own = 'Connection: X-Own\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nContent-Length: 0\r\n';
    const backend = await answering(t, () => `HTTP/1.1 103 Early Hints\r\n${own}Link: </a>\r\n\r\n${OK}`);
    const front = await inFront(t, [backend.backend]);
    const client = await SocketClient.open(front.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/ok$/);
    assert.ok(client.received.startsWith(`${HINTS}HTTP/1.1 200 OK\r\n`));
  });

  it('is all that a client of HTTP/1.0 gets when there are interim ones', async (t) => {
    const backend = await answering(t, () => HINTS + OK);
    const front = await inFront(t, [backend.backend]);
    const client = await SocketClient.open(front.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    await client.until(/ok$/);
    assert.match(client.received, /^HTTP\/1\.1 200 OK\r\n/);
  });

  for (const [what, octets] of [
    ['of a known length', 'Content-Length: 10\r\n\r\nhello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['with a broken chunk', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n'],
  ] as const) {
    it(`that breaks off is visibly not whole: ${what}`, async (t) => {
      const backend = await answering(t, (_request, { socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\n${octets.slice(0, octets.indexOf('\r\n\r\n') + 7)}`);
        setImmediate(() => socket.end(octets.slice(octets.indexOf('\r\n\r\n') + 7)));
        return '';
      });
      const front = await inFront(t, [backend.backend]);
      const answer = await ask(front.port, '/');
      assert.equal(answer.whole && answer.status === 200, false);
      assert.equal(front.failures.length + front.errors.length, 1, 'told once');
      assert.match(`${front.failures}${front.errors}`, /backend "http:\/\/127\.0\.0\.1:\d+"/);
    });
  }
});

describe('connections to a backend', () => {
  it('are kept and used again', async (t) => {
    const backend = await answering(t, () => OK);
    const front = await inFront(t, [backend.backend]);
    for (let i = 0; i < 5; i += 1) await ask(front.port, '/');
    assert.equal(backend.connections.length, 1);
  });

  it('come about by name', async (t) => {
    const backend = await answering(t, () => OK);
    const front = await inFront(t, [{ host: 'localhost', port: backend.backend.port }]);
    for (let i = 0; i < 2; i += 1) assert.equal((await ask(front.port, '/')).body, 'ok');
    assert.equal(backend.connections.length, 1);
  });

  it('are not kept when none may be, or the backend says so', async (t) => {
    const backend = await answering(t, (request) =>
      request.startsWith('GET /close') ? OK.replace('\r\n', '\r\nConnection: close\r\n') : OK,
    );
    const front = await inFront(t, [backend.backend], { keepAliveMax: 0 });
    await ask(front.port, '/');
    await ask(front.port, '/');
    assert.equal(backend.connections.length, 2);
    const other = await inFront(t, [backend.backend]);
    await ask(other.port, '/close');
    await ask(other.port, '/close');
    assert.equal(backend.connections.length, 4);
  });

  it('are not more than may be kept', async (t) => {
    const waiting: RawConnection[] = [];
    const backend = await answering(t, (_request, connection) => {
      waiting.push(connection);
      if (waiting.length === 3) for (const { socket } of waiting) socket.write(OK);
      return '';
    });
    const front = await inFront(t, [backend.backend], { keepAliveMax: 1 });
    await Promise.all([1, 2, 3].map(() => ask(front.port, '/')));
    await eventually(
      'two are closed',
      () => backend.connections.filter(({ socket }) => socket.readableEnded).length === 2,
    );
  });

  it('are closed when nobody uses them', async (t) => {
    const backend = await answering(t, () => OK);
    const front = await inFront(t, [backend.backend], { keepAliveTimeoutMs: 100 });
    await ask(front.port, '/');
    await ended(backend.connections[0]);
  });

  it('that the backend closes while nobody uses them are forgotten', async (t) => {
    const backend = await answering(t, () => OK);
    const front = await inFront(t, [backend.backend]);
    await ask(front.port, '/');
    backend.connections[0]?.socket.end();
    await ended(backend.connections[0]);
    assert.equal((await ask(front.port, '/', { method: 'POST' })).status, 200);
    assert.equal(backend.connections.length, 2);
    assert.deepEqual(front.failures, []);
  });

  it('that turn out closed cost a repeatable request nothing', async (t) => {
    const backend = await answering(t, (_request, connection) => {
      if (connection.number === 1 && connection.socket.bytesWritten > 0) connection.socket.destroy();
      return connection.socket.destroyed ? '' : OK;
    });
    const front = await inFront(t, [backend.backend]);
    assert.equal((await ask(front.port, '/')).body, 'ok');
    assert.equal((await ask(front.port, '/')).body, 'ok');
    assert.equal(backend.connections.length, 2);
    assert.deepEqual(front.failures, []);
  });

  it('that turn out closed fail a request that must not be repeated, and are tried once only', async (t) => {
    const backend = await answering(t, (_request, connection) => {
      if (connection.socket.bytesWritten > 0 || connection.number > 1) connection.socket.destroy();
      return connection.socket.destroyed ? '' : OK;
    });
    const front = await inFront(t, [backend.backend]);
    await ask(front.port, '/');
    assert.equal((await ask(front.port, '/', { method: 'POST' })).status, 502);
    assert.equal(backend.connections.length, 1);
    const other = await inFront(t, [backend.backend]);
    assert.equal((await ask(other.port, '/')).status, 502);
    assert.equal(backend.connections.length, 2);
    assert.match(front.failures[0] ?? '', /^Cannot get a response from backend "http:\S+": response: the connection /);
  });

  it('close with the proxy, busy ones behind their response', async (t) => {
    let release: (() => void) | null = null;
    const backend = await answering(t, (request, { socket }) => {
      if (!request.startsWith('GET /slow')) return OK;
      release = () => void socket.write(OK);
      return '';
    });
    const front = await inFront(t, [backend.backend]);
    await ask(front.port, '/');
    const slow = ask(front.port, '/slow');
    await eventually('it is with the backend', () => release !== null);
    front.proxy.stop();
    (release as (() => void) | null)?.();
    assert.equal((await slow).body, 'ok');
    await ended(backend.connections[0]);
  });
});

describe('a backend that fails', () => {
  it('gets 502 and one line when it refuses', async (t) => {
    const front = await inFront(t, [{ host: '127.0.0.1', port: await closedPort() }]);
    const answer = await ask(front.port, '/');
    assert.deepEqual([answer.status, answer.body], [502, 'Bad Gateway\n']);
    assert.equal(front.failures.length, 1);
    assert.match(front.failures[0] ?? '', /": connect: the connection was refused$/);
  });

  it('leaves the request to the next one when it refuses', async (t) => {
    const backend = await answering(t, () => OK);
    const front = await inFront(t, [{ host: '127.0.0.1', port: await closedPort() }, backend.backend]);
    for (let i = 0; i < 4; i += 1) assert.equal((await ask(front.port, '/', { method: 'POST', body: '' })).status, 200);
    assert.equal(front.failures.length, 2);
  });

  it('gets 504 when it does not answer in time', async (t) => {
    const backend = await answering(t, () => '');
    const front = await inFront(t, [backend.backend], { responseTimeoutMs: 100 });
    assert.equal((await ask(front.port, '/')).status, 504);
    assert.match(front.failures[0] ?? '', /": response: no response in time$/);
  });

  it('gets 504 when no connection comes about in time', async (t) => {
    const silent = await RawBackend.start(() => {});
    t.after(() => silent.stop());
    const front = await inFront(t, [{ ...silent.backend, tls: { verify: false } }], { connectTimeoutMs: 100 });
    assert.equal((await ask(front.port, '/')).status, 504);
    assert.match(front.failures[0] ?? '', /": connect: no connection in time$/);
  });

  it('has its response broken off when it stops within the content', async (t) => {
    const backend = await answering(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello');
    const front = await inFront(t, [backend.backend], { idleTimeoutMs: 100 });
    const answer = await ask(front.port, '/');
    assert.deepEqual([answer.status, answer.whole], [200, false]);
    assert.match(front.errors[0] ?? '', /content: no more content in time$/);
  });

  it('takes turns with the others', async (t) => {
    const backends = await Promise.all(['a', 'b', 'c'].map((name) => answering(t, () => OK.replace('ok', `${name}!`))));
    const front = await inFront(
      t,
      backends.map(({ backend }) => backend),
    );
    const bodies: string[] = [];
    for (let i = 0; i < 6; i += 1) bodies.push((await ask(front.port, '/')).body);
    assert.deepEqual([...new Set(bodies.slice(0, 3))].sort(), ['a!', 'b!', 'c!']);
    assert.deepEqual(bodies.slice(3), bodies.slice(0, 3));
  });
});

describe('a backup', () => {
  it('gets a request only when no other backend can be connected to', async (t) => {
    const main = await answering(t, () => OK.replace('ok', 'aa'));
    const backup = await answering(t, () => OK.replace('ok', 'bb'));
    const gone = { host: '127.0.0.1', port: await closedPort() };
    const spare = { ...backup.backend, backup: true };
    const front = await inFront(t, [spare, main.backend, gone]);
    for (let i = 0; i < 4; i += 1) assert.equal((await ask(front.port, '/')).body, 'aa');
    const alone = await inFront(t, [gone, spare, { host: '127.0.0.1', port: await closedPort() }]);
    for (let i = 0; i < 4; i += 1) assert.equal((await ask(alone.port, '/')).body, 'bb');
    assert.equal(alone.failures.length, 8);
  });
});

describe('a backend that cannot be connected to', () => {
  it('is not asked again at once while there are others', async (t) => {
    const backend = await answering(t, () => OK);
    const gone = { host: '127.0.0.1', port: await closedPort() };
    const front = await inFront(t, [gone, backend.backend], { restMs: 60_000 });
    for (let i = 0; i < 6; i += 1) assert.equal((await ask(front.port, '/')).body, 'ok');
    assert.equal(front.failures.length, 1);
  });
});

describe('events of a backend', () => {
  it('reach the client one by one, as they come', async (t) => {
    let send = (_event: string): void => {};
    const backend = await answering(t, (_request, { socket }) => {
      send = (event) => void socket.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      return 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
    });
    const front = await inFront(t, [backend.backend]);
    const client = await SocketClient.open(front.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/text\/event-stream\r\n[\s\S]*\r\n\r\n$/);
    for (const event of ['data: one', 'data: two']) {
      send(event);
      await client.until(new RegExp(`${event}\r\n$`));
    }
  });
});

describe('a client that leaves', () => {
  it('ends its request at the backend', async (t) => {
    const backend = await answering(t, () => '');
    const front = await inFront(t, [backend.backend]);
    const client = await SocketClient.open(front.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the backend has it', () => backend.connections.length === 1);
    client.socket.resetAndDestroy();
    await ended(backend.connections[0]);
    await eventually('it is counted', () => front.answered.length === 1);
    assert.deepEqual([front.answered, front.failures, front.errors], [[499], [], []]);
  });

  it('ends its request also at a second backend', async (t) => {
    const backend = await answering(t, () => '');
    const front = await inFront(t, [{ host: '127.0.0.1', port: await closedPort() }, backend.backend]);
    const client = await SocketClient.open(front.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the backend has it', () => backend.connections.length === 1);
    client.socket.resetAndDestroy();
    await ended(backend.connections[0]);
    assert.equal(front.failures.length, 1);
  });

  it('ends a response that is under way', async (t) => {
    const backend = await answering(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello');
    const front = await inFront(t, [backend.backend]);
    const client = await SocketClient.open(front.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/hello$/);
    client.socket.resetAndDestroy();
    await ended(backend.connections[0]);
    assert.deepEqual([front.failures, front.errors], [[], []]);
  });
});
