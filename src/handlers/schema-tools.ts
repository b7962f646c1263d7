import type * as z from 'zod';

/**
 * The tools with which a feature describes its keys. Each key has a description, `.describe('…')`, for docs/configuration.md and for editors. If the default
 * cannot be written as a value, `.meta({ description, defaultText })` has it in words.
 *
 * What features need of zod is passed as a tool, because zod is loaded only if a configuration needs it. So the file of a handler imports at
 * most types of zod.
 */
export interface SchemaTools {
  readonly z: Pick<typeof z, 'literal' | 'union'>;
  /** `true` for the feature with its defaults, `false` for a feature that is off, or a table of options. A table with a required option excludes `true`. */
  feature<T extends z.ZodRawShape>(options: T): z.ZodType<Table<T> | null, Flag<TableInput<T>> | TableInput<T>>;
  /** As `feature`, or a list of these. Parsed it is always a list. */
  featureList<T extends z.ZodRawShape>(
    options: T,
  ): z.ZodType<Table<T>[] | null, Flag<TableInput<T>> | TableInput<T> | TableInput<T>[]>;
  /** A table with these keys and no others. */
  table<T extends z.ZodRawShape>(keys: T): z.ZodObject<T, z.core.$strict>;
  /** A table with any keys, whose values have the same schema. */
  record<T extends z.ZodType>(value: T): z.ZodRecord<z.ZodString, T>;
  /** One item, or an array of items. A parsed item must not be an array itself. */
  listOf<T extends z.ZodType>(item: T): z.ZodType<z.output<T>[], z.input<T>[] | z.input<T>>;
  /** A text that matches `pattern`. `means` completes the sentence "it must be …", here and below. */
  text(pattern: RegExp, means: string): z.ZodString;
  /** Any text except the empty text. */
  words(means: string): z.ZodString;
  bool(): z.ZodBoolean;
  oneOf<const T extends readonly [string, ...string[]]>(choices: T): z.ZodType<T[number], T[number]>;
  /** A whole number in this range. */
  whole(min: number, max: number): z.ZodType<number, number>;
  /** Milliseconds in this range, or a text with a unit: `500ms`, `30s`. */
  duration(min?: number, max?: number): z.ZodType<number, number | string>;
  /** Bytes in this range, or a text with a unit: `64KiB`. */
  bytes(min?: number, max?: number): z.ZodType<number, number | string>;
  /** A table of fields (headers) or parameters: each name has a text, or an array of texts for several fields. */
  fields(): z.ZodType<Fields, Fields>;
}

type Table<T extends z.ZodRawShape> = z.output<z.ZodObject<T, z.core.$strict>>;
type TableInput<T extends z.ZodRawShape> = z.input<z.ZodObject<T, z.core.$strict>>;
type Flag<Options> = Record<never, never> extends Options ? boolean : false;
type Fields = Record<string, string | string[]>;
