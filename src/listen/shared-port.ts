import { isIPv4 } from 'node:net';
import type { Address } from './address.ts';
import { numericAddress } from './numeric-address.ts';

/**
 * The address of all hosts, among `all`, whose listener also gets the connections to `address`; null if `address` is bound itself. An
 * operating system gives a port of all hosts, and the same port of one host, only to one listener.
 */
export function sharedWith(address: Address, all: readonly Address[]): Address | null {
  if (address.kind !== 'tcp' || address.port === 0) return null;
  const own = numericAddress(address.host);
  if (own === null || isEveryHost(own)) return null;
  const find = (host: string): Address | undefined =>
    all.find((one) => one.kind === 'tcp' && one.port === address.port && numericAddress(one.host) === host);
  // a listener of all IPv6 hosts takes IPv4 too, unless another one has it
  return (isIPv4(own) ? find('0.0.0.0') : undefined) ?? find('::') ?? null;
}

function isEveryHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
