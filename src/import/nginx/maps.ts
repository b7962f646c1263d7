import type { ConfigBuilder } from '../config-builder.ts';
import type { ImportReport } from '../import-report.ts';
import { expressionOf } from './expression.ts';
import { textOf } from './model/bytes.ts';
import { NO_ADDRESS } from './model/maps.ts';
import type { Model, VariableMap } from './model/model.ts';
import { fill } from './placeholders.ts';
import type { Directive } from './tree.ts';

/** The parts of a map as `[map.NAME]` has them. */
interface WrittenMap {
  readonly source: string;
  readonly values: Readonly<Record<string, string>>;
  readonly hosts: Readonly<Record<string, string>>;
  readonly ranges: Readonly<Record<string, string>>;
  readonly patterns: readonly { readonly pattern: string; readonly value: string }[];
  readonly otherwise: string;
}

/** Carries over the maps whose source and texts have counterparts. Returns their names. */
export function writeMaps(model: Model, builder: ConfigBuilder, report: ImportReport): ReadonlySet<string> {
  const maps = [...model.variables].flatMap(([name, source]) =>
    source.kind === 'map' ? [{ name, map: source.map, directive: source.map.statement as Directive }] : [],
  );
  for (const source of model.variables.values())
    if (source.kind === 'opaque' && (source.statement as Directive).name === 'geo')
      report.lost(source.statement, 'only networks have a counterpart; viaduct.config.ts can compute values');
  const names = new Set(maps.map(({ name }) => name));
  // a map that needs one without a counterpart has none either
  for (let count = -1; count !== names.size; ) {
    count = names.size;
    for (const { name, map, directive } of maps) {
      const read = names.has(name) ? readMap(name, map, names) : null;
      if (typeof read !== 'string') continue;
      names.delete(name);
      report.lost(directive, read);
    }
  }
  for (const { name, map, directive } of maps) {
    const read = names.has(name) ? readMap(name, map, names) : null;
    if (read !== null && typeof read !== 'string') write(builder.table('map').table(name), read, directive);
  }
  return names;
}

/** Returns the map, or why it has no counterpart. */
function readMap(name: string, map: VariableMap, names: ReadonlySet<string>): WrittenMap | string {
  if (!/^\w+$/.test(name)) return 'it names no variable';
  if (map.source.every(({ kind }) => kind === 'text')) return 'its source is not a variable';
  const keys = [...map.exact.keys()].map(textOf);
  const odd = map.hostnames ? keys.find((key) => !HOST_KEY.test(key)) : undefined;
  if (odd !== undefined) return `"${odd}" has no counterpart: a host is NAME or *.NAME`;
  const expressions = map.patterns.map(({ pattern }) => {
    return expressionOf(textOf(pattern.source), pattern.regex?.ignoreCase === true);
  });
  const texts = [
    fill(map.source, { maps: names, isDecoded: true }),
    ...[...map.exact.values()].map((value) => fill(value, { maps: names })),
    ...map.patterns.map(({ value }, index) => {
      const expression = expressions[index];
      const groups = expression !== undefined && 'groups' in expression ? expression.groups : [];
      return fill(value, { maps: names, groups });
    }),
    ...map.networks.map(({ value }) => fill(value, { maps: names })),
    fill(map.otherwise, { maps: names }),
  ];
  for (const one of texts) if ('unknown' in one) return `${one.unknown} has no counterpart`;
  for (const one of expressions) if ('wrong' in one) return one.wrong;
  const textAt = (index: number): string => {
    const text = texts.at(index);
    return text !== undefined && 'text' in text ? text.text : '';
  };
  const first = 1 + map.exact.size;
  const firstRange = first + expressions.length;
  return {
    source: textAt(0),
    values: map.hostnames ? {} : Object.fromEntries(keys.map((key, index) => [key, textAt(index + 1)])),
    hosts: map.hostnames ? hostsOf(keys, (index) => textAt(index + 1)) : {},
    ranges: rangesOf(map, (index) => textAt(firstRange + index)),
    patterns: expressions.map((one, index) => ({
      pattern: 'source' in one ? one.source : '',
      value: textAt(first + index),
    })),
    otherwise: textAt(-1),
  };
}

/** Names, also with a dot at the start for a name and all below it. */
const HOST_KEY = /^(?:\*?\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** A name with a dot at its start is two hosts. An exact name of the map wins over it. */
function hostsOf(keys: readonly string[], textAt: (index: number) => string): Record<string, string> {
  const hosts = new Map<string, string>();
  for (const [index, key] of keys.entries())
    for (const host of key.startsWith('.') ? [key.slice(1), `*${key}`] : [key])
      if (host === key || !keys.includes(host)) hosts.set(host, textAt(index));
  return Object.fromEntries(hosts);
}

/** nginx looks up an address for clients of Unix sockets, too. */
function rangesOf({ networks }: VariableMap, textAt: (index: number) => string): Record<string, string> {
  const ranges = Object.fromEntries(networks.map(({ network }, index) => [network.text, textAt(index)]));
  const unix = networks.findIndex(({ network }) => network.contains(NO_ADDRESS));
  return unix < 0 ? ranges : { ...ranges, unix: textAt(unix) };
}

function write(
  table: ConfigBuilder,
  { source, values, hosts, ranges, patterns, otherwise }: WrittenMap,
  from: Directive,
): void {
  table.set('source', source, from);
  if (Object.keys(values).length > 0) table.set('values', values, from);
  if (Object.keys(values).some((key) => /[a-z]/.test(key))) table.set('caseless', true, from);
  if (Object.keys(hosts).length > 0) table.set('hosts', hosts, from);
  if (Object.keys(ranges).length > 0) table.set('ranges', ranges, from);
  if (patterns.length > 0) table.set('pattern', patterns, from);
  if (otherwise !== '') table.set('default', otherwise, from);
}
