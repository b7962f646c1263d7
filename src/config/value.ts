import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatMiddleware, MIDDLEWARE_TAKES, type MiddlewareEntry, parseMiddleware } from './middleware.ts';
import type { Setting } from './setting.ts';
import { formatBytes, formatDuration, readBytes, readDuration } from './units.ts';

/** A value, or what is wrong with it: the end of a sentence that begins with "it". */
export type Parsed = { readonly value: unknown } | { readonly wrong: string };

/** Files below `directories` (absolute, searched in order) are served below `urlPrefix`, which begins and ends with a slash. */
export interface Mount {
  readonly urlPrefix: string;
  readonly directories: readonly string[];
}

/**
 * Reads one value of a setting, or one item of a list.
 *
 * @param raw text; from files also what TOML has for it, for a mount its URL and directory as a pair, and for middleware a table
 * @param base where relative paths start
 */
export function parseValue(setting: Setting, raw: unknown, base: string): Parsed {
  switch (setting.kind) {
    case 'integer':
      return inRange(setting, isText(raw) && /^[+-]?\d{1,15}$/.test(raw) ? Number(raw) : raw);
    case 'bytes':
      return inRange(setting, isText(raw) ? readBytes(raw) : raw);
    case 'duration':
      return inRange(setting, isText(raw) ? readDuration(raw) : raw);
    case 'boolean':
      return parseBoolean(setting, raw);
    case 'choice':
      return isText(raw) && setting.choices.includes(raw) ? { value: raw } : mustBe(setting);
    case 'path':
      return isText(raw) ? parsePath(setting.means, raw, base) : mustBe(setting);
    case 'name':
      return parseName(setting, raw);
    case 'list':
      return parseItem(setting, raw, base);
  }
}

/** What a setting takes, in words that follow "must be" or "takes". */
export function takes(setting: Setting): string {
  switch (setting.kind) {
    case 'integer':
      return `a whole number from ${setting.min} to ${setting.max}`;
    case 'bytes':
      return `a size from ${formatBytes(setting.min)} to ${formatBytes(setting.max)}, such as 65536 or 64KiB`;
    case 'duration':
      return `a time from ${formatDuration(setting.min)} to ${formatDuration(setting.max)}, such as 500ms or 30s`;
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `${setting.choices.slice(0, -1).join(', ')} or ${setting.choices.at(-1)}`;
    case 'path':
      return PATHS[setting.means];
    case 'name':
      return 'a name or a number';
    case 'list':
      return ITEMS[setting.item];
  }
}

/** A value as one would write it for a setting. */
export function formatValue(setting: Setting, value: unknown): string {
  if (setting.kind === 'bytes') return formatBytes(value as number);
  if (setting.kind === 'duration') return formatDuration(value as number);
  if (setting.kind === 'list' && setting.item === 'mount')
    return (value as readonly Mount[]).map(formatMount).join(', ');
  if (setting.kind === 'list' && setting.item === 'middleware')
    return (value as readonly MiddlewareEntry[]).map(formatMiddleware).join(', ');
  return Array.isArray(value) ? value.join(', ') : String(value);
}

const PATHS = {
  target: 'a PATH or MODULE:CALLABLE',
  directory: 'the path of a directory',
  file: 'the path of a file',
  program: 'the path of an interpreter or of a virtual environment',
} as const;

/** How one writes a backend. */
export const BACKEND_MEANS =
  'a backend such as http://127.0.0.1:9000, https://app.internal, uwsgi://127.0.0.1:3031 or unix:/run/app.sock';

const ITEMS = {
  address:
    '8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME, or one of them behind https://, uwsgi://, fastcgi:// or scgi://',
  mount: '/url/=DIR',
  middleware: MIDDLEWARE_TAKES,
  backend: BACKEND_MEANS,
} as const;

function parseItem(setting: Extract<Setting, { readonly kind: 'list' }>, raw: unknown, base: string): Parsed {
  if (setting.item === 'mount') return parseMount(setting, raw, base);
  if (setting.item === 'backend') return parseBackendText(setting, raw, base);
  return setting.item === 'middleware' ? parseMiddleware(raw, base) : parseAddressText(setting, raw, base);
}

function mustBe(setting: Setting): Parsed {
  return { wrong: `must be ${takes(setting)}` };
}

function isText(raw: unknown): raw is string {
  return typeof raw === 'string' && raw.trim() !== '' && !raw.includes('\0');
}

