import { BlockList, isIP } from 'node:net';

/** A range of addresses, such as `10.0.0.0/8`, or a single address. */
export interface Network {
  readonly text: string;
  readonly prefixBits: number;
  contains(address: string): boolean;
}

/** Reads a network; null if the text is not valid. */
export function parseNetwork(text: string): Network | null {
  const [, address = '', written] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const bitsMax = family === 4 ? 32 : 128;
  const prefixBits = written === undefined ? bitsMax : Number(written);
  if (family === 0 || prefixBits > bitsMax) return null;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, prefixBits, type);
  return { text, prefixBits, contains: (client) => isIP(client) === family && list.check(client, type) };
}
