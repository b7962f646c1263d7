import type { ImportReport } from '../import-report.ts';
import { chooseServer } from './model/choose-server.ts';
import type { Address, Model, Server, ServerName } from './model/model.ts';
import type { Directive } from './tree.ts';

/** Hosts and addresses of a server. Its routes are written for each place. */
export interface ServerPlace {
  /** Empty for all hosts that no other server has. */
  readonly hosts: readonly string[];
  /** Addresses in the form of the setting `listen`; empty for all. */
  readonly listen: readonly string[];
}

/** The addresses that are carried over, by the address in the model. */
export type Listening = ReadonlyMap<string, string>;

/** The places of a server. An address where it is the default server takes all hosts that no other server has. */
export function placesOf(server: Server, model: Model, listening: Listening): ServerPlace[] {
  const addresses = model.addresses.filter((one) => listening.has(one.address) && one.servers.includes(server));
  const everywhere = addresses.filter(({ defaultServer }) => defaultServer === server);
  const byName = new Map<string, { hosts: string[]; listen: string[] }>();
  for (const address of addresses) {
    const hosts = server.names.flatMap(hostsOf).filter((host) => leadsTo(server, host, address));
    if (hosts.length === 0 || (everywhere.includes(address) && !isCovered(hosts, server, address))) continue;
    const known = byName.get(hosts.join(' ')) ?? { hosts: [...new Set(hosts)], listen: [] };
    known.listen.push(listening.get(address.address) ?? '');
    byName.set(hosts.join(' '), known);
  }
  const whole = { hosts: [], listen: everywhere.map(({ address }) => listening.get(address) ?? '') };
  return [...(everywhere.length > 0 ? [whole] : []), ...byName.values()].map(({ hosts, listen }) => ({
    hosts,
    listen: listen.length === new Set(listening.values()).size ? [] : listen,
  }));
}

/** A name in the form that routes use. `_` and the empty name are not hosts. */
export function hostsOf(name: ServerName): string[] {
  if (name.kind === 'pattern' || name.name === '_') return [];
  if (/^\.[\w.-]+$/.test(name.name)) return [name.name.slice(1), `*${name.name}`];
  return /^(?:\*\.)?[\w.-]*\w$/.test(name.name) ? [name.name] : [];
}

function leadsTo(server: Server, host: string, address: Address): boolean {
  try {
    return chooseServer(address, host.replace(/^\*/, 'x')).server === server;
  } catch {
    return false;
  }
}

/** Whether a wildcard of another server would take one of the hosts of the default server. */
function isCovered(hosts: readonly string[], server: Server, { servers }: Address): boolean {
  const wildcards = servers
    .filter((one) => one !== server)
    .flatMap(({ names }) => names.flatMap(hostsOf))
    .filter((host) => host.startsWith('*.'));
  return hosts.some((host) => wildcards.some((wildcard) => host.endsWith(wildcard.slice(1))));
}

/** Reports the names that routes cannot have. */
export function tellNames(directives: readonly Directive[], report: ImportReport): void {
  for (const directive of directives) {
    report.took(directive);
    for (const name of directive.args) {
      if (name.startsWith('~'))
        report.lost(directive, `"${name}": hosts cannot be regular expressions; list them, or use *.NAME`);
      else if (name.endsWith('.*')) report.lost(directive, `"${name}": a wildcard must come first`);
    }
  }
}
