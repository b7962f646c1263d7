import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { Backend } from './backend.ts';

/** TCP keep-alive detects a dead peer of an idle tunnel or a slow response. */
const PROBE_MS = 60_000;

/**
 * Opens a connection to `backend`. `receive` is called with the received bytes; a plain socket calls `readBuffer` before
 * each read for the buffer. `connected` is called when requests can be written, with TLS after the handshake.
 */
export function openSocket(
  backend: Backend,
  readBuffer: () => Buffer,
  receive: (bytes: Buffer, length: number) => void,
  connected: () => void,
): Socket {
  const { host, port, path, tls, protocol } = backend;
  const common = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_MS, allowHalfOpen: true };
  const address = path === undefined ? { host, port } : { path };
  if (tls === undefined) {
    const onread = {
      buffer: readBuffer,
      callback(length: number, bytes: Uint8Array): boolean {
        receive(bytes as Buffer, length);
        return true;
      },
    };
    const socket = netConnect({ ...common, ...address, onread });
    socket.once('connect', connected);
    return socket;
  }
  const name = tls.serverName ?? host;
  const socket = tlsConnect({
    ...common,
    ...address,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    rejectUnauthorized: tls.verify !== false,
    ALPNProtocols: [protocol === 'http2' ? 'h2' : 'http/1.1'],
  });
  socket.on('data', (bytes: Buffer) => receive(bytes, bytes.length));
  socket.once('secureConnect', connected);
  return socket;
}
