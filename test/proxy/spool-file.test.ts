import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { encode } from '../support/http-message.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

const CONTENT = 'x'.repeat(1_000_000);
/** Each is what the name of a file would be if it had the number of the process. */
const LINKS = 500;
const DONE = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone';

/** A proxy in this process that stores content in a directory of its own. */
async function serve(t: TestContext) {
  const directory = temporaryDirectory(t);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = directory;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  const backend = await startBackend(t, { onData: ({ socket }) => socket.write(DONE) });
  const proxy = await serveProxy(t, [backend.backend], { bufferRequest: true });
  return { directory, proxy };
}

/** The files below `directory` that this process has open, with their paths. */
function openFiles(directory: string): { readonly fd: string; readonly path: string }[] {
  const found = readdirSync('/proc/self/fd').map((name) => {
    const fd = `/proc/self/fd/${name}`;
    return { fd, path: linkOf(fd) };
  });
  return found.filter(({ path }) => path.startsWith(`${directory}/`));
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(fd);
  } catch {
    return ''; // the descriptor of the listing itself
  }
}

describe('the file with the content of a request', { skip: process.platform !== 'linux' }, () => {
  it('has no name any more, had one that nobody can guess, and is for this user only', async (t) => {
    const { directory, proxy } = await serve(t);
    const octets = encode('/', { method: 'POST', body: CONTENT });
    const clients = [await SocketClient.open(proxy.port), await SocketClient.open(proxy.port)];
    t.after(() => clients.map((client) => client.close()));
    for (const client of clients) client.send(octets.subarray(0, 900_000));
    await eventually('both have a file without a name', () => {
      const files = openFiles(directory);
      return files.length === 2 && files.every(({ path }) => path.endsWith(' (deleted)'));
    });
    const files = openFiles(directory);
    const names = files.map(({ path }) => path.slice(directory.length));
    for (const name of names) {
      assert.match(name, /[0-9a-f-]{32,}/, '122 bits of chance');
      assert.doesNotMatch(name, new RegExp(`\\b${process.pid}\\b`));
    }
    assert.notEqual(names[0], names[1]);
    for (const { fd } of files) assert.equal(statSync(fd).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(directory), []);
    for (const client of clients) {
      client.send(octets.subarray(900_000));
      await client.until(/done/);
    }
  });

  it('is not a file or a link that somebody else has put there', async (t) => {
    const victim = join(temporaryDirectory(t), 'victim');
    const { directory, proxy } = await serve(t);
    writeFileSync(victim, 'as it was');
    for (let number = 0; number < LINKS; number += 1)
      symlinkSync(victim, join(directory, `viaduct-spool-${process.pid}-${number}`));
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(encode('/', { method: 'POST', body: CONTENT }));
    await client.until(/done/);
    assert.equal(readFileSync(victim, 'utf8'), 'as it was');
    await eventually('only the links are left', () => readdirSync(directory).length === LINKS);
  });
});
