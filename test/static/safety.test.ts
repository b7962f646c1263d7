import { equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { serveFiles } from '../support/serve-files.ts';
import type { TestServer } from '../support/serve-handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { PATIENCE_MS, within } from '../support/wait.ts';

const SECRET = 'this is a secret';
/** A user without any files. */
const NOBODY = 65534;

describe('static files', () => {
  const suite = suiteLifetime();
  const top = temporaryDirectory(suite);
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
    server = await serveFiles(suite, [{ urlPrefix: '/static/', directories: [root] }]);
  });

  async function refuses(target: string): Promise<void> {
    const { status, body } = await within(PATIENCE_MS, `an answer for ${target}`, () => ask(server.port, target));
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
    it(`are not served for ${path}`, () => refuses(`/static/${path}`));
  }

  it('are hidden when their name or directory starts with a dot, except .well-known', async () => {
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

  it('are served through links that stay inside, and not through links that lead out, including parent directories', async () => {
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

  it('are not served when a link replaces a file that was served before', async () => {
    writeFileSync(join(root, 'swapped.txt'), 'public');
    equal((await ask(server.port, '/static/swapped.txt')).body, 'public');
    rmSync(join(root, 'swapped.txt'));
    symlinkSync(join(top, 'secret.txt'), join(root, 'swapped.txt'));
    await refuses('/static/swapped.txt');
  });

  it('never include a secret while a directory and a link alternate', async () => {
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

  it('are served from a directory that is itself a link, and follow the link when it changes', async () => {
    for (const release of ['one', 'two']) {
      mkdirSync(join(top, release));
      writeFileSync(join(top, release, 'v.txt'), release);
    }
    symlinkSync('one', join(top, 'current'));
    const other = await serveFiles(suite, [{ urlPrefix: '/s/', directories: [join(top, 'current')] }]);
    equal((await ask(other.port, '/s/v.txt')).body, 'one');
    symlinkSync('two', join(top, 'next'));
    renameSync(join(top, 'next'), join(top, 'current'));
    equal((await ask(other.port, '/s/v.txt')).body, 'two');
  });

  it('are not served for fifos, sockets and devices, which are refused at once', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const socket = createServer().listen(join(root, 'socket'));
    symlinkSync('/dev/zero', join(root, 'zero'));
    for (const target of ['fifo', 'socket', 'zero']) await refuses(`/static/${target}`);
    socket.close();
  });

  it('are not served when they are unreadable', async () => {
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
