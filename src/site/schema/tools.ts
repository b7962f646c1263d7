import * as z from 'zod';
import { formatBytes, formatDuration, missingUnit, readBytes, readDuration } from '../../config/units.ts';
import type { SchemaTools } from '../../handlers/schema-tools.ts';
import { takes } from './definition.ts';

/** zod would compile a function for each table, which takes longer than to read one configuration without. */
export const PARSING = { jitless: true };

/** The tools for schemas. Each tool has words for what a value must be, for messages and for docs/configuration.md. */
export const TOOLS: SchemaTools = {
  z: { literal: z.literal, union: z.union },
  ...{ feature, featureList, table, record, listOf, text, words, bool, oneOf, whole, duration, bytes, fields },
};

export function feature<T extends z.ZodRawShape>(options: T) {
  const { flag, all, defaults, required } = featureParts(options);
  const expected = defaults === undefined ? `false, or a table with ${required.join(', ')}` : 'true, false or a table';
  const schema = z
    .union([flag, all], { error: ({ input }) => `must be ${expected}${exampleFor(input, required)}` })
    .transform((value): z.output<typeof all> | null => {
      if (value === false) return null;
      return (value === true ? defaults : value) as z.output<typeof all>;
    });
  // The compiler does not know which of the two flags an option that is required leads to.
  return schema as ReturnType<SchemaTools['feature']> as ReturnType<typeof TOOLS.feature<T>>;
}

export function featureList<T extends z.ZodRawShape>(options: T) {
  const { flag, all, defaults, required } = featureParts(options);
  const expected =
    defaults === undefined
      ? `false, a table with ${required.join(', ')}, or a list of these`
      : 'true, false, a table or a list of tables';
  const schema = z
    .union([flag, all, z.array(all).min(1, `must be ${expected}`)], {
      error: ({ input }) => `must be ${expected}${exampleFor(input, required)}`,
    })
    .transform((value): z.output<typeof all>[] | null => {
      if (value === false) return null;
      return [value === true ? (defaults as z.output<typeof all>) : value].flat() as z.output<typeof all>[];
    });
  // as above
  return schema as ReturnType<SchemaTools['featureList']> as ReturnType<typeof TOOLS.featureList<T>>;
}

/** What says that a feature is on or off, and its table with the defaults. The defaults are undefined if an option is required. */
function featureParts<T extends z.ZodRawShape>(options: T) {
  const all = table(options);
  const { data: defaults, error } = all.safeParse({}, PARSING);
  const required = error?.issues.map(({ path }) => path.join('.')) ?? [];
  return { flag: defaults === undefined ? z.literal(false) : z.boolean(), all, defaults, required };
}

/** The table that was probably meant by a text or a number in its place; '' for any other value. */
function exampleFor(value: unknown, required: readonly string[]): string {
  if (required.length !== 1 || !['string', 'number'].includes(typeof value)) return '';
  return `: { ${required[0]} = ${JSON.stringify(value)} }`;
}

export function table<T extends z.ZodRawShape>(keys: T) {
  return z.strictObject(keys, 'must be a table');
}

export function tables<T extends z.ZodRawShape>(keys: T) {
  return z.array(table(keys), 'must be a list of tables');
}

export function record<T extends z.ZodType>(value: T) {
  return z.record(z.string(), value, 'must be a table');
}

/** The parsed item must not be an array, because the result could not tell it from a list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.union([z.array(item), item], { error: () => `must be ${takes(item)}, or a list` }).transform((value) => {
    return (Array.isArray(value) ? value : [value]) as z.output<T>[];
  });
}

export function text(pattern: RegExp, means: string) {
  return z.string(`must be ${means}`).regex(pattern, `must be ${means}`);
}

export function words(means: string) {
  return z.string(`must be ${means}`).min(1, `must be ${means}`);
}

export function bool() {
  return z.boolean('must be true or false');
}

export function oneOf<const T extends readonly [string, ...string[]]>(choices: T) {
  return z.enum(choices, `must be ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`);
}

export function whole(min: number, max: number) {
  const means = `must be a whole number from ${min} to ${max}`;
  return z.int(means).min(min, means).max(max, means);
}

export function decimal(min: number, max: number) {
  const means = `must be a number from ${min} to ${max}`;
  return z.number(means).min(min, means).max(max, means);
}

export function duration(min = 0, max = 24 * 3_600_000) {
  const means = `a time from ${formatDuration(min)} to ${formatDuration(max)}, such as 500ms or 30s`;
  return measured(readDuration, min, max, means, missingUnit);
}

export function bytes(min = 0, max = Number.MAX_SAFE_INTEGER) {
  const to = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${formatBytes(max)}`;
  return measured(readBytes, min, max, `a size from ${formatBytes(min)}${to}, such as 65536 or 64KiB`);
}

function measured(
  read: (text: string) => number | null,
  min: number,
  max: number,
  means: string,
  problemOf: (value: unknown) => string | null = () => null,
) {
  return z.union([z.number(), z.string()], `must be ${means}`).transform((value, context): number => {
    const number = typeof value === 'number' ? value : read(value);
    const problem = problemOf(value);
    if (problem === null && number !== null && Number.isInteger(number) && number >= min && number <= max)
      return number;
    context.addIssue({ code: 'custom', message: problem ?? `must be ${means}` });
    return z.NEVER;
  });
}

export function fields() {
  return record(z.union([z.string(), z.array(z.string())], 'must be a text, or an array of texts for several fields'));
}
