import { existsSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { formatMiddleware, MIDDLEWARE_TAKES, type MiddlewareEntry, parseMiddleware } from './middleware.ts';
import type { Setting } from './setting.ts';
import { formatBytes, formatDuration, readBytes, readDuration } from './units.ts';
import { splitWords } from './words.ts';

/** A value, or its problem: the end of a sentence that starts with "it". */
export type Parsed = { readonly value: unknown } | { readonly problem: string };

/** The files in `directories` (absolute, searched in order) are served below `urlPrefix`, which starts and ends with a slash. */
export interface Mount {
  readonly urlPrefix: string;
  readonly directories: readonly string[];
}

/**
 * Reads one value of a setting, or one item of a list.
 *
 * @param raw text, or a value of TOML. A mount is also a pair of URL and directory, and middleware also a table
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
    case 'command':
      return parseCommand(setting, raw);
    case 'text':
      return isText(raw) ? { value: raw } : mustBe(setting);
    case 'list':
      return parseItem(setting, raw, base);
  }
}

/** The values that a setting takes, in words that follow "must be" or "takes". */
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
    case 'command':
      return 'a program, with its arguments';
    case 'text':
      return 'a text';
    case 'list':
      return ITEMS[setting.item];
  }
}

/** A value of a setting as text that the setting takes. */
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
  socket: 'the path of a socket, or off',
} as const;

/** The forms of a backend, in words that follow "must be". */
export const BACKEND_MEANS =
  'a backend such as http://127.0.0.1:9000, https://app.internal, h2c://127.0.0.1:9000, uwsgi://127.0.0.1:3031 or unix:/run/app.sock';

