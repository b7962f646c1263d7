import type { Probe } from '../../check/outcome.ts';
import type { Location, Model, Server, Settings } from '../model/model.ts';
import { probesOf } from '../model/probes.ts';

/**
 * The probes that say something about a configuration. Unusual spellings of paths and hosts, which Viaduct
 * reads in one way for every site, are left out. Others are added:
 * for each field that a backend gets, one of a client that claims it.
 */
export function chosenProbes(model: Model): Probe[] {
  const plain = probesOf(model).filter(isPlain);
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
    return method === 'GET' && client === first.client && fields.length === 1 && !target.includes('?');
  });
  return [...plain, ...places.map((probe) => ({ ...probe, fields: [...probe.fields, ...claimed] }))];
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
