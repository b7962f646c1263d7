import type { Socket } from 'node:net';
import type { Peer } from './message.ts';

const MAPPED = '::ffff:';

/** Reads who is at the other end of `socket`. An IPv4 client on an IPv6 listener gets its IPv4 address. */
export function peerOf(socket: Socket, listener: number): Peer {
  return {
    remoteAddress: unmapped(socket.remoteAddress ?? ''),
    remotePort: socket.remotePort ?? 0,
    listener,
    serverPort: '',
    secure: 'encrypted' in socket && socket.encrypted === true,
  };
}

/** An IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2) as itself, any other as it is. */
export function unmapped(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}
