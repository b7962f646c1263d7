import { isIPv4 } from 'node:net';
import type { Probe } from '../../check/outcome.ts';
import type { Condition, Instruction, Level, Location, Model, Server } from './model.ts';
import type { Pattern } from './pattern.ts';
import { samplesOf } from './sample-pattern.ts';
import type { Template } from './template.ts';

/** Requests for one target that differ in method, client, authorization, or in what conditions and maps look at. */
export function variationsOf(model: Model, server: Server, location: Location | null, base: Probe): Probe[] {
  const level: Level = location ?? server;
  const { access, realm, authRequest } = level.settings;
  const methods = ['POST', 'HEAD', 'DELETE', 'OPTIONS', ...(location?.limit?.methods ?? [])];
  const levels = [level, ...(location?.limit ? [location.limit.level] : [])];
  const rules = levels.flatMap(({ settings }) => settings.access);
  const needsLogin = levels.some(({ settings }) => settings.realm !== null || settings.authRequest !== null);
  const looksAtPassword = JSON.stringify([server.instructions, level.instructions]).includes('"http_authorization"');
  const needsPassword = needsLogin || realm !== null || authRequest !== null || looksAtPassword;
  const logins = needsPassword ? [{ ...base, authorized: false }] : [];
  const clients = [...new Set(rules.flatMap(({ network }) => clientsOf(network)))];
  const varied = [
    ...methods.map((method) => ({ ...base, method })),
    ...logins,
    ...clients.map((client) => ({ ...base, client })),
    ...(access.length > 0 ? logins.flatMap((probe) => clients.map((client) => ({ ...probe, client }))) : []),
  ];
  const instructions = [...server.instructions, ...level.instructions];
  const looks = [
    ...instructions.flatMap(looksOf),
    ...mapLooks(model, JSON.stringify([level.settings, level.handler, instructions])),
  ];
  return [
    ...varied,
    ...looks.flatMap(({ variable, values }) => values.flatMap((value) => withValue(base, variable, value))),
  ];
}

/** An address inside a network and one outside. */
function clientsOf(network: string): string[] {
  const [address = '', bits = '32'] = network.split('/');
  if (!isIPv4(address)) return address.includes(':') ? [address] : [];
  const first = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return [first, first + size].map((value) =>
    [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.'),
  );
}

/** A variable that something looks at, and values that make a difference. */
interface Look {
  readonly variable: string;
  readonly values: readonly string[];
}

function looksOf(instruction: Instruction): Look[] {
  if (instruction.kind !== 'if') return [];
  return [...conditionLooks(instruction.condition), ...instruction.then.flatMap(looksOf)];
}

function conditionLooks(condition: Condition): Look[] {
  if (condition.kind === 'opaque' || condition.kind === 'path') return [];
  const variable = soleVariable(condition.value);
  if (variable === null) return [];
  if (condition.kind === 'true') return [{ variable, values: ['1', '0', '00'] }];
  if (condition.kind === 'match') return [{ variable, values: [...samplesOf(condition.pattern), 'other'] }];
  const text = condition.to.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  return [{ variable, values: [text, 'other', text.toUpperCase()] }];
}

/** Of maps that a text mentions, and of maps that these mention. */
function mapLooks(model: Model, text: string, depth = 3): Look[] {
  return [...model.variables].flatMap(([name, source]) => {
    if (source.kind !== 'map' || !text.includes(`"${name}"`)) return [];
    const { map } = source;
    const inner = depth === 0 ? [] : mapLooks(model, JSON.stringify([map.source, [...map.exact]]), depth - 1);
    const variable = soleVariable(map.source);
    if (variable === null) return inner;
    const keys = [...map.exact.keys()].flatMap((key) => [key, key.toUpperCase(), key.replace(/^\*?\.|\.\*$/, 'sub.')]);
    const samples = map.patterns.flatMap(({ pattern }: { pattern: Pattern }) => samplesOf(pattern));
    const clients = map.networks.flatMap(({ network }) => clientsOf(network.text));
    return [{ variable, values: [...new Set([...keys, ...samples, ...clients, 'other', ''])] }, ...inner];
  });
}

function soleVariable(template: Template): string | null {
  const variables = template.flatMap((part) => (part.kind === 'variable' ? [part.name] : []));
  return variables.length === 1 ? (variables[0] as string) : null;
}

/** The probe with a value of a variable, where a client can choose it. */
function withValue(base: Probe, variable: string, value: string): Probe[] {
  if (/\p{Cc}/u.test(value)) return [];
  const target = base.target.replace(/\?.*/, '');
  const name = variable.slice(variable.indexOf('_') + 1);
  if (variable === 'host' || variable === 'http_host') return [{ ...base, fields: [['Host', value]] }];
  if (variable === 'request_method') return /^[A-Z]+$/.test(value) ? [{ ...base, method: value }] : [];
  if (variable === 'remote_addr') return isIPv4(value) ? [{ ...base, client: value }] : [];
  if (variable === 'args' || variable === 'query_string') return plainTarget(base, `${target}?${value}`);
  if (variable === 'request_uri' || variable === 'uri' || variable === 'document_uri')
    return value.startsWith('/') ? plainTarget(base, value) : [];
  if (variable.startsWith('arg_')) return plainTarget(base, `${target}?${name}=${value}`);
  if (variable.startsWith('cookie_')) return [{ ...base, fields: [...base.fields, ['Cookie', `${name}=${value}`]] }];
  if (!variable.startsWith('http_')) return [];
  return [{ ...base, fields: [...base.fields, [fieldName(name), value]] }];
}

function plainTarget(base: Probe, target: string): Probe[] {
  return /[\0-\x20\x7f-\xff]/.test(target) ? [] : [{ ...base, target }];
}

function fieldName(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('-');
}
