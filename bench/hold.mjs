// node hold.mjs PORT PROTOCOL
//
// Holds idle connections: of HTTP/1.1 in clear text (`http/1.1`), the same over TLS (`tls`), or HTTP/2 over TLS (`h2`). For each line
// with a number on standard input it opens connections until there are so many, asks once over each, and prints {"open": N} when all
// have been answered. They come from many addresses of 127/8, as clients would.
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { BROWSER_FIELDS, CHROMIUM_FIELDS } from './heads.mjs';

const AT_ONCE = 64;
const ADDRESSES = 50;
const ANSWER = 'Hello, world!\n';
const port = Number(process.argv[2]);
const protocol = process.argv[3];
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
  while (opened < wanted) {
    const localAddress = `127.0.0.${2 + (opened++ % ADDRESSES)}`;
    await (protocol === 'h2' ? openSession(localAddress) : openSocket(localAddress));
  }
}

/** Resolves when the answer has come, or the connection has gone. */
function openSocket(localAddress) {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, localAddress };
    const socket =
      protocol === 'tls'
        ? connectTls({ ...options, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
        : connect(options);
    let text = '';
    socket.on(protocol === 'tls' ? 'secureConnect' : 'connect', () => {
      open.add(socket);
      socket.write(request);
    });
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (!text.endsWith(ANSWER)) return;
      text = '';
      resolve();
    });
    holdUntilClosed(socket, resolve);
  });
}

/** As `openSocket`, by HTTP/2. */
function openSession(localAddress) {
  return new Promise((resolve) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { localAddress, rejectUnauthorized: false });
    session.once('connect', () => open.add(session));
    const stream = session.request({ ':path': '/', ...Object.fromEntries(CHROMIUM_FIELDS) });
    let text = '';
    stream.setEncoding('latin1').on('data', (data) => (text += data));
    stream.on('error', () => {});
    stream.on('close', () => {
      if (text === ANSWER) resolve();
      else session.destroy();
    });
    holdUntilClosed(session, resolve);
  });
}

function holdUntilClosed(connection, resolve) {
  connection.on('error', () => {});
  connection.on('close', () => {
    open.delete(connection);
    resolve();
  });
}
