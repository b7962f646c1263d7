import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { Http1Server } from '../../src/http/http1/http1-server.ts';
import { Response } from '../../src/http/response.ts';
import { parseAddress } from '../../src/listen/address.ts';
import { Listener } from '../../src/listen/listener.ts';
import { bindWithMode, setAccess } from '../../src/listen/unix-socket.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

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

describe('owner and mode of a Unix socket', () => {
  const { uid, gid } = userInfo();
  const access = { mode: 0o600, owner: { user: `${uid}`, group: `${gid}` } };

  /** A directory where another program has put something else in the place of the socket. */
  async function replaced(t: TestContext, put: (path: string, victim: string) => void) {
    const directory = temporaryDirectory(t);
    const [path, victim] = [join(directory, 'viaduct.sock'), join(directory, 'victim')];
    const server = createServer().listen(victim);
    await once(server, 'listening');
    t.after(() => server.close());
    chmodSync(victim, 0o640);
    put(path, victim);
    return { path, victim };
  }

  for (const [what, put] of [
    ['a symbolic link', (path: string, victim: string) => symlinkSync(victim, path)],
    ['a dangling symbolic link', (path: string) => symlinkSync('/nowhere/at/all', path)],
    ['a hard link to another socket', (path: string, victim: string) => linkSync(victim, path)],
    ['a file', (path: string) => writeFileSync(path, '', { mode: 0o640 })],
    ['a directory', (path: string) => mkdirSync(path, { mode: 0o750 })],
    ['nothing', () => {}],
  ] as const) {
    it(`are not given to what has taken its place: ${what}`, async (t) => {
      const { path, victim } = await replaced(t, put);
      const before = [statSync(victim).mode, lstatSync(path, { throwIfNoEntry: false })?.mode];
      throws(
        () => setAccess(path, access),
        (error) =>
          error instanceof ViaductError && error.code === 'LISTEN' && /taken its place|is gone/.test(error.message),
      );
      deepEqual([statSync(victim).mode, lstatSync(path, { throwIfNoEntry: false })?.mode], before);
    });
  }

  const NO_ROOT = process.getuid?.() === 0 ? false : 'only root may change the owner';
  it('are set on the socket itself', { skip: NO_ROOT }, async (t) => {
    const path = join(temporaryDirectory(t), 'viaduct.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    t.after(() => server.close());
    setAccess(path, { mode: 0o660, owner: { user: '65534', group: '65534' } });
    const { mode, uid: owner, gid: group } = statSync(path);
    deepEqual([mode & 0o777, owner, group], [0o660, 65534, 65534]);
    setAccess(path, { mode: 0o600, owner: { user: '65534', group: '65534' } });
    equal(statSync(path).mode & 0o777, 0o600, 'another server process does the same');
  });

  it('are there from the first moment: mode', async (t) => {
    const path = join(temporaryDirectory(t), 'viaduct.sock');
    const server = createServer();
    const before = process.umask();
    bindWithMode({ mode: 0o600 }, () => server.listen(path));
    equal(statSync(path).mode & 0o777, 0o600);
    equal(process.umask(), before);
    await once(server, 'listening');
    server.close();
  });
});

describe('a listener', () => {
  async function listen(t: TestContext, address: string): Promise<Listener> {
    const connections = new Http1Server({
      handle: () => Response.text(200, 'here'),
      limits: {},
      onAnswered: null,
      onError: () => {},
    });
    const listener = new Listener(
      { address: parseAddress(address), index: 0, tls: null, proxyProtocol: null },
      new Map([['http/1.1', connections]]),
    );
    t.after(() => {
      listener.close();
      connections.destroy();
    });
    await listener.listen();
    return listener;
  }

  async function answerOf(
    target: { readonly port: number; readonly host?: string } | { readonly path: string },
  ): Promise<string> {
    const socket = connect({ host: '127.0.0.1', ...target });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let received = '';
    for await (const block of socket) received += (block as Buffer).toString();
    return received;
  }

  function refuses(t: TestContext, address: string, reason: RegExp): Promise<void> {
    return rejects(listen(t, address), (error) => {
      ok(error instanceof ViaductError && error.code === 'LISTEN');
      match(error.message, reason);
      ok(error.advice !== '');
      return true;
    });
  }

  it('has the port that is actually bound in its URL', async (t) => {
    const { url, serverPort, serverName } = await listen(t, '127.0.0.1:0');
    equal(url, `http://127.0.0.1:${serverPort}`);
    equal(serverName, '127.0.0.1');
    ok(Number(serverPort) > 0);
    match(await answerOf({ port: Number(serverPort) }), /here$/);
  });

  it('fails with reason and advice when it cannot listen', async (t) => {
    const { serverPort } = await listen(t, '127.0.0.1:0');
    await refuses(t, `127.0.0.1:${serverPort}`, /in use/);
    await refuses(t, '192.0.2.1:8000', /no such address/);
    await refuses(t, 'fd:987654', /descriptor/);
    await refuses(t, 'unix:/nowhere/at/all.sock', /directory does not exist/);
  });

  it('makes a Unix socket that front-end proxies of other users can reach, and removes it', async (t) => {
    const directory = temporaryDirectory(t);
    const path = join(directory, 'v.sock');
    const listener = await listen(t, `unix:${path}`);
    equal(statSync(path).mode & 0o777, 0o666);
    match(await answerOf({ path }), /here$/);
    await refuses(t, `unix:${path}`, /in use/);
    match(await answerOf({ path }), /here$/);
    listener.close();
    ok(!existsSync(path));
  });

  it('gives a Unix socket the configured mode and owner', async (t) => {
    const directory = temporaryDirectory(t);
    const at = (name: string) => join(directory, name);
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

  it('leaves no socket when the owner is unknown', async (t) => {
    const directory = temporaryDirectory(t);
    const path = join(directory, 'v.sock');
    await refuses(t, `unix:${path}?owner=no-such-user`, /there is no user "no-such-user"/);
    await refuses(t, `unix:${path}?owner=0:no-such-group`, /there is no group "no-such-group"/);
    ok(!existsSync(path));
  });

  it('listens on IPv6', async (t) => {
    const { url, serverPort } = await listen(t, 'http://[::1]:0');
    equal(url, `http://[::1]:${serverPort}`);
    match(await answerOf({ host: '::1', port: Number(serverPort) }), /here$/);
  });

  it('replaces the socket of a dead process, but never another file', async (t) => {
    const directory = temporaryDirectory(t);
    const stale = join(directory, 'stale.sock');
    await leaveSocket(stale);
    await listen(t, `unix:${stale}`);
    match(await answerOf({ path: stale }), /here$/);
    const precious = join(directory, 'precious.txt');
    writeFileSync(precious, 'precious');
    await refuses(t, `unix:${precious}`, /is not a socket/);
    equal(readFileSync(precious, 'utf8'), 'precious');
  });
});

function idOf(...args: readonly string[]): string {
  return execFileSync('id', args, { encoding: 'utf8' }).trim();
}

/** Makes a socket file without a listening process. */
async function leaveSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script, path]);
  const server = createServer();
  server.listen(path);
  const [error] = (await once(server, 'error')) as [NodeJS.ErrnoException];
  equal(error.code, 'EADDRINUSE');
}
