import type { ConfigBuilder } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import { hostPatternOf } from './host-patterns.ts';
import type { Model } from './model/model.ts';
import type { Directive } from './tree.ts';

/**
 * Writes a map for each group of the patterns in `server_name`, from the host to what the group matched. Returns the placeholders that read the maps, by the
 * name or the number of the group.
 */
export function writeHostGroups(
  model: Model,
  builder: ConfigBuilder,
  maps: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const found = new Map<string, { readonly pattern: string; readonly value: string }[]>();
  const from = new Map<string, Directive[]>();
  for (const { names, statement } of model.servers) {
    for (const name of names) {
      const pattern = name.kind === 'pattern' ? hostPatternOf(name) : null;
      if (pattern === null || 'wrong' in pattern) continue;
      const keys = pattern.groups.flatMap((group, index) => [
        [`${index + 1}`, index + 1] as const,
        [group, index + 1] as const,
      ]);
      for (const [key, index] of keys) {
        if (key === '') continue;
        found.set(key, [...(found.get(key) ?? []), { pattern: pattern.source, value: `{${index}}` }]);
        from.set(key, [...(from.get(key) ?? []), statement as Directive]);
      }
    }
  }
  const placeholders = new Map<string, string>();
  for (const [key, patterns] of found) {
    const name = `host_${key}`;
    if (maps.has(name)) continue;
    const table = builder.table('map').table(name);
    table.assume('source', '{hostname}', '');
    table.set('pattern', patterns, ...(from.get(key) ?? []));
    placeholders.set(key, `{map.${name}}`);
  }
  return placeholders;
}

/** Removes the maps that no text reads. */
export function dropUnusedGroups({ builder, hostGroups }: NginxContext): void {
  if (hostGroups.size === 0) return;
  const text = JSON.stringify(builder.plain());
  const { tables } = builder.table('map');
  for (const placeholder of hostGroups.values()) {
    if (!text.includes(placeholder)) tables.delete(placeholder.slice('{map.'.length, -1));
  }
}
