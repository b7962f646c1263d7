import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectSecurely } from 'node:tls';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { ask } from '../support/http-client.ts';
import { END_STREAM, FrameClient, fields, request } from '../support/http2-frames.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { BIN, ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** What a client sends, and the status that it gets. Each has an address of somebody else, which the logs must not take for the client's. */
const REFUSED: readonly (readonly [status: number, octets: string])[] = [
  [400, 'GET / HTTP/1.1\r\nHost: a\r\nNo colon "remote_address":"203.0.113.9"}\r\n\r\n'],
  [400, 'remote_address=203.0.113.9\r\n\r\n'],
  [405, 'TRACE / HTTP/1.1\r\nHost: a\r\nUser-Agent: "remote_address":"203.0.113.9"}\r\n\r\n'],
  [408, 'GET / HTTP/1.1\r\nX-Forwarded-For: 203.0.113.9\r\n'],
  [413, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n'],
  [414, `GET /${'"remote_address":"203.0.113.9"}'.repeat(400)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  [417, 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 203.0.113.9\r\nContent-Length: 1\r\n\r\n'],
  [431, `GET / HTTP/1.1\r\nHost: a\r\n${'a: 203.0.113.9\r\n'.repeat(200)}\r\n`],
  [501, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  [505, 'GET / HTTP/3.0\r\nHost: a\r\n\r\n'],
];

/** An HTTP/2 connection with a stream that depends on itself (RFC 7540 section 5.3.1). */
const BROKEN_HTTP2 = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
  Buffer.from('0000050200000000010000000110', 'hex'),
]);

interface Entry {
  readonly message: string;
  readonly status?: number;
  readonly remote_address?: string;
  readonly proxy_address?: string;
  readonly entries?: number;
  readonly duration_ms?: number;
}

const APPLICATION =
  'def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b"hello"]\n';

/** The ports that the server listens on, in the order of its addresses. */
const portsOf = (server: Viaduct): number[] =>
  Array.from(/^Viaduct .+$/m.exec(server.output())?.[0].matchAll(/127\.0\.0\.1:(\d+)/g) ?? [], ([, port]) =>
    Number(port),
  );

const entries = (server: Viaduct): Entry[] =>
  server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Entry);
/** Entries of the server's log about refusals. */
const refusals = (server: Viaduct) => entries(server).filter(({ message = '' }) => / was refused: /.test(message));
/** Lines of the access log. */
const answers = (server: Viaduct) => entries(server).filter(({ duration_ms }) => duration_ms !== undefined);

/** A web server to which this machine is not a front-end proxy. */
function serve(t: TestContext, config = '', listen = '127.0.0.1:0'): Promise<Viaduct> {
  const text = `trusted_proxies = []\naccess_log = "json"\n${config}\n[[route]]\npath = "/*"\nrespond = { status = 200, body = "hello" }\n`;
  const cwd = makeProject(t, { 'viaduct.toml': text });
  return startViaduct(t, ['web'], { cwd, listen, env: { XDG_CACHE_HOME: cwd } });
}

async function send(port: number, octets: string | Buffer): Promise<string> {
  const client = await SocketClient.open(port);
  client.send(octets);
  await client.closed;
  return client.received;
}

describe('what the server refuses', { concurrency: 2 }, () => {
  it('has a line in both logs with status, reason and address: requests', async (t) => {
    const server = await serve(t, 'header_timeout_ms = "300ms"\nbody_bytes_max = 100');
    for (const [status, octets] of REFUSED)
      assert.match(await send(server.port, octets), new RegExp(`^HTTP/1.1 ${status} `));
    await eventually('all are logged', () => answers(server).length === REFUSED.length);
    const statuses = REFUSED.map(([status]) => status);
    assert.deepEqual(
      refusals(server).map(({ status }) => status),
      statuses,
    );
    assert.deepEqual(
      answers(server).map(({ status }) => status),
      statuses,
    );
    for (const entry of [...refusals(server), ...answers(server)]) assert.equal(entry.remote_address, '127.0.0.1');
    assert.doesNotMatch(server.output(), /203\.0\.113\.9/);
  });

  it('has a line: errors of HTTP/2, TLS handshakes, PROXY headers', async (t) => {
    const server = await serve(
      t,
      'tls_self_signed = true',
      'http://127.0.0.1:0,https://127.0.0.1:0,http://127.0.0.1:0?proxy_protocol=on',
    );
    const [, plain = '', secure = '', proxied = ''] =
      /on http:\/\/127\.0\.0\.1:(\d+) and https:\/\/127\.0\.0\.1:(\d+) and http:\/\/127\.0\.0\.1:(\d+)/.exec(
        server.output(),
      ) ?? [];
    await send(Number(plain), BROKEN_HTTP2);
    await send(Number(secure), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await send(Number(proxied), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('all are logged', () => refusals(server).length === 3);
    const [http2, tls, proxy] = refusals(server).map(({ message }) => message);
    assert.match(http2 ?? '', /^A request was refused: /);
    assert.match(tls ?? '', /^A connection was refused: TLS: /);
    assert.match(proxy ?? '', /^A connection was refused: .*PROXY/);
  });

  it('has a line: connections above the limit of an address and of the server', async (t) => {
    for (const [setting, reason] of [
      ['connections_per_address_max', 'the address has too many connections'],
      ['connections_max', 'there are too many connections'],
    ] as const) {
      const server = await serve(t, `${setting} = 1`);
      const first = await SocketClient.open(server.port);
      await (await SocketClient.open(server.port)).closed;
      await eventually('it is logged', () => refusals(server).length === 1);
      assert.equal(refusals(server)[0]?.message, `A connection was refused: ${reason}`);
      assert.equal(refusals(server)[0]?.remote_address, '127.0.0.1');
      first.socket.destroy();
    }
  });

  it('is reported when the descriptors are used up', { skip: process.platform !== 'linux' }, async (t) => {
    const cwd = makeProject(t, { 'files/a.txt': 'a' });
    const args = ['web', '--static', '/=files', '--listen', '127.0.0.1:0'];
    const child = spawn('sh', ['-c', 'ulimit -n 300; exec "$0" "$@"', process.execPath, BIN, ...args], { cwd });
    t.after(() => child.kill('SIGKILL'));
    let output = '';
    child.stderr.on('data', (block: Buffer) => (output += block.toString()));
    await eventually('it serves', () => / serves .* on http/.test(output));
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(output)?.[1]);
    const clients = Array.from({ length: 350 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await eventually('it is logged', () => /Nearly all file descriptors are in use.*"limit":300/.test(output));
    for (const client of clients) client.destroy();
    await eventually('it answers again', async () => {
      try {
        return (await ask(port, '/a.txt')).status === 200;
      } catch {
        return false;
      }
    });
  });

  it('has a line: paths that programs read in several ways, as scanners send them', async (t) => {
    const server = await serve(t, '', '127.0.0.1:0');
    const paths = ['/../etc/passwd', '/a/%2e%2e/b', '/x/..%5cy', '/..;/manager', '/a%0Ab', '/%0d%0aSet-Cookie:a'];
    for (const path of paths) {
      const answer = await send(server.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /);
    }
    const client = await FrameClient.open(server.port);
    client.send(request(1, fields({ ':path': '/.%2e/x' })));
    await client.until('the answer', ({ flags, id }) => id === 1 && (flags & END_STREAM) !== 0);
    client.close();
    await eventually('all are logged', () => answers(server).length === paths.length + 1);
    assert.equal(refusals(server).length, paths.length + 1);
    for (const { message, status, remote_address } of refusals(server)) {
      assert.match(message, /^A request was refused: programs disagree about the path, because /);
      assert.deepEqual([status, remote_address], [400, '127.0.0.1']);
    }
  });

  it('has a line: requests over CGI protocols, and who may not send them, or a PROXY header', async (t) => {
    const cgi = ['uwsgi', 'fastcgi', 'scgi'] as const;
    const listen = [...cgi.map((name) => `${name}://127.0.0.1:0`), '127.0.0.1:0?proxy_protocol=on'].join(',');
    const trusting = makeProject(t, { 'app.py': APPLICATION, 'viaduct.toml': 'trusted_proxies = ["127.0.0.1"]\n' });
    const server = await startViaduct(t, ['app', trusting], { listen });
    const ports = portsOf(server);
    for (const [i, protocol] of cgi.entries())
      await send(ports[i] as number, encodeRequest(protocol, variablesOf({ REQUEST_METHOD: 'G T' })));
    await eventually('they are logged', () => refusals(server).length === cgi.length);
    for (const entry of refusals(server)) {
      assert.equal(entry.message, 'A request of a front-end proxy was refused: REQUEST_METHOD is not a valid method');
      assert.deepEqual([entry.proxy_address, entry.remote_address], ['127.0.0.1', undefined]);
    }
    const wary = makeProject(t, { 'app.py': APPLICATION, 'viaduct.toml': 'trusted_proxies = ["192.0.2.1"]\n' });
    const other = await startViaduct(t, ['app', wary], { listen });
    for (const [i, protocol] of cgi.entries())
      await send(portsOf(other)[i] as number, encodeRequest(protocol, variablesOf()));
    await send(portsOf(other)[3] as number, 'PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n');
    await eventually('they are logged', () => refusals(other).length === cgi.length + 1);
    assert.deepEqual(
      refusals(other).map(({ message, remote_address }) => [message, remote_address]),
      [...cgi.map((name) => `requests over ${name}`), 'PROXY headers'].map((what) => [
        `A connection was refused: the address is not trusted with ${what}`,
        '127.0.0.1',
      ]),
    );
  });

  it('is not a connection without a request: browsers open some in reserve', async (t) => {
    const server = await serve(
      t,
      'header_timeout_ms = "300ms"\nkeep_alive_timeout_ms = "300ms"\ntls_self_signed = true',
      'http://127.0.0.1:0,https://127.0.0.1:0',
    );
    const [plain = 0, secure = 0] = portsOf(server);
    for (const port of [plain, secure]) {
      const left = await SocketClient.open(port);
      left.socket.end();
      await left.closed;
    }
    await (await SocketClient.open(plain)).closed; // the server closes it in time
    for (const protocol of ['http/1.1', 'h2']) {
      for (const leaves of [true, false]) {
        const socket = connectSecurely({
          host: '127.0.0.1',
          port: secure,
          ALPNProtocols: [protocol],
          rejectUnauthorized: false,
        });
        await once(socket, 'secureConnect');
        if (leaves) socket.end();
        socket.resume();
        await once(socket, 'close');
      }
    }
    await send(plain, 'nonsense\r\n\r\n');
    await eventually('the last one is logged', () => refusals(server).length > 0);
    assert.equal(refusals(server).length, 1);
  });

  it('has a limited number of lines, and the others are counted', async (t) => {
    const server = await serve(t);
    for (let count = 0; count < 50; count += 1) await send(server.port, 'nonsense\r\n\r\n');
    await server.stop();
    const lines = refusals(server).length;
    assert.equal(lines, 20);
    assert.equal(entries(server).find(({ entries: left }) => left !== undefined)?.entries, 50 - lines);
    assert.equal(answers(server).length, 50, 'the access log has all of them');
  });

  it('has the field proxy_address, and not remote_address, when the client is a front-end proxy', async (t) => {
    const cwd = makeProject(t, { 'files/a.txt': 'a' });
    const server = await startViaduct(t, ['web', '--static', '/=files'], { cwd });
    await send(server.port, 'nonsense\r\n\r\n');
    await eventually('it is logged', () => refusals(server).length === 1);
    const [entry] = refusals(server);
    assert.deepEqual([entry?.proxy_address, entry?.remote_address], ['127.0.0.1', undefined]);
  });
});

