import type { Probe } from '../../check/outcome.ts';
import type { Location, Model, Server, Settings } from '../model/model.ts';
import { type ProbeOptions, probesOf } from '../model/probes.ts';

/**
 * The probes that say something about a configuration. Unusual spellings of paths and hosts, which Viaduct
 * reads in one way for every site, are left out. Others are added:
 * for each field that a backend gets, one of a client that claims it.
 */
export function chosenProbes(model: Model, options: Pick<ProbeOptions, 'client'> = {}): Probe[] {
  const methods = comparesMethods(model) ? null : PLAIN_METHODS;
  const anyHost = hasOddNames(model);
  const plain = probesOf(model, options, (probe) => {
    if (!isPlain(probe) || methods?.has(probe.method) === false) return false;
    return anyHost || PLAIN_HOST.test(probe.fields[0]?.[1] ?? '');
  });
  const claims = new Map(
    model.servers
      .flatMap(levelsOf)
      .flatMap(sentFields)
      .map((name) => [name.toLowerCase(), name]),
  );
  const [first] = plain;
  const claimed = [...claims.values()].map((name): readonly [string, string] => [name, 'claimed']);
  if (first === undefined || claimed.length === 0) return plain;
  const places = plain.filter(({ method, client, target, fields }) => {
    return method === 'GET' && client === first.client && fields.length === 1 && /^[^?]*[/\w]$/.test(target);
  });
  return [...plain, ...places.map((probe) => ({ ...probe, fields: [...probe.fields, ...claimed] }))];
}

/** Where nothing looks at the method, two are enough. */
const PLAIN_METHODS: ReadonlySet<string> = new Set(['GET', 'POST']);
/** Without a port and in lower case. */
const PLAIN_HOST = /^[a-z0-9_.-]+$/;

function comparesMethods(model: Model): boolean {
  const text = JSON.stringify(model.servers.map(({ instructions, locations }) => [instructions, locations]));
  return (
    text.includes('"request_method"') ||
    model.servers.some(({ locations }) => everyLocation(locations).some(({ limit }) => limit !== null))
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

function levelsOf(server: Server): Settings[] {
  const within = (locations: readonly Location[]): Settings[] =>
    locations.flatMap(({ settings, locations: inner }) => [settings, ...within(inner)]);
  return [server.settings, ...within(server.locations)];
}

/** The names of fields that a backend gets, apart from those that each server writes itself. */
function sentFields({ sent }: Settings): string[] {
  return [...sent.proxy, ...sent.grpc].map(({ name }) => name).filter((name) => !OWN.test(name));
}

const OWN = /^(?:host|connection|upgrade|te|expect|content-.*|transfer-encoding|accept-encoding|keep-alive)$/i;
