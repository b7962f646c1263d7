import type { Probe } from '../../check/outcome.ts';
import type { Location, Model, Server } from '../model/model.ts';
import { type ProbeOptions, probesOf } from '../model/probes.ts';

/**
 * The probes that say something about a configuration. Unusual spellings of paths and hosts, which Viaduct
 * reads in one way for every site, are left out.
 */
export function chosenProbes(model: Model, options: Pick<ProbeOptions, 'client'> = {}): Probe[] {
  const anyHost = hasOddNames(model);
  const comparing = serversComparingMethods(model);
  const methods = comparing.size === 0 ? PLAIN_METHODS : OTHER_METHODS;
  return probesOf(model, options, (probe, server) => {
    if (!isPlain(probe)) return false;
    if (server !== null && !comparing.has(server) && !methods.has(probe.method)) return false;
    return anyHost || PLAIN_HOST.test(probe.fields[0]?.[1] ?? '');
  });
}

/** Where nothing looks at the method, two are enough. */
const PLAIN_METHODS: ReadonlySet<string> = new Set(['GET', 'POST']);
/** Where only other servers look at it, HEAD is as GET, and DELETE stands for the rest. */
const OTHER_METHODS: ReadonlySet<string> = new Set([...PLAIN_METHODS, 'DELETE']);
/** Without a port and in lower case. */
const PLAIN_HOST = /^[a-z0-9_.-]+$/;

/** The servers where something looks at the method. Every server may use a map. */
function serversComparingMethods({ servers, variables }: Model): ReadonlySet<Server> {
  const looks = (parts: unknown): boolean => JSON.stringify(parts).includes('"request_method"');
  const maps = [...variables.values()].flatMap((source) => (source.kind === 'map' ? [source.map.source] : []));
  if (looks(maps)) return new Set(servers);
  return new Set(
    servers.filter(({ settings, instructions, locations }) => {
      return looks([settings, instructions, locations]) || everyLocation(locations).some(({ limit }) => limit !== null);
    }),
  );
}

/** Whether names depend on more than a host in lower case. */
function hasOddNames({ servers }: Model): boolean {
  return servers.some(({ names }) => names.some((name) => name.kind === 'pattern'));
}

function everyLocation(locations: readonly Location[]): Location[] {
  return locations.flatMap((one) => [one, ...everyLocation(one.locations)]);
}

function isPlain({ target, fields }: Probe): boolean {
  const hosts = fields.filter(([name]) => name === 'Host').map(([, value]) => value);
  const isTarget = /^\/[^#]*$/.test(target) && !/\/\/|\/\.(?!well-known)|%/.test(target);
  return isTarget && hosts.length === 1 && hosts.every((host) => /^(?:[\w-]+\.)*[\w-]+(?::\d+)?$/.test(host));
}
