import type { Directive } from '../tree.ts';
import type { Expires } from './model.ts';
import { parseTemplate } from './template.ts';

/** Reads `expires`. What depends on the time of the day or on the file's time is opaque. */
export function expiresOf(directive: Directive): Expires {
  const { args } = directive;
  const [value = ''] = args;
  if (args.length > 1 || value.startsWith('@')) return { kind: 'opaque', statement: directive };
  if (value.includes('$')) return { kind: 'template', value: parseTemplate(value), statement: directive };
  return expiresValue(value) ?? { kind: 'opaque', statement: directive };
}

/** `off`, `epoch`, `max` or a time, or null for anything else. */
export function expiresValue(value: string): Expires | null {
  if (value === 'off' || value === '') return { kind: 'off' };
  if (value === 'epoch') return { kind: 'value', cacheControl: 'no-cache' };
  if (value === 'max') return { kind: 'value', cacheControl: 'max-age=315360000' };
  const seconds = secondsOf(value.replace(/^[+-]/, ''));
  if (seconds === null) return null;
  const isPast = value.startsWith('-') && seconds > 0;
  return { kind: 'value', cacheControl: isPast ? 'no-cache' : `max-age=${seconds}` };
}

const UNITS: Readonly<Record<string, number>> = { y: 31_536_000, M: 2_592_000, w: 604_800, d: 86_400, h: 3600, m: 60 };

function secondsOf(time: string): number | null {
  if (!/^(?:\d+[yMwdhms] ?)*\d*$/.test(time) || time === '') return null;
  return [...time.matchAll(/(\d+)([yMwdhms]?)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 1),
    0,
  );
}
