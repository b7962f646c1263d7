import type { Socket } from 'node:net';
import type { Peer } from './message.ts';

const MAPPED = '::ffff:';

/** Reads who is at the other end of `socket`. An IPv4 client on an IPv6 listener gets its IPv4 address. */
export function peerOf(socket: Socket, listener: number): Peer {
  const address = socket.remoteAddress ?? '';
  return {
    remoteAddress: address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address,
    remotePort: socket.remotePort ?? 0,
    listener,
    serverPort: '',
    secure: 'encrypted' in socket && socket.encrypted === true,
  };
}
