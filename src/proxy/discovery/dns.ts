import { lookup } from 'node:dns/promises';
import type { Discovery, DiscoveryOptions } from './discovery.ts';
import { DnsClient } from './dns-client.ts';
import type { DnsRecord } from './dns-message.ts';
import { type LookupResult, repeatedLookup } from './repeated-lookup.ts';

export interface DnsOptions extends DiscoveryOptions {
  readonly host: string;
  readonly port: number;
  /** Numeric addresses of DNS servers, with a port other than 53 where needed; null for the servers of the system. */
  readonly servers: readonly string[] | null;
  /** Limits for the time until the next lookup, whatever the TTL. */
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Finds all addresses of a name, and looks them up again when their TTL expires (RFC 1035). For a name unknown to DNS,
 * the system resolver is queried, which also reads the hosts file.
 */
export function dnsDiscovery(options: DnsOptions): Discovery {
  const { host, port, servers, backendAt } = options;
  const client = new DnsClient(servers);
  return repeatedLookup({
    ...options,
    name: host,
    async lookUp() {
      const [v4, v6] = await Promise.allSettled([client.ask(host, 'A'), client.ask(host, 'AAAA')]);
      if (v4.status === 'rejected' && v6.status === 'rejected' && servers !== null) throw v4.reason;
      const records = [v4, v6].flatMap((result) =>
        result.status === 'fulfilled' ? addressesOf(host, result.value.records) : [],
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

async function fromSystem({ host, port, backendAt, minMs }: DnsOptions): Promise<LookupResult> {
  const addresses = await lookup(host, { all: true });
  return { backends: addresses.map(({ address }) => backendAt(address, port)), ttlS: Math.max(minMs / 1000, 10) };
}

/** The address records of `name`, including those of its CNAME aliases. */
export function addressesOf(name: string, records: readonly DnsRecord[]): readonly DnsRecord[] {
  const names = new Set([name.replace(/\.$/, '').toLowerCase()]);
  for (const { type, name: alias, data } of records) if (type === 'CNAME' && names.has(alias)) names.add(data);
  return records.filter(({ type, name: owner }) => (type === 'A' || type === 'AAAA') && names.has(owner));
}
