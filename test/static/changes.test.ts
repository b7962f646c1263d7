import { equal, notEqual, ok } from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { serveFiles } from '../support/serve-files.ts';
import type { TestServer } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

const LARGE_BYTES = 3_000_000;

describe('changed static files', () => {
  let root: string;
  const eachTest = eachTestLifetime();
  let server: TestServer;

  beforeEach(async () => {
    root = temporaryDirectory(eachTest);
    server = await serveFiles(eachTest, [{ urlPrefix: '/static/', directories: [root] }]);
  });

  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  };
  const get = (name: string) => ask(server.port, `/static/${name}`);
  const large = (letter: string) => letter.repeat(LARGE_BYTES);

  for (const [size, first, second] of [
    ['small', 'first', 'other'],
    ['large', large('1'), large('2')],
  ] as const) {
    it(`are noticed when a ${size} file is overwritten, whatever its length and time`, async () => {
      write('a.txt', first);
      utimesSync(join(root, 'a.txt'), 1_000_000, 1_000_000);
      const before = await get('a.txt');
      equal(before.body, first);
      write('a.txt', second);
      utimesSync(join(root, 'a.txt'), 1_000_000, 1_000_000);
      const after = await get('a.txt');
      equal(after.body, second);
      equal(after.header('last-modified'), before.header('last-modified'));
      notEqual(after.header('etag'), before.header('etag'));
    });

    it(`are noticed when a ${size} file is overwritten many times within one tick of the clock`, async () => {
      for (let i = 0; i < 20; i += 1) {
        const content = i % 2 === 0 ? first : second;
        write('a.txt', content);
        ok((await get('a.txt')).body === content, `the content of write ${i}`);
      }
    });

    it(`are noticed when a ${size} file is replaced, removed and created again`, async () => {
      write('a.txt', first);
      equal((await get('a.txt')).body, first);
      write('b.txt', second);
      renameSync(join(root, 'b.txt'), join(root, 'a.txt'));
      equal((await get('a.txt')).body, second);
      rmSync(join(root, 'a.txt'));
      equal((await get('a.txt')).status, 404);
      write('a.txt', first);
      equal((await get('a.txt')).body, first);
    });
  }

  it('are noticed when a file grows or shrinks past the size that is kept in memory', async () => {
    for (const content of ['small', large('1'), 'small again', large('2'), '']) {
      write('a.txt', content);
      ok((await get('a.txt')).body === content);
    }
  });

  it('are noticed within a second when they are not checked each time', async () => {
    const slow = await serveFiles(eachTest, [{ urlPrefix: '/s/', directories: [root] }], { revalidateMs: 1000 });
    write('a.txt', 'first');
    equal((await ask(slow.port, '/s/a.txt')).body, 'first');
    write('a.txt', 'other');
    await eventually('the change is visible', async () => (await ask(slow.port, '/s/a.txt')).body === 'other');
  });

  it('break the connection off when a file is truncated while it is sent', async () => {
    write('a.txt', 'x'.repeat(50_000_000));
    const client = await SocketClient.open(server.port);
    try {
      client.send('GET /static/a.txt HTTP/1.1\r\nHost: x\r\n\r\nGET /static/b.txt HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.until(/\r\n\r\nx/);
      truncateSync(join(root, 'a.txt'), 10);
      await client.untilClosed();
      ok(client.received.startsWith('HTTP/1.1 200 OK'));
      ok(client.received.length < 50_000_000);
      equal(client.received.split('HTTP/1.1 ').length, 2, 'nothing follows the broken answer');
    } finally {
      client.close();
    }
  });

  it('do not disturb a client that is receiving the old version', async () => {
    write('a.txt', '1'.repeat(50_000_000));
    const client = await SocketClient.open(server.port);
    try {
      client.send('GET /static/a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      await client.until(/\r\n\r\n1/);
      write('b.txt', '2'.repeat(50_000_000));
      renameSync(join(root, 'b.txt'), join(root, 'a.txt'));
      ok((await get('a.txt')).body.startsWith('2'));
      await client.untilClosed();
      const body = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
      equal(body.length, 50_000_000);
      ok(!body.includes('2'));
    } finally {
      client.close();
    }
  });

  it('use a limited number of descriptors, and none for removed files', {
    skip: process.platform !== 'linux' && 'it needs /proc',
  }, async () => {
    for (let i = 0; i < 150; i += 1) {
      write(`f${i}.bin`, large('x').slice(0, 1_100_000));
      equal((await get(`f${i}.bin`)).status, 200);
    }
    ok(openBelow(root) <= 64 + 1, `${openBelow(root)} descriptors`);
    for (let i = 0; i < 150; i += 1) rmSync(join(root, `f${i}.bin`));
    for (let i = 0; i < 150; i += 1) equal((await get(`f${i}.bin`)).status, 404);
    await eventually('all descriptors are closed', () => openBelow(root) === 0);
  });
});

describe('static files of several mounts', () => {
  const eachTest = eachTestLifetime();

  it('come from the first mount that has the file, even when an earlier mount gets or loses it', async () => {
    const root = temporaryDirectory(eachTest);
    const put = (name: string) => {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), name);
    };
    for (const name of ['one/a', 'two/a', 'two/b', 'two/prefixed/c', 'three/prefixed/c', 'three/d', 'prefixed/d'])
      put(name);
    const server = await serveFiles(eachTest, [
      { urlPrefix: '/s/prefixed/', directories: [join(root, 'prefixed')] },
      { urlPrefix: '/s/', directories: [join(root, 'one'), join(root, 'two')] },
      { urlPrefix: '/s/', directories: [join(root, 'missing'), join(root, 'three')] },
    ]);
    const body = async (target: string) => (await ask(server.port, target)).body;
    equal(await body('/s/a'), 'one/a');
    equal(await body('/s/b'), 'two/b');
    equal(await body('/s/d'), 'three/d');
    equal(await body('/s/prefixed/d'), 'prefixed/d');
    equal(await body('/s/prefixed/c'), 'two/prefixed/c');
    put('one/b');
    equal(await body('/s/b'), 'one/b');
    rmSync(join(root, 'one/b'));
    equal(await body('/s/b'), 'two/b');
    equal((await ask(server.port, '/s/nothing')).status, 404);
  });

  it('pass on missing paths and other methods only at the prefix /', async () => {
    const root = temporaryDirectory(eachTest);
    writeFileSync(join(root, 'a'), 'file');
    const server = await serveFiles(eachTest, [
      { urlPrefix: '/', directories: [root] },
      { urlPrefix: '/s/', directories: [root] },
    ]);
    const get = async (target: string, method = 'GET') => (await ask(server.port, target, { method })).body;
    equal(await get('/a'), 'file');
    equal(await get('/s/a'), 'file');
    equal(await get('/b'), 'passed on');
    equal(await get('/'), 'passed on');
    equal(await get('/%ff'), 'passed on');
    equal(await get('/a', 'POST'), 'passed on');
    equal((await ask(server.port, '/s/b')).status, 404);
  });

  it('may have a prefix that is not ASCII', async () => {
    const root = temporaryDirectory(eachTest);
    writeFileSync(join(root, 'ü'), 'file');
    const server = await serveFiles(eachTest, [{ urlPrefix: '/größe/', directories: [root] }]);
    equal((await ask(server.port, encodeURI('/größe/ü'))).body, 'file');
    equal((await ask(server.port, encodeURI('/größe/ü').toLowerCase())).body, 'file');
  });
});

describe('the memory cache for static files', () => {
  const eachTest = eachTestLifetime();

  it('serves files that do not fit into it', async () => {
    const root = temporaryDirectory(eachTest);
    const server = await serveFiles(eachTest, [{ urlPrefix: '/s/', directories: [root] }], {
      cacheBytesMax: 100_000,
      revalidateMs: 1000,
    });
    for (const round of [1, 2]) {
      for (let i = 0; i < 30; i += 1) {
        const content = `${round} ${i} `.repeat(10_000);
        writeFileSync(join(root, `f${i}`), content);
        await eventually('the content is visible', async () => (await ask(server.port, `/s/f${i}`)).body === content);
      }
    }
  });
});

function openBelow(root: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith(root)).length;
}
