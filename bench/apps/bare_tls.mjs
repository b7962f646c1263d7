// node bare_tls.mjs PORT CERTIFICATE KEY: a TLS server of Node that takes whatever comes for a request of HTTP/1.1. What a connection
// to it costs is what a TLS socket of Node costs.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';

const [port, certificate, key] = process.argv.slice(2);
const BODY = 'Hello, world!\n';
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const options = { cert: readFileSync(certificate), key: readFileSync(key), ALPNProtocols: ['h2', 'http/1.1'] };
createServer(options, (socket) => {
  socket.on('data', () => socket.write(ANSWER));
  socket.on('error', () => {});
}).listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 });
