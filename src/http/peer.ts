import type { Socket } from 'node:net';
import type { Peer } from './message.ts';

const MAPPED = '::ffff:';

/** Describes the two ends of `socket`. An IPv4 client on an IPv6 listener gets its IPv4 address. */
export function peerOf(socket: Socket, listener: number): Peer {
  const { localAddress, localPort } = socket;
  return {
    remoteAddress: unmapped(socket.remoteAddress ?? ''),
    remotePort: socket.remotePort ?? 0,
    listener,
    serverPort: '',
    secure: 'encrypted' in socket && socket.encrypted === true,
    localAddress: localAddress === undefined ? undefined : unmapped(localAddress),
    localPort,
  };
}

/** Turns an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) into the IPv4 address. Other addresses stay as they are. */
export function unmapped(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}
