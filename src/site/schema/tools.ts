import * as z from 'zod';
import { readBytes, readDuration } from '../../config/units.ts';

/** A text of `pattern`; `means` says what it must be. */
export function text(pattern: RegExp, means: string) {
  return z.string(`must be ${means}`).regex(pattern, `must be ${means}`);
}

/** Any text but the empty one. */
export function words(means: string) {
  return z.string(`must be ${means}`).min(1, `must be ${means}`);
}

export function oneOf<const T extends readonly [string, ...string[]]>(choices: T) {
  return z.enum(choices, `must be ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`);
}

export function whole(min: number, max: number) {
  const means = `must be a whole number from ${min} to ${max}`;
  return z.int(means).min(min, means).max(max, means);
}

/** Milliseconds, or text with a unit: `500ms`, `30s`. */
export function duration(min = 0, max = 24 * 3_600_000) {
  return measured(readDuration, min, max, 'a time such as 500ms or 30s');
}

/** Bytes, or text with a unit: `64KiB`. */
export function bytes(min = 0, max = Number.MAX_SAFE_INTEGER) {
  return measured(readBytes, min, max, 'a size such as 65536 or 64KiB');
}

function measured(read: (text: string) => number | null, min: number, max: number, means: string) {
  return z.union([z.number(), z.string()], `must be ${means}`).transform((value, context): number => {
    const number = typeof value === 'number' ? value : read(value);
    if (number !== null && Number.isInteger(number) && number >= min && number <= max) return number;
    context.addIssue({ code: 'custom', message: `must be ${means}` });
    return z.NEVER;
  });
}

/** One of them, or an array. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.union([z.array(item), item]).transform((value): z.output<T>[] => {
    return (Array.isArray(value) ? value : [value]) as z.output<T>[];
  });
}

/** `true` for a feature as it is, `false` for none, or a table of its options. */
export function feature<T extends z.ZodObject>(options: T) {
  return z.union([z.boolean(), options]).transform((value): z.output<T> | null => {
    if (value === false) return null;
    return value === true ? (options.parse({}) as z.output<T>) : (value as z.output<T>);
  });
}
