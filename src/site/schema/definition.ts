/** The part of a zod schema that describes its parts. */
export interface Definition {
  readonly error?: (issue: object) => string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly options?: readonly unknown[];
  readonly defaultValue?: unknown;
}

export function definitionOf(schema: unknown): Definition {
  return (schema as { readonly def?: Definition } | undefined)?.def ?? {};
}

/** The values that a schema takes, in words that follow "must be": from its own message, or from the schema inside it. */
export function takes(schema: unknown): string {
  const { error, innerType, in: input } = definitionOf(schema);
  if (error !== undefined) return error({}).replace(/^must be /, '');
  const inner = innerType ?? input;
  if (inner === undefined) throw new Error('a schema has no message');
  return takes(inner);
}

/** The first result of `pick` in a schema, or in the schemas inside its defaults, transformations and alternatives. */
export function pickWithin<T>(schema: unknown, pick: (definition: Definition) => T | undefined): T | undefined {
  const definition = definitionOf(schema);
  const picked = pick(definition);
  if (picked !== undefined) return picked;
  for (const inner of [definition.innerType, definition.in, ...(definition.options ?? [])]) {
    const below = inner === undefined ? undefined : pickWithin(inner, pick);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** The schemas of a table's keys; empty if the schema is not a table. */
export function keysOf(schema: unknown): Readonly<Record<string, unknown>> {
  return tableKeysOf(schema) ?? {};
}

/** The schemas of a table's keys; null if the schema is not a table with certain keys. */
export function tableKeysOf(schema: unknown): Readonly<Record<string, unknown>> | null {
  return pickWithin(schema, ({ shape }) => shape) ?? null;
}

/** The schema of a key of a table, or of an item of a list. */
export function schemaInside(schema: unknown, key: PropertyKey): unknown {
  const element = isIndex(key) ? pickWithin(schema, (definition) => definition.element) : undefined;
  return element ?? keysOf(schema)[String(key)] ?? pickWithin(schema, ({ valueType }) => valueType);
}

/** The schema of the value that `path` leads to, from the schema of the outermost table. */
export function schemaAt(outermost: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(schemaInside, outermost);
}

function isIndex(key: PropertyKey): boolean {
  return typeof key === 'number' || /^\d+$/.test(String(key));
}
