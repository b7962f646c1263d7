// node hold-streams.mjs PORT CONNECTIONS
//
// Holds requests by HTTP/2 over TLS that are not answered. For each line with a number on standard input it sends requests until there
// are so many on each connection, and prints {"open": N} when the server has read them all.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { createInterface } from 'node:readline';
import { CHROMIUM_FIELDS } from './heads.mjs';

const [port, connections] = process.argv.slice(2).map(Number);
const sessions = Array.from({ length: connections }, () =>
  connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false }),
);
const head = { ':path': '/wait', ...Object.fromEntries(CHROMIUM_FIELDS) };
const open = new Set();
let each = 0;

await Promise.all(sessions.map((session) => once(session, 'remoteSettings')));
for await (const line of createInterface({ input: process.stdin })) {
  for (const wanted = Number(line); each < wanted; each++) for (const session of sessions) ask(session);
  await Promise.all(sessions.map(readByServer));
  process.stdout.write(`${JSON.stringify({ open: open.size })}\n`);
}
process.exit(0);

function ask(session) {
  const stream = session.request(head);
  open.add(stream);
  stream.on('response', () => open.delete(stream));
  stream.on('error', () => {});
  stream.on('close', () => open.delete(stream));
}

/** A server answers a ping after it has read all that came before. */
function readByServer(session) {
  return new Promise((resolve) => session.ping(resolve));
}
