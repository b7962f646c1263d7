// node hold.mjs PORT
//
// Holds idle connections. For each line with a number on standard input it opens connections until there are so many, asks once over
// each, and prints {"open": N} when all have been answered. They come from many addresses of 127/8, as clients would.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { BROWSER_FIELDS } from './heads.mjs';

const AT_ONCE = 64;
const ADDRESSES = 50;
const port = Number(process.argv[2]);
const fields = [['Host', `127.0.0.1:${port}`], ...BROWSER_FIELDS]
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const request = `GET / HTTP/1.1\r\n${fields}\r\n`;
const open = new Set();
let opened = 0;

for await (const line of createInterface({ input: process.stdin })) {
  const wanted = Number(line);
  await Promise.all(Array.from({ length: AT_ONCE }, () => openUntil(wanted)));
  process.stdout.write(`${JSON.stringify({ open: open.size })}\n`);
}
process.exit(0);

async function openUntil(wanted) {
  while (opened < wanted) await openOne(opened++);
}

/** Resolves when the answer has come, or the connection has gone. */
function openOne(index) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${2 + (index % ADDRESSES)}` });
    let text = '';
    socket.on('connect', () => {
      open.add(socket);
      socket.write(request);
    });
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (!text.endsWith('Hello, world!\n')) return;
      text = '';
      resolve();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      resolve();
    });
  });
}
