import { equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import type { TestServer } from '../support/serve.ts';
import { within } from '../support/socket-client.ts';
import { startStaticServer, temporaryDirectory } from '../support/static-server.ts';

const SECRET = 'this is a secret';
/** A user who owns nothing. */
const NOBODY = 65534;

describe('static files keep to their directory', () => {
  const temporary = temporaryDirectory();
  const top = temporary.path;
  const root = join(top, 'root');
  let server: TestServer;

  before(async () => {
    mkdirSync(join(root, 'sub'), { recursive: true });
    mkdirSync(join(top, 'outside'));
    mkdirSync(join(top, 'root-sibling'));
    for (const path of ['secret.txt', 'outside/secret.txt', 'root-sibling/secret.txt'])
      writeFileSync(join(top, path), SECRET);
    writeFileSync(join(root, 'a.txt'), 'public');
    writeFileSync(join(root, 'sub/b.txt'), 'public');
    server = await startStaticServer([{ urlPrefix: '/static/', directories: [root] }]);
  });
  after(() => {
    server.close();
    temporary.remove();
  });

  async function refuses(target: string): Promise<void> {
    const { status, body } = await within(10_000, `an answer for ${target}`, () => ask(server.port, target));
    ok(status === 404 || status === 400, `${status} for ${target}`);
    ok(!body.includes(SECRET) && !body.includes('root:'), target);
  }

  for (const path of [
    '../secret.txt',
    '..%2fsecret.txt',
    '%2e%2e/secret.txt',
    '%2E%2E%2Fsecret.txt',
    '.%2e/secret.txt',
    '%252e%252e%252fsecret.txt',
    '%252e%252e/secret.txt',
    '..%252fsecret.txt',
    '..\\secret.txt',
    '..%5csecret.txt',
    '%2e%2e%5csecret.txt',
    'sub\\..\\..\\secret.txt',
    'sub/../../secret.txt',
    'sub/%2e%2e/%2e%2e/secret.txt',
    './../secret.txt',
    '.../secret.txt',
    '..;/secret.txt',
    '..%00/secret.txt',
    'a.txt%00.png',
    'a.txt%00',
    '%c0%ae%c0%ae/secret.txt',
    '%e0%80%ae%e0%80%ae/secret.txt',
    '..%c0%afsecret.txt',
    '..%c1%9csecret.txt',
    '%u002e%u002e/secret.txt',
    '%uff0e%uff0e/secret.txt',
    '%ff%fe/secret.txt',
    'sub%2fb.txt',
    'sub%5cb.txt',
    '/etc/passwd',
    '//etc/passwd',
    '%2fetc%2fpasswd',
    '/../../../../../../../../etc/passwd',
    '..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd',
    'file:///etc/passwd',
    '../root-sibling/secret.txt',
    './a.txt',
    'sub/./b.txt',
    'sub//b.txt',
    '/a.txt',
    '//a.txt',
    'sub/../a.txt',
    'a.txt/',
    'a.txt/.',
    'a.txt%20',
    'a.txt::$DATA',
    '~root/a.txt',
  ]) {
    it(`refuses ${path}`, () => refuses(`/static/${path}`));
  }

  it('hides files and directories whose names begin with a dot, but for .well-known', async () => {
    for (const directory of ['.git', '.well-known', '.well-known/.hidden', 'sub/.svn']) {
      mkdirSync(join(root, directory), { recursive: true });
      writeFileSync(join(root, directory, 'config'), 'x');
    }
    writeFileSync(join(root, '.env'), SECRET);
    for (const target of [
      '.env',
      '.git/config',
      '%2egit/config',
      'sub/.svn/config',
      '.well-known/.hidden/config',
      '.WELL-KNOWN/config',
    ])
      await refuses(`/static/${target}`);
    equal((await ask(server.port, '/static/.well-known/config')).status, 200);
  });

  it('follows links that stay inside and refuses links that lead out, also of directories on the way', async () => {
    symlinkSync('a.txt', join(root, 'inside.txt'));
    symlinkSync('sub', join(root, 'inside'));
    symlinkSync(join(top, 'secret.txt'), join(root, 'outside.txt'));
    symlinkSync('../outside', join(root, 'outside'));
    symlinkSync('outside', join(root, 'twice'));
    symlinkSync(join(top, 'root-sibling'), join(root, 'sibling'));
    symlinkSync('loop', join(root, 'loop'));
    symlinkSync('nothing', join(root, 'dangling'));
    symlinkSync('/etc', join(root, 'etc'));
    equal((await ask(server.port, '/static/inside.txt')).body, 'public');
    equal((await ask(server.port, '/static/inside/b.txt')).body, 'public');
    for (const target of [
      'outside.txt',
      'outside/secret.txt',
      'twice/secret.txt',
      'sibling/secret.txt',
      'loop',
      'dangling',
      'etc/passwd',
    ])
      await refuses(`/static/${target}`);
  });

  it('refuses a file that a link takes the place of after it was served', async () => {
    writeFileSync(join(root, 'swapped.txt'), 'public');
    equal((await ask(server.port, '/static/swapped.txt')).body, 'public');
    rmSync(join(root, 'swapped.txt'));
    symlinkSync(join(top, 'secret.txt'), join(root, 'swapped.txt'));
    await refuses('/static/swapped.txt');
  });

  it('never sends a secret while a directory and a link take turns', async () => {
    mkdirSync(join(root, 'real'));
    writeFileSync(join(root, 'real/secret.txt'), 'public');
    symlinkSync(join(top, 'outside'), join(root, 'link'));
    let swapping = true;
    const swapper = (async () => {
      while (swapping) {
        renameSync(join(root, 'real'), join(root, 'turns'));
        await new Promise(setImmediate);
        renameSync(join(root, 'turns'), join(root, 'real'));
        renameSync(join(root, 'link'), join(root, 'turns'));
        await new Promise(setImmediate);
        renameSync(join(root, 'turns'), join(root, 'link'));
      }
    })();
    const seen = new Set<string>();
    for (let i = 0; i < 300; i += 1) seen.add((await ask(server.port, '/static/turns/secret.txt')).body);
    swapping = false;
    await swapper;
    ok(!seen.has(SECRET));
  });

  it('serves a directory that is itself behind a link, and follows the link when it changes', async () => {
    for (const release of ['one', 'two']) {
      mkdirSync(join(top, release));
      writeFileSync(join(top, release, 'v.txt'), release);
    }
    symlinkSync('one', join(top, 'current'));
    const other = await startStaticServer([{ urlPrefix: '/s/', directories: [join(top, 'current')] }]);
    try {
      equal((await ask(other.port, '/s/v.txt')).body, 'one');
      symlinkSync('two', join(top, 'next'));
      renameSync(join(top, 'next'), join(top, 'current'));
      equal((await ask(other.port, '/s/v.txt')).body, 'two');
    } finally {
      other.close();
    }
  });

  it('refuses fifos, sockets and devices at once', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const socket = createServer().listen(join(root, 'socket'));
    symlinkSync('/dev/zero', join(root, 'zero'));
    for (const target of ['fifo', 'socket', 'zero']) await refuses(`/static/${target}`);
    socket.close();
  });

  it('refuses what it may not read', async () => {
    writeFileSync(join(root, 'unreadable.txt'), SECRET, { mode: 0 });
    writeFileSync(join(root, 'readable.txt'), 'public');
    for (const directory of [top, root]) chmodSync(directory, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY); // root may read everything
    try {
      equal((await ask(server.port, '/static/readable.txt')).body, 'public');
      await refuses('/static/unreadable.txt');
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
