import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { Backend } from './backend.ts';

/** An idle tunnel or a slow answer must not outlive its machine. */
const PROBE_MS = 60_000;

/**
 * Begins to connect to `backend`. `receive` gets what comes; a plain socket asks `memory` before each read where to put it. `connected` is
 * called when requests can be written, for TLS behind the handshake.
 */
export function openSocket(
  backend: Backend,
  memory: () => Buffer,
  receive: (bytes: Buffer, length: number) => void,
  connected: () => void,
): Socket {
  const { host, port, path, tls } = backend;
  const common = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_MS, allowHalfOpen: true };
  const address = path === undefined ? { host, port } : { path };
  if (tls === undefined) {
    const onread = {
      buffer: memory,
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
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('data', (bytes: Buffer) => receive(bytes, bytes.length));
  socket.once('secureConnect', connected);
  return socket;
}
