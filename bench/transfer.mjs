// node transfer.mjs PORT METHOD PATH CONTENT_BYTES SECONDS
//
// Repeats a request over one kept-alive connection until SECONDS are over. It never stops in the middle of one: what a server has worked
// is then for whole requests, also if one takes seconds. Each response must have status 200 and a length.
// Prints {"requests": N, "seconds": S, "failure": null}; `failure` says what was wrong with a response.
import { connect } from 'node:net';

const [method, path] = process.argv.slice(3, 5);
const [port, contentBytes, seconds] = [2, 5, 6].map((index) => Number(process.argv[index]));
const framing = method === 'GET' ? '' : `Content-Length: ${contentBytes}\r\n`;
const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${framing}\r\n`;
const piece = Buffer.alloc(1 << 20, 'x');
const answer = Buffer.alloc(1 << 20);

let requests = 0;
let unsent = 0;
let responseHead = '';
/** Bytes of the response's content that are still to come; null while its head is. */
let expected = null;

const started = performance.now();
const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: answer, callback: receive } });
socket.on('connect', send);
socket.on('drain', sendContent);
socket.on('error', (error) => finish(error.message));
socket.on('close', () => finish('the connection was closed'));

function send() {
  unsent = contentBytes;
  responseHead = '';
  expected = null;
  socket.write(head);
  sendContent();
}

function sendContent() {
  while (unsent > 0 && !socket.writableNeedDrain) {
    const next = unsent < piece.length ? piece.subarray(0, unsent) : piece;
    unsent -= next.length;
    socket.write(next);
  }
}

function receive(bytes, buffer) {
  let content = bytes;
  if (expected === null) {
    responseHead += buffer.latin1Slice(0, bytes);
    const end = responseHead.indexOf('\r\n\r\n');
    if (end < 0) return true;
    content = responseHead.length - end - 4;
    const [, length] = /^HTTP\/1\.1 200 .*\r\ncontent-length: *(\d+)\r\n/is.exec(responseHead) ?? [];
    if (length === undefined) return finish(`the response is "${responseHead.slice(0, end).split('\r\n').join(', ')}"`);
    expected = Number(length);
  }
  expected -= content;
  if (expected < 0) return finish('the content is too long');
  if (expected > 0) return true;
  requests += 1;
  if (performance.now() - started >= seconds * 1000) return finish(null);
  send();
  return true;
}

/** Prints the result and ends. False, so that nothing more is read. */
function finish(failure) {
  const result = { requests, seconds: (performance.now() - started) / 1000, failure };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  return false;
}
