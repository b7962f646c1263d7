import { lookup } from 'node:dns/promises';
import type { Discovery, DiscoveryOptions } from './discovery.ts';
import { DnsClient } from './dns-client.ts';
import type { DnsRecord } from './dns-message.ts';
import { type Found, repeatedLookup } from './repeated-lookup.ts';

export interface DnsOptions extends DiscoveryOptions {
  readonly host: string;
  readonly port: number;
  /** Numeric addresses of DNS servers, with a port where it is not 53; null for those of the system. */
  readonly servers: readonly string[] | null;
  /** A TTL counts as no less and no more than this. */
  readonly minMs: number;
  readonly maxMs: number;
}

/** All addresses that a name has, looked up again when their TTL is over (RFC 1035). A name that DNS does not know, the system may, from its file of hosts. */
export function dnsDiscovery(options: DnsOptions): Discovery {
  const { host, port, servers, backendAt } = options;
  const client = new DnsClient(servers);
  return repeatedLookup({
    ...options,
    name: host,
    async look() {
      const [v4, v6] = await Promise.allSettled([client.ask(host, 'A'), client.ask(host, 'AAAA')]);
      if (v4.status === 'rejected' && v6.status === 'rejected' && servers !== null) throw v4.reason;
      const records = [v4, v6].flatMap((one) =>
        one.status === 'fulfilled' ? addressesOf(host, one.value.records) : [],
      );
      if (records.length === 0 && servers === null) return fromSystem(options);
      const ttlS = Math.min(...records.map(({ ttl }) => ttl));
      return {
        backends: [...new Set(records.map(({ data }) => data))].map((address) => backendAt(address, port)),
        ttlS: records.length === 0 ? 0 : ttlS,
      };
    },
  });
}

async function fromSystem({ host, port, backendAt, minMs }: DnsOptions): Promise<Found> {
  const addresses = await lookup(host, { all: true });
  return { backends: addresses.map(({ address }) => backendAt(address, port)), ttlS: Math.max(minMs / 1000, 10) };
}

/** Those that belong to `name`, also by way of another name that it stands for. */
export function addressesOf(name: string, records: readonly DnsRecord[]): readonly DnsRecord[] {
  const names = new Set([name.replace(/\.$/, '').toLowerCase()]);
  for (const { type, name: alias, data } of records) if (type === 'CNAME' && names.has(alias)) names.add(data);
  return records.filter(({ type, name: owner }) => (type === 'A' || type === 'AAAA') && names.has(owner));
}
