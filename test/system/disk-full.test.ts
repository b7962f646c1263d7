import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { type Lifetime, nestedLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const MIB = 1024 * 1024;
const RESPONSE_BYTES = 12 * MIB;
const NOT_ROOT = process.platform === 'linux' && process.getuid?.() === 0 ? false : 'only root may mount a small disk';

const APP = `WHOLE = bytes(${RESPONSE_BYTES})

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if environ['REQUEST_METHOD'] == 'POST':
        return [str(len(environ['wsgi.input'].read())).encode()]
    return [WHOLE] if environ['PATH_INFO'] == '/long' else [b'hello']
`;

/** A disk of 1 MiB. */
function smallDisk(t: Lifetime): string {
  const lifetime = nestedLifetime(t);
  const directory = temporaryDirectory(lifetime);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  lifetime.after(() => void spawnSync('umount', ['-l', directory]));
  return directory;
}

/** Uses up the disk. */
function fill(directory: string): void {
  try {
    writeFileSync(join(directory, 'filler'), Buffer.alloc(2 * MIB));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  }
}

async function serve(t: TestContext): Promise<Viaduct> {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${RESPONSE_BYTES}\r\n\r\n`;
  const backend = await startBackend(t, () => Buffer.concat([Buffer.from(head), Buffer.alloc(RESPONSE_BYTES)]));
  const project = makeProject(t, { 'app.py': APP });
  writeFileSync(
    join(project, 'viaduct.toml'),
    `target = "app:application"
workers = 1
threads = 2
content_memory_bytes_max = "1MiB"

[[route]]
path = "/backend/*"
proxy = "${backend.url}"
proxy_options = { buffer_request = true, buffer_response = true }
`,
  );
  const directory = smallDisk(t);
  const viaduct = await startViaduct(t, ['serve'], { cwd: project, env: { TMPDIR: directory } });
  fill(directory);
  return viaduct;
}

describe('a full disk', { skip: NOT_ROOT }, () => {
  it('is the reason why a server does not start, without a traceback', async (t) => {
    const directory = smallDisk(t);
    fill(directory);
    const project = makeProject(t, { 'app.py': APP });
    const args = ['serve', project, '--workers', '1'];
    const viaduct = await startViaduct(t, args, { env: { TMPDIR: directory, XDG_RUNTIME_DIR: '' }, awaitReady: false });
    assert.equal((await viaduct.exited).code, 1);
    const reason =
      /viaduct: Cannot start a worker: it cannot make its scoreboard in ".*": No space left on device\. Free/;
    assert.match(viaduct.output(), reason);
    assert.doesNotMatch(viaduct.output(), /Traceback/);
  });

  for (const [where, path, message] of [
    ['a worker', '/', /Cannot store a request's body: ENOSPC/],
    ['a backend', '/backend/', /Cannot store a request's content for a backend: ENOSPC/],
  ] as const) {
    it(`is the server's error for an upload to ${where}, and has a line in the log`, async (t) => {
      const viaduct = await serve(t);
      const answer = await ask(viaduct.port, path, { method: 'POST', body: 'x'.repeat(2 * MIB) });
      assert.equal(answer.status, 500);
      assert.doesNotMatch(answer.body, /ENOSPC/);
      await eventually('the log has a line', () => message.test(viaduct.output()));
      assert.equal((await ask(viaduct.port, '/')).body, 'hello');
    });
  }

  for (const [where, path, message] of [
    ['a worker', '/long', /Cannot store a response, so the worker waits for its client: ENOSPC/],
    ['a backend', '/backend/long', /Cannot store a response of a backend, which now waits for the client: ENOSPC/],
  ] as const) {
    it(`makes ${where} wait for its client, who gets the whole response`, async (t) => {
      const viaduct = await serve(t);
      const client = await SocketClient.open(viaduct.port);
      client.socket.pause();
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await eventually('the log has a line', () => message.test(viaduct.output()));
      client.socket.resume();
      await client.untilClosed();
      const start = client.received.indexOf('\r\n\r\n') + 4;
      assert.equal(client.received.length - start, RESPONSE_BYTES);
    });
  }
});
