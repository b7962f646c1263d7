import type { ImportReport } from '../import-report.ts';
import { hostPatternOf, isTail, patternsAt } from './host-patterns.ts';
import { textOf } from './model/bytes.ts';
import { chooseServer } from './model/choose-server.ts';
import type { Address, Model, Server, ServerName } from './model/model.ts';
import type { Directive } from './tree.ts';

/** Hosts and addresses of a server. Its routes are written for each place. */
export interface ServerPlace {
  /** Names and wildcards. Without any, and without patterns, all hosts that no other server has. */
  readonly hosts: readonly string[];
  /** Patterns for hosts. */
  readonly patterns: readonly string[];
  /** Addresses in the form of the setting `listen`; empty for all. */
  readonly listen: readonly string[];
  /** The routes of places with patterns are in this order. */
  readonly rank: number;
}

/** The addresses that are carried over, by the address in the model. */
export type Listening = ReadonlyMap<string, string>;

type Names = Omit<ServerPlace, 'listen'>;

/** The places of a server. An address where it is the default server takes all hosts that no other server has. */
export function placesOf(server: Server, model: Model, listening: Listening): ServerPlace[] {
  const addresses = model.addresses.filter((one) => listening.has(one.address) && one.servers.includes(server));
  const places = new Map<string, Names & { readonly listen: string[] }>();
  for (const address of addresses) {
    for (const names of namesAt(server, address)) {
      const key = JSON.stringify(names);
      const known = places.get(key) ?? { ...names, listen: [] };
      known.listen.push(listening.get(address.address) ?? '');
      places.set(key, known);
    }
  }
  return [...places.values()].map(({ listen, ...names }) => ({
    ...names,
    listen: listen.length === new Set(listening.values()).size ? [] : listen,
  }));
}

/** The addresses of a server where another one is the default server. */
export function elsewhere(server: Server, model: Model, listening: Listening): Address[] {
  return model.addresses.filter(
    ({ address, servers, defaultServer }) =>
      listening.has(address) && servers.includes(server) && defaultServer !== server,
  );
}

/** The hosts of a server at an address. */
function namesAt(server: Server, address: Address): Names[] {
  const all = patternsAt(address);
  const own = all.filter((one) => one.server === server);
  const hosts = [...new Set(server.names.flatMap(hostsOf).filter((host) => leadsTo(server, host, address)))];
  const [first = { patterns: [], rank: NO_RANK }, ...others] = own;
  const named = [{ hosts, ...first }, ...others.map((one) => ({ hosts: [], ...one }))]
    .filter((one) => one.hosts.length + one.patterns.length > 0)
    .map(({ hosts, patterns, rank }) => ({ hosts, patterns, rank }));
  if (address.defaultServer !== server) return named;
  const isCovered = all.length > own.length || hasWildcardOver(hosts, server, address);
  return [{ hosts: [], patterns: [], rank: NO_RANK }, ...(isCovered ? named : [])];
}

const NO_RANK = 1_000_000;

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
function hasWildcardOver(hosts: readonly string[], server: Server, { servers }: Address): boolean {
  const wildcards = servers
    .filter((one) => one !== server)
    .flatMap(({ names }) => names.flatMap(hostsOf))
    .filter((host) => host.startsWith('*.'));
  return hosts.some((host) => wildcards.some((wildcard) => host.endsWith(wildcard.slice(1))));
}

/** Reports the names that routes cannot have. `others` are the addresses where another server is the default one. */
export function tellNames(
  server: Server,
  directives: readonly Directive[],
  others: readonly Address[],
  report: ImportReport,
): void {
  for (const directive of directives) report.took(directive);
  const [directive] = directives;
  if (directive === undefined) return;
  for (const name of server.names) {
    if (name.kind === 'pattern' || isTail(name)) {
      const pattern = hostPatternOf(name);
      if ('wrong' in pattern) report.lost(directive, `${shown(name)}: ${pattern.wrong}`);
    } else if (name.name !== '' && hostsOf(name).length === 0 && others.length > 0) {
      const at = others.map(({ address }) => address).join(', ');
      report.lost(directive, `${shown(name)} is not a host: at ${at}, requests for it go to the default server`);
    }
  }
}

function shown(name: ServerName): string {
  return `"${textOf(name.kind === 'pattern' ? `~${name.pattern.source}` : name.name)}"`;
}
