import { isIP, SocketAddress } from 'node:net';
import { unmapped } from '../http/peer.ts';

/** The usual form of a numeric address (RFC 5952), with IPv4 for IPv4-mapped IPv6. Null for the name of a host. */
export function numericAddress(host: string): string | null {
  const version = isIP(host);
  if (version === 0) return null;
  return version === 4 ? host : unmapped(new SocketAddress({ address: host, family: 'ipv6' }).address);
}
