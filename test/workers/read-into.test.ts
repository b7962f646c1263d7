import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { readInto } from '../../src/workers/read-into.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { PATIENCE_MS, within } from '../support/wait.ts';

/** Connects, waits for a file, sends bytes, makes another file and dies. */
const PEER = `
import { connect } from 'node:net';
import { existsSync, writeFileSync } from 'node:fs';
const [path, go, sent] = process.argv.slice(1);
const socket = connect(path, () => {
  const timer = setInterval(() => {
    if (!existsSync(go)) return;
    clearInterval(timer);
    socket.write(Buffer.alloc(100_000, 114), () => {
      writeFileSync(sent, '');
      process.kill(process.pid, 'SIGKILL');
    });
  }, 1);
});
`;

it('a write to a process that has died loses nothing of what it sent before', async (t) => {
  const directory = temporaryDirectory(t);
  const [path, go, sent] = ['socket', 'go', 'sent'].map((name) => join(directory, name)) as [string, string, string];
  const server = createServer({ pauseOnConnect: true });
  t.after(() => server.close());
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const peer = spawn(process.execPath, ['--input-type=module', '-e', PEER, path, go, sent], { stdio: 'inherit' });
  const exited = new Promise((resolve) => peer.once('exit', resolve));
  let bytes = 0;
  const memory = Buffer.alloc(1000);
  const socket = readInto(
    await within(PATIENCE_MS, 'the connection', () => accepted),
    () => memory,
    (data) => {
      bytes += data.length;
    },
  );
  socket.resume();
  await new Promise(setImmediate);
  writeFileSync(go, '');
  const end = performance.now() + PATIENCE_MS;
  while (!existsSync(sent) && performance.now() < end); // this process reads nothing meanwhile
  const dead = performance.now() + 200;
  while (performance.now() < dead);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write('a further batch');
  await within(PATIENCE_MS, 'the end', () => closed);
  await exited;
  assert.equal(bytes, 100_000);
});