/** The forms of a backend as a pattern. */
export const BACKEND_FORM =
  /^(?:(?:https?|h2c?):\/\/(?:unix:.+|(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?)|unix:.+|(?:uwsgi|fastcgi|scgi):\/\/(?:unix:.+|(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}))$/;

const VARIABLE = /^(?:[A-Za-z_]\w*\*?|\*)$/;

const ITEMS = {
  address:
    '8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME, or one of them behind https://, uwsgi://, fastcgi:// or scgi://',
  'plain-address': '9464, HOST:PORT, [::1]:PORT or unix:PATH',
  range: 'an address, a range such as 10.0.0.0/8, loopback, private, unix or all',
  mount: '/url/=DIR',
  middleware: MIDDLEWARE_TAKES,
  backend: BACKEND_MEANS,
  variable: 'the name of a variable, such as LANG, or the start of names and an asterisk, such as APP_*',
} as const;

function parseItem(setting: Extract<Setting, { readonly kind: 'list' }>, raw: unknown, base: string): Parsed {
  if (setting.item === 'mount') return parseMount(setting, raw, base);
  if (setting.item === 'backend') return parseBackendText(setting, raw, base);
  if (setting.item === 'range') return isText(raw) && isRange(raw) ? { value: raw } : mustBe(setting);
  if (setting.item === 'variable') return isText(raw) && VARIABLE.test(raw) ? { value: raw } : mustBe(setting);
  if (setting.item === 'plain-address') return parsePlainAddress(setting, raw, base);
  return setting.item === 'middleware' ? parseMiddleware(raw, base) : parseAddressText(setting, raw, base);
}

/** Whether a text has a form that `CidrList` takes. */
function isRange(text: string): boolean {
  if (['loopback', 'private', 'unix', 'all'].includes(text)) return true;
  const [, address = '', bits = '0'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

function mustBe(setting: Setting): Parsed {
  return { problem: `must be ${takes(setting)}` };
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
  if (means === 'socket') return socketValue(text, path);
  if (means !== 'directory') return { value: path };
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return { problem: 'does not exist' };
  return stats.isDirectory() ? { value: path } : { problem: 'is not a directory' };
}

/** A command line with a program. Quotes must be closed. */
function parseCommand(setting: Setting, raw: unknown): Parsed {
  if (!isText(raw)) return mustBe(setting);
  const words = splitWords(raw);
  if (words === null) return { problem: 'has a quote without its end, or ends with a backslash' };
  return words[0] === '' ? mustBe(setting) : { value: raw };
}

/** A user name that every system allows, or a number of up to 32 bits. */
function parseName(setting: Setting, raw: unknown): Parsed {
  const text = Number.isSafeInteger(raw) ? String(raw) : raw;
  if (!isText(text) || !/^[\w.][\w.@\\-]{0,255}\$?$/.test(text)) return mustBe(setting);
  return /^\d+$/.test(text) && Number(text) > 0xfffffffe ? { problem: 'is too large' } : { value: text };
}

/** The size of a path in sockaddr_un (unix(7)). Node cuts a longer path off, and listens at another path. */
const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103;
const SOCKET_PATH_TOO_LONG = `is longer than ${SOCKET_PATH_BYTES_MAX} bytes as an absolute path, too long for a socket`;

function socketValue(text: string, path: string): Parsed {
  if (text === 'off') return { value: text };
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX ? { value: path } : { problem: SOCKET_PATH_TOO_LONG };
}

/** Checks only the form of an address. The listener parses it later. The path of a socket becomes absolute. */
function parseAddressText(setting: Setting, raw: unknown, base: string): Parsed {
  const text = typeof raw === 'number' ? String(raw) : raw;
  if (!isText(text)) return mustBe(setting);
  const [, scheme = '', target = '', options = ''] =
    /^((?:https?|uwsgi|fastcgi|scgi):\/\/)?([^?]*)(\?.*)?$/.exec(text) ?? [];
  const socket = /^unix:(.+)$/.exec(target)?.[1];
  if (socket !== undefined) {
    const path = resolve(base, socket);
    return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX
      ? { value: `${scheme}unix:${path}${options}` }
      : { problem: SOCKET_PATH_TOO_LONG };
  }
  if (/^fd:\d{1,6}$|^systemd(:[\x21-\x39\x3b-\x7e]{1,255})?$/.test(target)) return { value: text };
  if (scheme.startsWith('http') && /^(?:\[[0-9A-Fa-f:.%a-z]+\]|[^:[\]\s/]+)\/?$/.test(target)) return { value: text };
  const port = /^(?:(?:\[[0-9A-Fa-f:.%a-z]+\]|[^:[\]\s/]*):)?(\d{1,5})\/?$/.exec(target)?.[1];
  if (port === undefined || (scheme === '' && target.endsWith('/'))) return mustBe(setting);
  return Number(port) <= 65535 ? { value: text } : { problem: 'has a port above 65535' };
}

/** The address of a listener that speaks HTTP without TLS. */
function parsePlainAddress(setting: Setting, raw: unknown, base: string): Parsed {
  const isPlain = typeof raw === 'number' || (isText(raw) && /^(?!\w+:\/\/|fd:|systemd)/.test(raw));
  return isPlain ? parseAddressText(setting, raw, base) : mustBe(setting);
}

/** Checks only the form of a backend. The schema of the site checks the rest. Paths become absolute. */
function parseBackendText(setting: Setting, raw: unknown, base: string): Parsed {
  const text = typeof raw === 'string' ? raw.trim() : '';
  if (!/^(?:[a-z0-9+]+:\/\/|unix:|file:)[^\s]+$/.test(text)) return mustBe(setting);
  return {
    value: text.replace(/^(.*?unix:|file:)(.+)$/, (_, before: string, path: string) => before + resolve(base, path)),
  };
}

function parseMount(setting: Setting, raw: unknown, base: string): Parsed {
  const pair = isText(raw) ? (/^([^=]*)=(.+)$/.exec(raw)?.slice(1) ?? []) : raw;
  const [url, directory] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
  if (!isText(url) || !isText(directory) || !/^\/[^?#\s]*$/.test(url)) return mustBe(setting);
  if (/\/\/|\/\.\.?(\/|$)/.test(url)) return { problem: 'has an empty, "." or ".." part in its URL' };
  const mount: Mount = { urlPrefix: url.endsWith('/') ? url : `${url}/`, directories: [resolve(base, directory)] };
  return { value: mount };
}

function formatMount({ urlPrefix, directories }: Mount): string {
  return directories.map((directory) => `${urlPrefix}=${directory}`).join(', ');
}
