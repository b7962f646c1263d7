import type { Probe } from '../../check/outcome.ts';
import { bytesOf } from './bytes.ts';
import { chooseServer } from './choose-server.ts';
import type { Address, Location, Model, Server, ServerName } from './model.ts';
import { targetsOf } from './probe-targets.ts';
import { variationsOf } from './probe-variations.ts';
import { samplesOf } from './sample-pattern.ts';

export interface ProbeOptions {
  /** The client that no rule names. */
  readonly client?: string;
  /** Paths of files below the roots, to be asked of each server. */
  readonly paths?: readonly string[];
}

/** A host that no server names. */
const STRANGER = 'unmatched.invalid';

/**
 * Requests at each boundary of a configuration: addresses, names, locations, patterns, methods, clients and conditions. Those that `isWanted`
 * refuses are left out. It gets the server that a probe is for, or null for a probe of a name.
 */
export function probesOf(
  model: Model,
  { client = '203.0.113.9', paths = [] }: ProbeOptions = {},
  isWanted: (probe: Probe, server: Server | null) => boolean = () => true,
): Probe[] {
  const probes = model.addresses.flatMap((address) => {
    return probesAt(model, address, client, paths).flatMap(([server, all]) => {
      return all.filter((probe) => isWanted(probe, server));
    });
  });
  return [...new Map(probes.map((probe) => [JSON.stringify(probe), probe])).values()];
}

/** Probes for names, and those for each server that requests can reach. */
function probesAt(
  model: Model,
  address: Address,
  client: string,
  paths: readonly string[],
): (readonly [server: Server | null, probes: readonly Probe[]])[] {
  const base: Probe = {
    address: address.address,
    secure: address.secure,
    client,
    authorized: true,
    method: 'GET',
    target: '/',
    fields: [['Host', STRANGER]],
  };
  const hosts = new Set(address.servers.flatMap(({ names }) => names.flatMap(hostsOf)));
  const plain = [...hosts].filter(isPlain);
  const names = [...hosts, STRANGER, '', 'a..b', 'UNMATCHED.INVALID:99'].map((host) => withHost(base, host));
  const repeated = [...base.fields, ['X_A', '1'], ['X-A', '2'], ['X-A', '3']] as const;
  const odd: Probe[] = [
    { ...base, fields: [] },
    { ...base, fields: repeated },
    { ...base, fields: [...base.fields, ...base.fields] },
    ...(address.secure ? [{ ...base, secure: false }] : []),
  ];
  const inside = address.servers.flatMap((server) => {
    const host = reachingHost(address, server, plain);
    return host === null ? [] : [[server, probesOfServer(model, server, withHost(base, host), paths)] as const];
  });
  return [[null, [...names, ...odd]], ...inside];
}

function withHost(probe: Probe, host: string): Probe {
  return { ...probe, fields: [['Host', host]] };
}

/** Hosts at the boundary of a name. */
function hostsOf(name: ServerName): string[] {
  if (name.kind === 'pattern') return samplesOf(name.pattern);
  const { name: text } = name;
  if (text === '') return [];
  const bare = text.replace(/^\*?\./, '').replace(/\.\*$/, '');
  const upper = bare.toUpperCase();
  return [bare, upper, `${bare}.`, `${bare}:8080`, `sub.${bare}`, `a.sub.${bare}`, `${bare}.test`, `x${bare}`];
}

/** A host with which requests reach this server, or null if others have all of its names. */
function reachingHost(address: Address, server: Server, hosts: readonly string[]): string | null {
  const isOwn = (host: string): boolean => leadsTo(address, server, host);
  return server.names.flatMap(hostsOf).filter(isPlain).find(isOwn) ?? [...hosts, STRANGER].find(isOwn) ?? null;
}

/** Without port and final dot, in lower case. */
function isPlain(host: string): boolean {
  return /^[^:]*[^:.]$/.test(host) && host === host.toLowerCase();
}

function leadsTo(address: Address, server: Server, host: string): boolean {
  try {
    return chooseServer(address, host).server === server;
  } catch {
    return false;
  }
}

function probesOfServer(model: Model, server: Server, base: Probe, paths: readonly string[]): Probe[] {
  const targets = targetsOf(server, paths.map(bytesOf));
  const places: readonly (readonly [Location | null, string])[] = [[null, '/'], ...targets.mains];
  const variations = places.flatMap(([location, target]) => variationsOf(model, server, location, { ...base, target }));
  return [...targets.all.map((target) => ({ ...base, target })), ...variations];
}
