import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { removeLeftovers } from '../../src/workers/leftovers.ts';
import { PrivateDirectory, runtimeBase, SOCKET_NAME, temporaryBase } from '../../src/workers/private-directory.ts';
import { accepts } from '../support/socket-client.ts';

const VARIABLES = ['RUNTIME_DIRECTORY', 'XDG_RUNTIME_DIR', 'TMPDIR'] as const;

let base = '';
let before: (string | undefined)[] = [];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'viaduct-base-'));
  before = VARIABLES.map((name) => process.env[name]);
});

afterEach(() => {
  VARIABLES.forEach((name, index) => {
    const value = before[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  });
  rmSync(base, { recursive: true });
});

describe('the place of the private directory', () => {
  const make = (name: string, mode = 0o700): string => {
    const path = join(base, name);
    mkdirSync(path, { mode });
    chmodSync(path, mode);
    return path;
  };

  it('is the directory of the service, else that of the user, else that of temporary files', () => {
    const [service, user, temporary] = [make('service'), make('user'), make('temporary')];
    Object.assign(process.env, { RUNTIME_DIRECTORY: service, XDG_RUNTIME_DIR: user, TMPDIR: temporary });
    assert.equal(runtimeBase(), service);
    process.env.RUNTIME_DIRECTORY = `${join(base, 'missing')}:${service}`;
    assert.equal(runtimeBase(), service);
    delete process.env.RUNTIME_DIRECTORY;
    assert.equal(runtimeBase(), user);
    delete process.env.XDG_RUNTIME_DIR;
    assert.equal(runtimeBase(), temporary);
  });

  it('is another one when a directory is missing, relative, not a directory, read-only or too long for a socket', () => {
    const temporary = make('temporary');
    writeFileSync(join(base, 'file'), '');
    process.env.TMPDIR = temporary;
    delete process.env.RUNTIME_DIRECTORY;
    for (const path of [
      join(base, 'missing'),
      'relative',
      join(base, 'file'),
      make('read-only', 0o500),
      `${temporary}/${'x'.repeat(80)}`,
    ]) {
      process.env.XDG_RUNTIME_DIR = path;
      assert.equal(runtimeBase(), temporary, path);
    }
  });

  it('is the directory of another user only for temporary files', { skip: process.getuid?.() !== 0 }, async () => {
    const foreign = make('foreign', 0o777);
    chownSync(foreign, 12345, 12345);
    process.env.XDG_RUNTIME_DIR = foreign;
    delete process.env.RUNTIME_DIRECTORY;
    assert.notEqual(runtimeBase(), foreign);
  });

  it('is not the directory of the service for large content, which may be kept in memory', () => {
    process.env.RUNTIME_DIRECTORY = make('service');
    process.env.TMPDIR = make('temporary');
    assert.equal(temporaryBase(), join(base, 'temporary'));
  });
});

/** Makes a directory with a socket in it that looks like a private directory. */
async function imitate(path: string): Promise<void> {
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, 'kept'), '');
  const server = createServer().listen(join(path, SOCKET_NAME));
  await once(server, 'listening');
  server.unref();
}

/** What another user can put in the place of a private directory that a cleaner removed. Only root can test the first. */
const REPLACEMENTS: readonly (readonly [what: string, (path: string, elsewhere: string) => Promise<void>])[] = [
  ...(process.getuid?.() === 0
    ? [
        [
          'a directory of another user',
          async (path: string) => {
            await imitate(path);
            chownSync(path, 12345, 12345);
          },
        ] as const,
      ]
    : []),
  ['another directory of the same user', imitate],
  [
    'a symbolic link to such a directory',
    async (path, elsewhere) => {
      await imitate(elsewhere);
      symlinkSync(elsewhere, path);
    },
  ],
];

