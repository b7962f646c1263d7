import { camelCase } from '../../config/setting.ts';
import type { CamelCaseKeys, UnknownKey } from '../../config/site-entries.ts';
import { isTable } from '../../config/toml.ts';
import { schemaAt, schemaInside, tableKeysOf } from './definition.ts';
import { siteSchema } from './site.ts';

/**
 * The keys of the site in TypeScript. The schema says which keys are Viaduct's. All others are names of users, such as those of headers, of applications and of
 * options of middleware.
 */
export const camelCaseKeys: CamelCaseKeys = {
  toFileKeys: (key, value, unknown) => converted(value, schemaAt(siteSchema, [key]), [camelCase(key)], unknown),
  fromFileKeys: (keys) =>
    keys.map((key, index) => {
      const known = tableKeysOf(schemaAt(siteSchema, keys.slice(0, index)));
      return known !== null && Object.hasOwn(known, key) ? camelCase(String(key)) : key;
    }),
};

function converted(value: unknown, schema: unknown, path: readonly PropertyKey[], unknown: UnknownKey[]): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => converted(item, schemaInside(schema, index), [...path, index], unknown));
  }
  const known = tableKeysOf(schema);
  if (!isTable(value) || (known === null && !isPlain(value))) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const fileKey = known === null ? key : Object.keys(known).find((candidate) => camelCase(candidate) === key);
    if (fileKey !== undefined)
      return [[fileKey, converted(inner, schemaInside(schema, fileKey), [...path, key], unknown)]];
    unknown.push({ keys: [...path, key], known: Object.keys(known ?? {}).map(camelCase) });
    return [];
  });
  return Object.fromEntries(entries);
}

/** Whether an object is a table of names, and not an instance such as a `Map` or a `URL`, which the schema refuses. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
