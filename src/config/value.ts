import { resolve } from 'node:path';
import type { Setting } from './settings.ts';

export type Raw = string | number | boolean | readonly unknown[] | unknown;

/** A value, or what is wrong with it: the end of a sentence that begins "it must be". */
export type Parsed = { readonly value: unknown } | { readonly wanted: string };

/** Reads a value of a setting, from text or from TOML. Relative paths count from `base`. */
export function parseValue(setting: Setting, raw: Raw, base: string): Parsed {
  switch (setting.kind) {
    case 'integer':
      return inRange(
        setting,
        typeof raw === 'string' && /^[+-]?\d+$/.test(raw) ? Number(raw) : raw,
        wholeNumber(setting),
      );
    case 'bytes':
      return inRange(setting, withUnit(raw, BYTES), `a size ${range(setting)}, such as 65536 or "64KiB"`);
    case 'duration':
      return inRange(setting, withUnit(raw, MILLISECONDS), `a time ${range(setting)} ms, such as 30000 or "30s"`);
    case 'boolean':
      return parseBoolean(raw);
    case 'choice':
      return typeof raw === 'string' && setting.choices.includes(raw)
        ? { value: raw }
        : { wanted: `one of ${setting.choices.join(', ')}` };
    case 'path':
      return typeof raw === 'string' && raw !== '' ? { value: resolve(base, raw) } : { wanted: 'a path' };
    case 'list':
      return parseList(setting, raw, base);
  }
}

type Numeric = Extract<Setting, { kind: 'integer' | 'bytes' | 'duration' }>;

function inRange(setting: Numeric, value: unknown, wanted: string): Parsed {
  const whole = typeof value === 'number' && Number.isSafeInteger(value);
  return whole && value >= setting.min && value <= setting.max ? { value } : { wanted };
}

function wholeNumber(setting: Numeric): string {
  return `a whole number ${range(setting)}`;
}

function range(setting: Numeric): string {
  return `from ${setting.min} to ${setting.max}`;
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

const MILLISECONDS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function withUnit(raw: unknown, units: Readonly<Record<string, number>>): unknown {
  if (typeof raw !== 'string') return raw;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(raw);
  const unit = units[(match?.[2] ?? '?').toLowerCase()];
  return match === null || unit === undefined ? raw : Math.round(Number(match[1]) * unit);
}

function parseBoolean(raw: unknown): Parsed {
  const text = String(raw).toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(text)) return { value: true };
  if (['false', '0', 'no', 'off'].includes(text)) return { value: false };
  return { wanted: 'true or false' };
}

function parseList(setting: Extract<Setting, { kind: 'list' }>, raw: unknown, base: string): Parsed {
  const items = Array.isArray(raw)
    ? raw
    : typeof raw === 'string'
      ? raw.split(',')
      : typeof raw === 'number'
        ? [raw]
        : null;
  if (items === null) return { wanted: 'text or a list of texts' };
  const values: string[] = [];
  for (const item of items) {
    const text = String(item).trim();
    const value = setting.item === 'mount' ? parseMount(text, base) : parseAddressText(text);
    if (value === null) return { wanted: setting.item === 'mount' ? '/url/=DIR' : ADDRESS_FORMS };
    values.push(value);
  }
  return { value: values };
}

const ADDRESS_FORMS = '8000, HOST:PORT, [::1]:PORT, unix:PATH or fd:3';

function parseAddressText(text: string): string | null {
  const port = /^(?:\[[0-9A-Fa-f:.]+\]:|[^:\s[\]]*:)?(\d{1,5})$/.exec(text);
  if (port !== null) return Number(port[1]) <= 65535 ? text : null;
  return /^(unix:.+|fd:\d+)$/.test(text) ? text : null;
}

/** Returns `/url/=/absolute/directory`. */
function parseMount(text: string, base: string): string | null {
  const match = /^(\/[^=]*)=(.+)$/.exec(text);
  if (match === null) return null;
  const url = match[1] as string;
  return `${url.endsWith('/') ? url : `${url}/`}=${resolve(base, match[2] as string)}`;
}
