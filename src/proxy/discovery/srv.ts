import type { Backend } from '../backend.ts';
import type { Discovery, DiscoveryOptions } from './discovery.ts';
import { addressesOf } from './dns.ts';
import { DnsClient } from './dns-client.ts';
import type { DnsRecord } from './dns-message.ts';
import { repeatedLookup } from './repeated-lookup.ts';

export interface SrvOptions extends DiscoveryOptions {
  /** `_http._tcp.app.service.consul` */
  readonly name: string;
  readonly servers: readonly string[] | null;
  readonly minMs: number;
  readonly maxMs: number;
}

const WEIGHT_MAX = 100;

/**
 * Finds the hosts and ports of a service from SRV records (RFC 2782), such as those of Consul, Nomad and headless
 * Kubernetes services. Hosts of the lowest priority value are primaries, the others are backups. Weights are scaled to
 * at most 100, and a weight of 0 counts as 1.
 */
export function srvDiscovery(options: SrvOptions): Discovery {
  const { name, servers } = options;
  const client = new DnsClient(servers);
  return repeatedLookup({
    ...options,
    async lookUp() {
      const { records } = await client.ask(name, 'SRV');
      // A target of "." means that the service is not available at this domain.
      const services = records.filter(({ type, data }) => type === 'SRV' && data !== '');
      const results = await Promise.all(
        services.map((service) => backendsOf(client, service, services, records, options)),
      );
      return {
        backends: results.flatMap(({ backends }) => backends),
        ttlS: Math.min(Number.MAX_SAFE_INTEGER, ...results.map(({ ttlS }) => ttlS)),
      };
    },
  });
}

async function backendsOf(
  client: DnsClient,
  service: DnsRecord,
  all: readonly DnsRecord[],
  known: readonly DnsRecord[],
  { backendAt }: SrvOptions,
): Promise<{ backends: Backend[]; ttlS: number }> {
  const { data: host, port, priority, weight, ttl } = service;
  let addresses = addressesOf(host, known);
  if (addresses.length === 0) {
    const answers = await Promise.all([client.ask(host, 'A'), client.ask(host, 'AAAA')]);
    addresses = answers.flatMap(({ records }) => addressesOf(host, records));
  }
  const backup = priority > Math.min(...all.map((record) => record.priority));
  const heaviest = Math.max(...all.map((record) => record.weight), 1);
  const share = heaviest <= WEIGHT_MAX ? weight : Math.round((weight / heaviest) * WEIGHT_MAX);
  const backends = addresses.map(({ data }) => ({ ...backendAt(data, port), weight: Math.max(1, share), backup }));
  return { backends, ttlS: Math.min(ttl, ...addresses.map((address) => address.ttl)) };
}