const NO_FAIL2BAN = spawnSync('fail2ban-regex', ['--version']).status === 0 ? false : 'fail2ban is not installed';

describe('deploy/fail2ban/filter.d/viaduct.conf', { skip: NO_FAIL2BAN }, () => {
  const FILTER = join(ROOT, 'deploy/fail2ban/filter.d/viaduct.conf');

  /** The addresses that fail2ban finds in `lines`. */
  function found(t: TestContext, lines: readonly string[]): string[] {
    const log = join(temporaryDirectory(t), 'viaduct.log');
    writeFileSync(log, lines.map((line) => `${line}\n`).join(''));
    const { stdout, stderr } = spawnSync('fail2ban-regex', ['--out', 'ip', log, FILTER], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout
      .trim()
      .split('\n')
      .filter((line) => line !== '');
  }

  it('finds the client in each line about it, and nobody else', async (t) => {
    const server = await serve(t, 'header_timeout_ms = "300ms"\nbody_bytes_max = 100');
    for (const [, octets] of REFUSED) await send(server.port, octets);
    assert.equal((await ask(server.port, '/?a="remote_address":"203.0.113.9"}')).status, 200);
    await eventually('all are logged', () => answers(server).length === REFUSED.length + 1);
    const lines = server.output().split('\n');
    assert.deepEqual(
      found(t, lines),
      REFUSED.map(() => '127.0.0.1'),
    );
  });

  it('finds addresses of IPv6, and lines with the prefix of a journal', (t) => {
    const line =
      '{"time":"2026-05-04T09:12:33.201Z","level":"info","message":"A connection was refused: TLS: no","remote_address":"2001:db8::1"}';
    assert.deepEqual(found(t, [line, `May 04 09:12:33 host viaduct[12]: ${line}`]), ['2001:db8::1', '2001:db8::1']);
  });

  it('does not find what clients write', (t) => {
    const forged = '"remote_address":"203.0.113.9"}';
    const start = '{"time":"2026-05-04T09:12:33.201Z","level":"info","message":"A request was refused: x';
    for (const line of [
      `${start}${JSON.stringify(forged).slice(1, -1)}","proxy_address":"192.0.2.1"}`,
      `${start}","remote_address":"192.0.2.1 203.0.113.9"}`,
      `{"time":"2026-05-04T09:12:33.201Z","path":"/${JSON.stringify(start.slice(1) + forged).slice(1, -1)}"}`,
    ])
      assert.deepEqual(found(t, [line]), [], line);
  });
});
