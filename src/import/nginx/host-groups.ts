import type { ConfigBuilder } from '../config-builder.ts';
import type { HostGroups, NginxContext } from './context.ts';
import { hostPatternOf } from './host-patterns.ts';
import { textOf } from './model/bytes.ts';
import type { Model, Server, ServerName } from './model/model.ts';
import type { Directive } from './tree.ts';

/**
 * Writes a map for each group of the patterns in a `server_name`, from the host to what the group matched. A name that
 * is not a pattern wins over patterns, and gives the groups no value.
 */
export function writeHostGroups(
  model: Model,
  builder: ConfigBuilder,
  maps: ReadonlySet<string>,
): ReadonlyMap<Server, HostGroups> {
  const taken = new Set(maps);
  return new Map(model.servers.map((server) => [server, writeGroups(server, builder, taken)]));
}

function writeGroups({ names, statement }: Server, builder: ConfigBuilder, taken: Set<string>): HostGroups {
  const found = new Map<string, { readonly pattern: string; readonly value: string }[]>();
  for (const name of names) {
    const pattern = name.kind === 'pattern' ? hostPatternOf(name) : null;
    if (pattern === null || 'wrong' in pattern) continue;
    for (const [index, group] of pattern.groups.entries())
      for (const key of new Set([`${index + 1}`, group]))
        if (key !== '')
          found.set(key, [...(found.get(key) ?? []), { pattern: pattern.source, value: `{${index + 1}}` }]);
  }
  const [hosts, tails] = plainNames(names);
  const placeholders = new Map<string, string>();
  for (const [key, patterns] of found) {
    const name = freeName(`host_${key}`, taken);
    const table = builder.table('map').table(name);
    table.assume('source', '{hostname}', '');
    if (hosts.length > 0) table.assume('hosts', Object.fromEntries(hosts.map((host) => [host, ''])), '');
    table.set('pattern', [...tails.map((pattern) => ({ pattern, value: '' })), ...patterns], statement as Directive);
    placeholders.set(key, `{map.${name}}`);
  }
  return placeholders;
}

/** The names that are not patterns, as hosts of a map, and those with a `*` at the end, as patterns. */
function plainNames(names: readonly ServerName[]): [hosts: string[], tails: string[]] {
  const hosts: string[] = [];
  const tails: string[] = [];
  for (const name of names) {
    if (name.kind === 'pattern' || name.name === '') continue;
    const text = textOf(name.name);
    const tail = text.endsWith('.*') ? hostPatternOf(name) : null;
    if (tail !== null && !('wrong' in tail)) tails.push(tail.source);
    else if (tail === null) hosts.push(...(text.startsWith('.') ? [text.slice(1), `*${text}`] : [text]));
  }
  return [hosts.filter((host) => HOST.test(host)), tails];
}

/** What the key of a map for hosts can be. */
const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count += 1) free = `${name}_${count}`;
  taken.add(free);
  return free;
}

/** Removes the maps that no text reads. */
export function dropUnusedGroups({ builder, hostGroups }: NginxContext): void {
  const placeholders = [...hostGroups.values()].flatMap((groups) => [...groups.values()]);
  if (placeholders.length === 0) return;
  const text = JSON.stringify(builder.plain());
  const { tables } = builder.table('map');
  for (const placeholder of placeholders) {
    if (!text.includes(placeholder)) tables.delete(placeholder.slice('{map.'.length, -1));
  }
}
