import { isIP } from 'node:net';
import type { Probe } from '../../check/outcome.ts';
import type { Address, Condition, Instruction, Level, Model, Server } from '../model/model.ts';
import { constantOf } from '../model/template.ts';
import { exampleOf } from './example-text.ts';
import { everyLocation, targetsOf } from './targets.ts';

const CLIENT = '192.0.2.7';
const UNKNOWN_HOST = 'unknown.invalid';

/** Requests at each boundary of a configuration: each address, server, name, location, method, client and field that decides something. */
export function* probesOf(model: Model): Generator<Probe> {
  for (const address of model.addresses) {
    for (const server of address.servers) {
      const hosts = hostsOf(server, address);
      const [main] = hosts;
      if (main === undefined) continue;
      const base: Probe = {
        address: address.address,
        secure: address.secure,
        client: address.address.startsWith('unix:') ? '' : CLIENT,
        authorized: false,
        method: 'GET',
        target: '/',
        fields: [['Host', main]],
      };
      for (const host of hosts.slice(1)) yield { ...base, target: '/other', fields: [['Host', host]] };
      const levels = levelsOf(server);
      const variants = variantsOf(levels);
      for (const target of targetsOf(server)) {
        yield { ...base, target };
        for (const vary of variants) yield vary({ ...base, target });
      }
    }
  }
}

/** A host for each name of a server at an address; an unknown one for the default server. */
function hostsOf(server: Server, { defaultServer }: Address): string[] {
  const named = server.names.flatMap((name) => {
    if (name.kind === 'pattern') return name.pattern.regex === null ? [] : (exampleOf(name.pattern.regex) ?? []);
    const text = name.name;
    if (text.startsWith('*.')) return [`sub${text.slice(1)}`];
    if (text.startsWith('.')) return [text.slice(1), `sub${text}`];
    return text.endsWith('.*') ? [`${text.slice(0, -1)}test`] : [text];
  });
  const usable = named.filter((host) => /^[\w.-]+$/.test(host) && host !== '_');
  return server === defaultServer ? [...usable, UNKNOWN_HOST] : usable;
}

/** A server and everything in it that can have settings. */
function levelsOf(server: Server): Level[] {
  const within = (level: Level): Level[] => [level, ...level.instructions.flatMap(levelsIn)];
  return [
    ...within(server),
    ...everyLocation(server.locations).flatMap((one) => [
      ...within(one),
      ...(one.limit === null ? [] : [one.limit.level]),
    ]),
  ];
}

function levelsIn(instruction: Instruction): Level[] {
  if (instruction.kind !== 'if') return [];
  return [...(instruction.level === null ? [] : [instruction.level]), ...instruction.then.flatMap(levelsIn)];
}

type Vary = (probe: Probe) => Probe;

/** The changes of a plain GET that can make a difference somewhere in these levels. */
function variantsOf(levels: readonly Level[]): Vary[] {
  const clients = new Set(
    levels.flatMap(({ settings }) => settings.access.flatMap(({ network }) => clientIn(network))),
  );
  const asks = levels.some(({ settings }) => settings.realm !== null || settings.authRequest !== null);
  const fields = new Map(levels.flatMap(sentFields).map((name) => [name.toLowerCase(), 'claimed']));
  for (const { name, value } of levels.flatMap(({ instructions }) => instructions.flatMap(comparedFields)))
    fields.set(name, value);
  const isOften = clients.size > 0 && asks;
  return [
    (probe) => ({ ...probe, method: 'POST' }),
    (probe) => ({ ...probe, method: 'DELETE' }),
    ...[...clients].map(
      (client): Vary =>
        (probe) => ({ ...probe, client }),
    ),
    ...(asks ? [(probe: Probe) => ({ ...probe, authorized: true })] : []),
    ...(isOften
      ? [...clients].map(
          (client): Vary =>
            (probe) => ({ ...probe, client, authorized: true }),
        )
      : []),
    ...[...fields].map(
      ([name, value]): Vary =>
        (probe) => ({
          ...probe,
          fields: [...probe.fields.filter(([one]) => one.toLowerCase() !== name), [name, value]],
        }),
    ),
  ];
}

/** An address in a network; none for words. */
function clientIn(network: string): string[] {
  const [address = ''] = network.split('/');
  return isIP(address) === 0 ? [] : [address.replace(/\.0$/, '.9')];
}

/** The names of fields that levels send to backends, which a client could claim. */
function sentFields({ settings }: Level): string[] {
  return [...settings.sent.proxy, ...settings.sent.grpc]
    .map(({ name }) => name)
    .filter((name) => !/^(?:host|connection|upgrade|te|content-.*|transfer-encoding|accept-encoding)$/i.test(name));
}

interface ComparedField {
  readonly name: string;
  readonly value: string;
}

/** Fields that `if` compares, with a value that meets the condition. */
function comparedFields(instruction: Instruction): ComparedField[] {
  if (instruction.kind !== 'if') return [];
  const own = fieldOf(instruction.condition);
  return [...(own === null ? [] : [own]), ...instruction.then.flatMap(comparedFields)];
}

function fieldOf(condition: Condition): ComparedField | null {
  if (condition.kind === 'opaque' || condition.kind === 'path') return null;
  const [part] = condition.value;
  if (part?.kind !== 'variable' || condition.value.length > 1) return null;
  const name = /^http_(\w+)$/.exec(part.name)?.[1]?.replaceAll('_', '-') ?? (part.name === 'host' ? 'host' : null);
  if (name === null) return null;
  if (condition.kind === 'true') return { name, value: '1' };
  const value = condition.kind === 'equal' ? constantOf(condition.to) : exampleFor(condition.pattern.regex);
  return value === null || value === '' ? null : { name, value };
}

function exampleFor(regex: RegExp | null): string | null {
  return regex === null ? null : exampleOf(regex);
}
