import type { ConfigBuilder } from '../config-builder.ts';
import { isTarget } from './forms.ts';

/** Whether `text` can be the target of a redirect or a rewrite. If it is a map, each text of the map must be one. */
export function leadsSomewhere(text: string, builder: ConfigBuilder): boolean {
  if (!isTarget(text)) return false;
  const name = /^\{map\.([\w-]+)\}$/.exec(text)?.[1];
  return name === undefined || textsOf(builder.table('map').table(name)).every((one) => one === '' || isTarget(one));
}

function textsOf(map: ConfigBuilder): string[] {
  const { values = {}, hosts = {}, ranges = {}, pattern = [], default: otherwise = '' } = map.plain() as MapTable;
  const exact = [values, hosts, ranges].flatMap((table) => Object.values(table));
  return [...exact, ...pattern.map(({ value }) => value), otherwise];
}

interface MapTable {
  readonly values?: Readonly<Record<string, string>>;
  readonly hosts?: Readonly<Record<string, string>>;
  readonly ranges?: Readonly<Record<string, string>>;
  readonly pattern?: readonly { readonly value: string }[];
  readonly default?: string;
}