describe('a private directory', () => {
  const open = async (): Promise<{ directory: PrivateDirectory; sockets: Socket[] }> => {
    const sockets: Socket[] = [];
    const directory = new PrivateDirectory(
      () => base,
      (socket) => void sockets.push(socket),
      (error) => assert.fail(error),
    );
    await directory.open();
    return { directory, sockets };
  };

  it('is open to its user only, stays the same, and is gone when it is closed', async () => {
    const { directory } = await open();
    const path = directory.ensure();
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(directory.ensure(), path);
    directory.close();
    assert.deepEqual(readdirSync(base), []);
  });

  for (const [what, remove] of [
    ['the directory', (path: string) => rmSync(path, { recursive: true })],
    ['the socket in it', (path: string) => rmSync(join(path, SOCKET_NAME))],
  ] as const) {
    it(`is made again, with a socket that accepts, when a cleaner removed ${what}`, async () => {
      const { directory } = await open();
      remove(directory.ensure());
      const path = directory.ensure();
      assert.equal(statSync(path).mode & 0o777, 0o700);
      assert.ok(await accepts(join(path, SOCKET_NAME)));
      directory.close();
      assert.deepEqual(readdirSync(base), []);
    });
  }

  for (const [what, replace] of REPLACEMENTS) {
    it(`is made again, and the other one is left alone, when its path has ${what}`, async () => {
      const { directory } = await open();
      const before = directory.ensure();
      rmSync(before, { recursive: true });
      await replace(before, join(base, 'elsewhere'));
      const path = directory.ensure();
      assert.notEqual(path, before);
      assert.equal(statSync(path).mode & 0o777, 0o700);
      assert.ok(await accepts(join(path, SOCKET_NAME)));
      directory.close();
      assert.deepEqual(
        readdirSync(before).filter((name) => name !== SOCKET_NAME),
        ['kept'],
      );
      assert.equal(existsSync(path), false);
    });
  }

  it('is made again when others may enter it', async () => {
    const { directory } = await open();
    const before = directory.ensure();
    chmodSync(before, 0o711);
    assert.notEqual(directory.ensure(), before);
    directory.close();
    assert.deepEqual(readdirSync(base), []);
  });

  it('is not made again after it was closed', async () => {
    const { directory } = await open();
    directory.close();
    assert.throws(() => directory.ensure(), { code: 'WORKER' });
    assert.deepEqual(readdirSync(base), []);
  });

  it('is an error with advice when it cannot be made', async () => {
    const { directory } = await open();
    rmSync(base, { recursive: true });
    assert.throws(() => directory.ensure(), {
      code: 'USAGE',
      message: /^Cannot make a private directory in ".*": ENOENT/,
    });
    mkdirSync(base);
    assert.ok(existsSync(directory.ensure()));
    directory.close();
  });
});

describe('directories of dead servers', () => {
  const dead = async (name: string, files: readonly string[] = []): Promise<string> => {
    const path = join(base, name);
    mkdirSync(path, { mode: 0o700 });
    for (const file of files) writeFileSync(join(path, file), '');
    // A socket file on which nobody listens: the server moves it away before it closes.
    const server = createServer().listen(join(path, 'first'));
    await once(server, 'listening');
    const { renameSync } = await import('node:fs');
    renameSync(join(path, 'first'), join(path, SOCKET_NAME));
    server.close();
    await once(server, 'close');
    return path;
  };

  it('are removed', async () => {
    await dead('viaduct-aaaaaa', ['worker-1.scoreboard', 'body-17', 'worker-1.values', 'release-1.series']);
    await dead('viaduct-bbbbbb');
    await removeLeftovers(base);
    assert.deepEqual(readdirSync(base), []);
  });

  it('stay when somebody listens there, when they hold other files, or belong to somebody else', async () => {
    const alive = new PrivateDirectory(
      () => base,
      () => {},
      (error) => assert.fail(error),
    );
    await alive.open();
    await dead('viaduct-photos', ['mine.jpg']);
    chmodSync(await dead('viaduct-public'), 0o755);
    await dead('viaduct-longer-name');
    await dead('other-aaaaaa');
    mkdirSync(join(base, 'viaduct-starts'), { mode: 0o700 });
    symlinkSync(await dead('target'), join(base, 'viaduct-linked'));
    const names = readdirSync(base);
    await removeLeftovers(base);
    assert.deepEqual(readdirSync(base), names);
    alive.close();
  });

  it('are removed without a socket when they are old', async () => {
    const path = join(base, 'viaduct-cccccc');
    mkdirSync(path, { mode: 0o700 });
    utimesSync(path, 1, 1);
    await removeLeftovers(base);
    assert.deepEqual(readdirSync(base), []);
  });
});