function inRange(setting: Extract<Setting, { readonly min: number }>, value: unknown): Parsed {
  const whole = typeof value === 'number' && Number.isSafeInteger(value);
  return whole && value >= setting.min && value <= setting.max ? { value } : mustBe(setting);
}

function parseBoolean(setting: Setting, raw: unknown): Parsed {
  const text = String(raw).toLowerCase();
  if (raw === true || (isText(raw) && ['true', '1', 'yes', 'on'].includes(text))) return { value: true };
  if (raw === false || (isText(raw) && ['false', '0', 'no', 'off'].includes(text))) return { value: false };
  return mustBe(setting);
}

function parsePath(means: keyof typeof PATHS, text: string, base: string): Parsed {
  const path = resolve(base, text);
  if (means === 'target') return { value: text.includes('/') || existsSync(path) ? path : text };
  if (means !== 'directory') return { value: path };
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { wrong: 'does not exist' };
  return found.isDirectory() ? { value: path } : { wrong: 'is no directory' };
}

/** As user names are written on all systems, or a number up to 32 bits. */
function parseName(setting: Setting, raw: unknown): Parsed {
  const text = Number.isSafeInteger(raw) ? String(raw) : raw;
  if (!isText(text) || !/^[\w.][\w.@\\-]{0,255}\$?$/.test(text)) return mustBe(setting);
  return /^\d+$/.test(text) && Number(text) > 0xfffffffe ? { wrong: 'is too large a number' } : { value: text };
}

/** What fits into sockaddr_un (unix(7)). Node cuts a longer one off and listens somewhere else. */
const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103;
const SOCKET_PATH_TOO_LONG = `is longer than ${SOCKET_PATH_BYTES_MAX} bytes as an absolute path, too long for a socket`;

/** Only the form: the address is taken apart where it is bound. The path of a socket becomes absolute. */
function parseAddressText(setting: Setting, raw: unknown, base: string): Parsed {
  const text = typeof raw === 'number' ? String(raw) : raw;
  if (!isText(text)) return mustBe(setting);
  const [, scheme = '', place = '', options = ''] =
    /^((?:https?|uwsgi|fastcgi|scgi):\/\/)?([^?]*)(\?.*)?$/.exec(text) ?? [];
  const socket = /^unix:(.+)$/.exec(place)?.[1];
  if (socket !== undefined) {
    const path = resolve(base, socket);
    return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX
      ? { value: `${scheme}unix:${path}${options}` }
      : { wrong: SOCKET_PATH_TOO_LONG };
  }
  if (/^fd:\d{1,6}$|^systemd(:[\x21-\x39\x3b-\x7e]{1,255})?$/.test(place)) return { value: text };
  if (scheme.startsWith('http') && /^(?:\[[0-9A-Fa-f:.%a-z]+\]|[^:[\]\s/]+)\/?$/.test(place)) return { value: text };
  const port = /^(?:(?:\[[0-9A-Fa-f:.%a-z]+\]|[^:[\]\s/]*):)?(\d{1,5})\/?$/.exec(place)?.[1];
  if (port === undefined || (scheme === '' && place.endsWith('/'))) return mustBe(setting);
  return Number(port) <= 65535 ? { value: text } : { wrong: 'has a port above 65535' };
}

/** Only the form, too: what it is made of the schema of proxies knows. Paths become absolute. */
function parseBackendText(setting: Setting, raw: unknown, base: string): Parsed {
  const text = typeof raw === 'string' ? raw.trim() : '';
  if (!/^(?:[a-z+]+:\/\/|unix:|file:)[^\s]+$/.test(text)) return mustBe(setting);
  return {
    value: text.replace(/^(.*?unix:|file:)(.+)$/, (_, before: string, path: string) => before + resolve(base, path)),
  };
}

function parseMount(setting: Setting, raw: unknown, base: string): Parsed {
  const pair = isText(raw) ? (/^([^=]*)=(.+)$/.exec(raw)?.slice(1) ?? []) : raw;
  const [url, directory] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
  if (!isText(url) || !isText(directory) || !/^\/[^?#\s]*$/.test(url)) return mustBe(setting);
  if (/\/\/|\/\.\.?(\/|$)/.test(url)) return { wrong: 'has an empty, "." or ".." part in its URL' };
  const mount: Mount = { urlPrefix: url.endsWith('/') ? url : `${url}/`, directories: [resolve(base, directory)] };
  return { value: mount };
}

function formatMount({ urlPrefix, directories }: Mount): string {
  return directories.map((directory) => `${urlPrefix}=${directory}`).join(', ');
}
