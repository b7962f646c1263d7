import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { Connections } from '../../src/http/http1/http1-server.ts';
import { Response } from '../../src/http/response.ts';
import { parseAddress } from '../../src/listen/address.ts';
import { Listener } from '../../src/listen/listener.ts';
import { temporaryDirectory } from '../support/static-server.ts';

describe('an address to listen on', () => {
  for (const [text, expected] of [
    ['8000', { kind: 'tcp', host: '127.0.0.1', port: 8000 }],
    ['0.0.0.0:80', { kind: 'tcp', host: '0.0.0.0', port: 80 }],
    [':8000', { kind: 'tcp', host: '0.0.0.0', port: 8000 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['[::1]:8000', { kind: 'tcp', host: '::1', port: 8000 }],
    ['unix:/run/a b.sock', { kind: 'unix', path: '/run/a b.sock' }],
    ['fd:3', { kind: 'fd', fd: 3 }],
  ] as const) {
    it(`is read from ${text}`, () => deepEqual(parseAddress(text), expected));
  }

  for (const text of [
    '',
    'x',
    '65536',
    '-1',
    '::1:8000',
    '[::1]',
    'host:',
    'host:x',
    'unix:',
    'fd:',
    'fd:x',
    'a b:80',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () =>
      throws(
        () => parseAddress(text),
        (error) => error instanceof ViaductError && error.code === 'USAGE' && error.exitCode === 2,
      ));
  }
});

describe('a listener', () => {
  async function listen(t: TestContext, address: string): Promise<Listener> {
    const connections = new Connections({
      handle: () => Response.text(200, 'here'),
      limits: {},
      onAnswered: null,
      onError: () => {},
    });
    const listener = new Listener(
      { address: parseAddress(address), index: 0, tls: null, proxyProtocol: null },
      { http1: connections, http2: null, gateway: null },
    );
    t.after(() => {
      listener.close();
      connections.destroy();
    });
    await listener.listen();
    return listener;
  }

  async function answerOf(
    where: { readonly port: number; readonly host?: string } | { readonly path: string },
  ): Promise<string> {
    const socket = connect({ host: '127.0.0.1', ...where });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let received = '';
    for await (const block of socket) received += (block as Buffer).toString();
    return received;
  }

  function refuses(t: TestContext, address: string, why: RegExp): Promise<void> {
    return rejects(listen(t, address), (error) => {
      ok(error instanceof ViaductError && error.code === 'LISTEN');
      match(error.message, why);
      ok(error.advice !== '');
      return true;
    });
  }

  it('tells the port that it got', async (t) => {
    const { url, serverPort, serverName } = await listen(t, '127.0.0.1:0');
    equal(url, `http://127.0.0.1:${serverPort}`);
    equal(serverName, '127.0.0.1');
    ok(Number(serverPort) > 0);
    match(await answerOf({ port: Number(serverPort) }), /here$/);
  });

  it('refuses with a sentence what cannot be listened on', async (t) => {
    const { serverPort } = await listen(t, '127.0.0.1:0');
    await refuses(t, `127.0.0.1:${serverPort}`, /in use/);
    await refuses(t, '192.0.2.1:8000', /no such address/);
    await refuses(t, 'fd:987654', /descriptor/);
    await refuses(t, 'unix:/nowhere/at/all.sock', /directory does not exist/);
  });

  it('makes a Unix socket that front servers of other users can reach, and removes it', async (t) => {
    const directory = temporaryDirectory();
    t.after(directory.remove);
    const path = join(directory.path, 'v.sock');
    const listener = await listen(t, `unix:${path}`);
    equal(statSync(path).mode & 0o777, 0o666);
    match(await answerOf({ path }), /here$/);
    await refuses(t, `unix:${path}`, /in use/);
    match(await answerOf({ path }), /here$/);
    listener.close();
    ok(!existsSync(path));
  });

  it('gives a Unix socket the mode and the owner that are wanted', async (t) => {
    const directory = temporaryDirectory();
    t.after(directory.remove);
    const at = (name: string) => join(directory.path, name);
    const { uid, gid } = userInfo();
    const user = uid === 0 ? 'nobody' : `${uid}`; // only root can choose
    const number = uid === 0 ? Number(idOf('-u', user)) : uid;
    await listen(t, `unix:${at('a')}?mode=660&owner=${user}`);
    deepEqual([statSync(at('a')).mode & 0o777, statSync(at('a')).uid, statSync(at('a')).gid], [0o660, number, gid]);
    await listen(t, `unix:${at('b')}?mode=600&owner=${user}:${gid}`);
    deepEqual([statSync(at('b')).mode & 0o777, statSync(at('b')).uid, statSync(at('b')).gid], [0o600, number, gid]);
    const group = idOf('-gn');
    await listen(t, `unix:${at('c')}?owner=:${group}`);
    deepEqual([statSync(at('c')).mode & 0o777, statSync(at('c')).uid, statSync(at('c')).gid], [0o666, uid, gid]);
    match(await answerOf({ path: at('a') }), /here$/);
  });

  it('refuses an owner that nobody knows, and leaves no socket', async (t) => {
    const directory = temporaryDirectory();
    t.after(directory.remove);
    const path = join(directory.path, 'v.sock');
    await refuses(t, `unix:${path}?owner=no-such-user`, /there is no user "no-such-user"/);
    await refuses(t, `unix:${path}?owner=0:no-such-group`, /there is no group "no-such-group"/);
    ok(!existsSync(path));
  });

  it('listens on IPv6', async (t) => {
    const { url, serverPort } = await listen(t, 'http://[::1]:0');
    equal(url, `http://[::1]:${serverPort}`);
    match(await answerOf({ host: '::1', port: Number(serverPort) }), /here$/);
  });

  it('takes the place of a socket that a dead process left, never of another file', async (t) => {
    const directory = temporaryDirectory();
    t.after(directory.remove);
    const stale = join(directory.path, 'stale.sock');
    await leaveSocket(stale);
    await listen(t, `unix:${stale}`);
    match(await answerOf({ path: stale }), /here$/);
    const precious = join(directory.path, 'precious.txt');
    writeFileSync(precious, 'precious');
    await refuses(t, `unix:${precious}`, /is no socket/);
    equal(readFileSync(precious, 'utf8'), 'precious');
  });
});

function idOf(...args: readonly string[]): string {
  return execFileSync('id', args, { encoding: 'utf8' }).trim();
}

/** A socket file that nobody listens on. */
async function leaveSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script, path]);
  const server = createServer();
  server.listen(path);
  const [error] = (await once(server, 'error')) as [NodeJS.ErrnoException];
  equal(error.code, 'EADDRINUSE');
}
