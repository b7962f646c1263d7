import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deriveRequest } from '../../src/http/derived-request.ts';
import { type BackendConnection, startBackend } from '../support/backend.ts';
import { ask, Pipeline } from '../support/http-client.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers with the request's head. */
function echoHead(request: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${request.length}\r\n\r\n${request}`;
}

/** Waits until the proxy has closed this connection. */
function ended(connection: BackendConnection | undefined): Promise<void> {
  return eventually('the proxy ends the connection', () => {
    return connection?.socket.readableEnded === true || connection?.socket.destroyed === true;
  });
}

/** Ports where nobody listens, and which no test that runs at the same time can get. Another one at each call. */
const CLOSED_PORTS = [1, 2, 3, 4, 5, 6];
function closedPort(): number {
  const port = CLOSED_PORTS.shift() as number;
  CLOSED_PORTS.push(port);
  return port;
}

describe('a request to a backend', () => {
  it('keeps its method, path and query unchanged', async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend]);
    const { body } = await ask(proxy.port, '/a%2Fb/../c;d?x=%20&y=[1]', { method: 'DELETE' });
    assert.match(body, /^DELETE \/a%2Fb\/\.\.\/c;d\?x=%20&y=\[1\] HTTP\/1\.1\r\n/);
  });

  it("loses the prefix of the application's mount", async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend], {
      derive: (request) => deriveRequest(request, { scriptName: '/app' }),
    });
    assert.match((await ask(proxy.port, '/app/x?y')).body, /^GET \/x\?y HTTP/);
    assert.match((await ask(proxy.port, '/app')).body, /^GET \/ HTTP/);
  });

  it('loses the fields of the connection, including those that Connection lists', async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend]);
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
    const { body } = await ask(proxy.port, '/', { headers });
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
    ['a configured', 'app.internal', /^Host: app\.internal\r\n/m],
  ];
  for (const [description, hostHeader, pattern] of hosts) {
    it(`has ${description} Host`, async (t) => {
      const backend = await startBackend(t, echoHead);
      const proxy = await serveProxy(t, [backend.backend], { hostHeader });
      const { body } = await ask(proxy.port, '/');
      assert.match(body, pattern);
      assert.equal(body.match(/^host:/gim)?.length, 1);
    });
  }

  it('describes the client in X-Forwarded fields, after the values of a trusted proxy', async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend], { listenerPorts: ['8080'] });
    const first = await ask(proxy.port, '/');
    assert.match(
      first.body,
      /X-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: test\.example\r\nX-Forwarded-Port: 8080\r\n/,
    );
    const second = await ask(proxy.port, '/', {
      headers: [
        ['x-forwarded-for', '192.0.2.1'],
        ['X-Forwarded-Proto', 'https'],
      ],
    });
    assert.match(second.body, /^X-Forwarded-For: 192\.0\.2\.1, 127\.0\.0\.1\r$/m);
    assert.match(second.body, /^X-Forwarded-Proto: http\r$/m);
    assert.equal(second.body.match(/x-forwarded-(for|proto)/gi)?.length, 2);
  });

  it('names a client only once when a trusted proxy has already named it', async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend], {
      forwarded: 'both',
      derive: (request) =>
        deriveRequest(request, { peer: { ...request.peer, remoteAddress: '2001:db8::1', secure: true } }),
    });
    const headers: [string, string][] = [
      ['X-Forwarded-For', '2001:db8::1'],
      ['Forwarded', 'for="[2001:db8::1]";proto=https'],
    ];
    const { body } = await ask(proxy.port, '/', { headers });
    assert.match(body, /^X-Forwarded-For: 2001:db8::1\r$/m);
    assert.match(body, /^Forwarded: for="\[2001:db8::1\]";proto=https\r$/m);
    assert.match(body, /^X-Forwarded-Port: 443\r$/m);
  });

  it('describes the client in Forwarded', async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend], {
      forwarded: 'forwarded',
      derive: (request) => deriveRequest(request, { host: 'a.example:81', headers: ['Forwarded', 'for=198.51.100.9'] }),
    });
    const { body } = await ask(proxy.port, '/');
    assert.match(body, /^Forwarded: for=198\.51\.100\.9, for=127\.0\.0\.1;host="a\.example:81";proto=http\r$/m);
    assert.doesNotMatch(body, /X-Forwarded/);
  });

  it('has no forwarding fields when they are off, and loses forged spellings otherwise', async (t) => {
    const backend = await startBackend(t, echoHead);
    const silent = await serveProxy(t, [backend.backend], { forwarded: 'off' });
    assert.doesNotMatch((await ask(silent.port, '/')).body, /forwarded/i);
    const proxy = await serveProxy(t, [backend.backend]);
    const { body } = await ask(proxy.port, '/', { headers: [['X_Forwarded-For', '6.6.6.6']] });
    assert.doesNotMatch(body, /6\.6\.6\.6/);
  });

  it('keeps fields with an underscore in their name only when configured', async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend]);
    assert.doesNotMatch((await ask(proxy.port, '/', { headers: [['X_User', 'mallory']] })).body, /mallory/);
    const open = await serveProxy(t, [backend.backend], { underscores: true });
    const headers: [string, string][] = [
      ['X_User', 'alice'],
      ['X_Forwarded_For', '6.6.6.6'],
    ];
    const { body } = await ask(open.port, '/', { headers });
    assert.match(body, /^X_User: alice\r$/m);
    assert.doesNotMatch(body, /6\.6\.6\.6/);
  });

  it('has the same head when its fields recur, and the right head when they change', async (t) => {
    const backend = await startBackend(t, echoHead);
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await Pipeline.open(proxy.port);
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
  it('keeps its Date, Server and repeated fields, and loses those of the connection', async (t) => {
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
    const backend = await startBackend(t, () => `${head.join('\r\n')}\r\n\r\n`);
    const proxy = await serveProxy(t, [backend.backend]);
    const { status, reason, headers } = await ask(proxy.port, '/');
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
  for (const [description, head, framing, body] of framings) {
    it(`arrives ${description}, however it is split`, async (t) => {
      const octets = `HTTP/1.1 200 OK\r\n${head}`;
      const backend = await startBackend(t, (request, { socket }) => {
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
      const proxy = await serveProxy(t, [backend.backend]);
      const whole = await ask(proxy.port, '/whole');
      assert.deepEqual([whole.body, whole.framing, whole.whole], [body, framing, true]);
      const split = await ask(proxy.port, '/split');
      assert.deepEqual([split.body, split.whole], [body, true]);
      assert.equal(backend.connections.length, 1, 'the connection was kept');
      assert.deepEqual(proxy.failures, []);
    });
  }

  it('is passed on completely when it ends with the connection', async (t) => {
    const backend = await startBackend(t, (_request, { socket }) => {
      socket.end('HTTP/1.0 200 OK\r\n\r\nhello');
      return '';
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const answer = await ask(proxy.port, '/');
    assert.deepEqual([answer.body, answer.framing, answer.whole], ['hello', 'chunked', true]);
    assert.equal((await ask(proxy.port, '/')).body, 'hello');
    assert.equal(backend.connections.length, 2);
  });

  for (const [method, head] of [
    ['HEAD', '200 OK\r\nContent-Length: 500'],
    ['HEAD', '200 OK\r\nTransfer-Encoding: chunked'],
    ['GET', '304 Not Modified\r\nContent-Length: 500'],
    ['GET', '204 No Content'],
  ] as const) {
    it(`has no content: ${method} ${JSON.stringify(head)}`, async (t) => {
      const backend = await startBackend(t, () => `HTTP/1.1 ${head}\r\nX-A: b\r\n\r\n`);
      const proxy = await serveProxy(t, [backend.backend]);
      for (let i = 0; i < 2; i += 1) {
        const answer = await ask(proxy.port, '/', { method });
        assert.deepEqual([answer.status, answer.body, answer.whole], [Number(head.slice(0, 3)), '', true]);
        assert.equal(answer.header('content-length'), /Length: (\d+)/.exec(head)?.[1] ?? null);
      }
      assert.equal(backend.connections.length, method === 'HEAD' ? 2 : 1);
    });
  }

  it('has the meaning of its own head, even when heads on the connection recur', async (t) => {
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
    const backend = await startBackend(t, () => answers[answered++]?.[1] ?? '');
    const proxy = await serveProxy(t, [backend.backend]);
    for (const [method, , status, body] of answers) {
      const answer = await ask(proxy.port, '/', { method });
      assert.deepEqual([answer.status, answer.body, answer.whole], [status, body, true]);
    }
    assert.equal(backend.connections.length, 3, 'a new one after each HEAD');
  });

  it('follows the interim responses, of which 100 is not passed on', async (t) => {
    const interim = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${HINTS}`;
    const backend = await startBackend(t, () => interim + OK);
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/ok$/);
    assert.ok(client.received.startsWith(`HTTP/1.1 102 Processing\r\n\r\n${HINTS}HTTP/1.1 200 OK\r\n`));
  });

  it('does not delay interim responses', async (t) => {
    let answer = (): void => {};
    const backend = await startBackend(t, (_request, { socket }) => {
      answer = () => void socket.write(OK);
      return HINTS;
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/\r\n\r\n/);
    assert.equal(client.received, HINTS);
    answer();
    await client.until(/ok$/);
  });

  it('follows interim responses without the fields of their connection and content', async (t) => {
    const connectionFields =
      'Connection: X-Own\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nContent-Length: 0\r\n';
    const backend = await startBackend(
      t,
      () => `HTTP/1.1 103 Early Hints\r\n${connectionFields}Link: </a>\r\n\r\n${OK}`,
    );
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/ok$/);
    assert.ok(client.received.startsWith(`${HINTS}HTTP/1.1 200 OK\r\n`));
  });

  it('reaches a client of HTTP/1.0 without the interim responses', async (t) => {
    const backend = await startBackend(t, () => HINTS + OK);
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    await client.until(/ok$/);
    assert.match(client.received, /^HTTP\/1\.1 200 OK\r\n/);
  });

  for (const [description, octets] of [
    ['of a known length', 'Content-Length: 10\r\n\r\nhello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['with a broken chunk', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n'],
  ] as const) {
    it(`is visibly incomplete when it breaks off: ${description}`, async (t) => {
      const backend = await startBackend(t, (_request, { socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\n${octets.slice(0, octets.indexOf('\r\n\r\n') + 7)}`);
        setImmediate(() => socket.end(octets.slice(octets.indexOf('\r\n\r\n') + 7)));
        return '';
      });
      const proxy = await serveProxy(t, [backend.backend]);
      const answer = await ask(proxy.port, '/');
      assert.equal(answer.whole && answer.status === 200, false);
      assert.equal(proxy.failures.length + proxy.errors.length, 1, 'one message');
      assert.match(`${proxy.failures}${proxy.errors}`, /backend "http:\/\/127\.0\.0\.1:\d+"/);
    });
  }
});

describe('connections to a backend', () => {
  it('are kept and reused', async (t) => {
    const backend = await startBackend(t, () => OK);
    const proxy = await serveProxy(t, [backend.backend]);
    for (let i = 0; i < 5; i += 1) await ask(proxy.port, '/');
    assert.equal(backend.connections.length, 1);
  });

  it('are opened by host name', async (t) => {
    const backend = await startBackend(t, () => OK);
    const proxy = await serveProxy(t, [{ host: 'localhost', port: backend.backend.port }]);
    for (let i = 0; i < 2; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'ok');
    assert.equal(backend.connections.length, 1);
  });

  it('are not kept when keep-alive is off or the backend refuses it', async (t) => {
    const backend = await startBackend(t, (request) =>
      request.startsWith('GET /close') ? OK.replace('\r\n', '\r\nConnection: close\r\n') : OK,
    );
    const proxy = await serveProxy(t, [backend.backend], { keepAliveMax: 0 });
    await ask(proxy.port, '/');
    await ask(proxy.port, '/');
    assert.equal(backend.connections.length, 2);
    const other = await serveProxy(t, [backend.backend]);
    await ask(other.port, '/close');
    await ask(other.port, '/close');
    assert.equal(backend.connections.length, 4);
  });

  it('are kept only up to the maximum', async (t) => {
    const waiting: BackendConnection[] = [];
    const backend = await startBackend(t, (_request, connection) => {
      waiting.push(connection);
      if (waiting.length === 3) for (const { socket } of waiting) socket.write(OK);
      return '';
    });
    const proxy = await serveProxy(t, [backend.backend], { keepAliveMax: 1 });
    await Promise.all([1, 2, 3].map(() => ask(proxy.port, '/')));
    await eventually(
      'two are closed',
      () => backend.connections.filter(({ socket }) => socket.readableEnded).length === 2,
    );
  });

  it('are closed when they are idle too long', async (t) => {
    const backend = await startBackend(t, () => OK);
    const proxy = await serveProxy(t, [backend.backend], { keepAliveTimeoutMs: 100 });
    await ask(proxy.port, '/');
    await ended(backend.connections[0]);
  });

  it('are forgotten when the backend closes them while idle', async (t) => {
    const backend = await startBackend(t, () => OK);
    const proxy = await serveProxy(t, [backend.backend]);
    await ask(proxy.port, '/');
    backend.connections[0]?.socket.end();
    await ended(backend.connections[0]);
    assert.equal((await ask(proxy.port, '/', { method: 'POST' })).status, 200);
    assert.equal(backend.connections.length, 2);
    assert.deepEqual(proxy.failures, []);
  });

  it('are replaced without an error when one turns out to be closed and the request is repeatable', async (t) => {
    const backend = await startBackend(t, (_request, connection) => {
      if (connection.number === 1 && connection.socket.bytesWritten > 0) connection.socket.destroy();
      return connection.socket.destroyed ? '' : OK;
    });
    const proxy = await serveProxy(t, [backend.backend]);
    assert.equal((await ask(proxy.port, '/')).body, 'ok');
    assert.equal((await ask(proxy.port, '/')).body, 'ok');
    assert.equal(backend.connections.length, 2);
    assert.deepEqual(proxy.failures, []);
  });

  it('fail a request that must not be repeated when one turns out to be closed, and are retried only once', async (t) => {
    const backend = await startBackend(t, (_request, connection) => {
      if (connection.socket.bytesWritten > OK.length || connection.number > 1) connection.socket.destroy();
      return connection.socket.destroyed ? '' : OK;
    });
    const proxy = await serveProxy(t, [backend.backend]);
    await ask(proxy.port, '/');
    await ask(proxy.port, '/');
    assert.equal((await ask(proxy.port, '/', { method: 'POST' })).status, 502);
    assert.equal(backend.connections.length, 1);
    const other = await serveProxy(t, [backend.backend]);
    assert.equal((await ask(other.port, '/')).status, 502);
    assert.equal(backend.connections.length, 2);
    assert.match(proxy.failures[0] ?? '', /^Cannot get a response from backend "http:\S+": response: the connection /);
  });

  it('close with the proxy, busy ones after their response', async (t) => {
    let release: (() => void) | null = null;
    const backend = await startBackend(t, (request, { socket }) => {
      if (!request.startsWith('GET /slow')) return OK;
      release = () => void socket.write(OK);
      return '';
    });
    const proxy = await serveProxy(t, [backend.backend]);
    await ask(proxy.port, '/');
    const slow = ask(proxy.port, '/slow');
    await eventually('the request is at the backend', () => release !== null);
    proxy.proxy.stop();
    (release as (() => void) | null)?.();
    assert.equal((await slow).body, 'ok');
    await ended(backend.connections[0]);
  });
});

describe('a backend that fails', () => {
  it('causes 502 and one message when it refuses the connection', async (t) => {
    const proxy = await serveProxy(t, [{ host: '127.0.0.1', port: closedPort() }]);
    const answer = await ask(proxy.port, '/');
    assert.deepEqual([answer.status, answer.body], [502, 'Bad Gateway\n']);
    assert.equal(proxy.failures.length, 1);
    assert.match(proxy.failures[0] ?? '', /": connect: the connection was refused$/);
  });

  it('leaves the request to the next backend when it refuses the connection', async (t) => {
    const backend = await startBackend(t, () => OK);
    const proxy = await serveProxy(t, [{ host: '127.0.0.1', port: closedPort() }, backend.backend]);
    for (let i = 0; i < 4; i += 1) assert.equal((await ask(proxy.port, '/', { method: 'POST', body: '' })).status, 200);
    assert.equal(proxy.failures.length, 2);
  });

  it('causes 504 when it does not answer in time', async (t) => {
    const backend = await startBackend(t, () => '');
    const proxy = await serveProxy(t, [backend.backend], { responseTimeoutMs: 100 });
    assert.equal((await ask(proxy.port, '/')).status, 504);
    assert.match(proxy.failures[0] ?? '', /": response: no response in time$/);
  });

  it('causes 504 when it cannot be connected to in time', async (t) => {
    const silent = await startBackend(t, {});
    t.after(() => silent.stop());
    const proxy = await serveProxy(t, [{ ...silent.backend, tls: { verify: false } }], { connectTimeoutMs: 100 });
    assert.equal((await ask(proxy.port, '/')).status, 504);
    assert.match(proxy.failures[0] ?? '', /": connect: the connection timed out$/);
  });

  it('has its response broken off when it stops in the middle of the content', async (t) => {
    const backend = await startBackend(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello');
    const proxy = await serveProxy(t, [backend.backend], { idleTimeoutMs: 100 });
    const answer = await ask(proxy.port, '/');
    assert.deepEqual([answer.status, answer.whole], [200, false]);
    assert.match(proxy.errors[0] ?? '', /content: no more content in time$/);
  });

  it('alternates with the other backends', async (t) => {
    const backends = await Promise.all(
      ['a', 'b', 'c'].map((name) => startBackend(t, () => OK.replace('ok', `${name}!`))),
    );
    const proxy = await serveProxy(
      t,
      backends.map(({ backend }) => backend),
    );
    const bodies: string[] = [];
    for (let i = 0; i < 6; i += 1) bodies.push((await ask(proxy.port, '/')).body);
    assert.deepEqual([...new Set(bodies.slice(0, 3))].sort(), ['a!', 'b!', 'c!']);
    assert.deepEqual(bodies.slice(3), bodies.slice(0, 3));
  });
});

describe('a backup', () => {
  it('receives requests only when no other backend can be reached', async (t) => {
    const main = await startBackend(t, () => OK.replace('ok', 'aa'));
    const backup = await startBackend(t, () => OK.replace('ok', 'bb'));
    const gone = { host: '127.0.0.1', port: closedPort() };
    const spare = { ...backup.backend, backup: true };
    const proxy = await serveProxy(t, [spare, main.backend, gone]);
    for (let i = 0; i < 4; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'aa');
    const alone = await serveProxy(t, [gone, spare, { host: '127.0.0.1', port: closedPort() }]);
    for (let i = 0; i < 4; i += 1) assert.equal((await ask(alone.port, '/')).body, 'bb');
    assert.equal(alone.failures.length, 8);
  });
});

describe('a backend that cannot be reached', () => {
  it('is not tried again at once while other backends exist', async (t) => {
    const backend = await startBackend(t, () => OK);
    const gone = { host: '127.0.0.1', port: closedPort() };
    const proxy = await serveProxy(t, [gone, backend.backend], { retryAfterMs: 60_000 });
    for (let i = 0; i < 6; i += 1) assert.equal((await ask(proxy.port, '/')).body, 'ok');
    assert.equal(proxy.failures.length, 1);
  });
});

describe('events of a backend', () => {
  it('reach the client one by one, as they arrive', async (t) => {
    let send = (_event: string): void => {};
    const backend = await startBackend(t, (_request, { socket }) => {
      send = (event) => void socket.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      return 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await SocketClient.open(proxy.port);
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
    const backend = await startBackend(t, () => '');
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await SocketClient.open(proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the request is at the backend', () => backend.connections.length === 1);
    client.socket.resetAndDestroy();
    await ended(backend.connections[0]);
    await eventually('the request is counted', () => proxy.statuses.length === 1);
    assert.deepEqual([proxy.statuses, proxy.failures, proxy.errors], [[499], [], []]);
  });

  it('ends its request at the second backend, too', async (t) => {
    const backend = await startBackend(t, () => '');
    const proxy = await serveProxy(t, [{ host: '127.0.0.1', port: closedPort() }, backend.backend]);
    const client = await SocketClient.open(proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the request is at the backend', () => backend.connections.length === 1);
    client.socket.resetAndDestroy();
    await ended(backend.connections[0]);
    assert.equal(proxy.failures.length, 1);
  });

  it('ends a response in progress', async (t) => {
    const backend = await startBackend(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello');
    const proxy = await serveProxy(t, [backend.backend]);
    const client = await SocketClient.open(proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/hello$/);
    client.socket.resetAndDestroy();
    await ended(backend.connections[0]);
    assert.deepEqual([proxy.failures, proxy.errors], [[], []]);
  });
});
