import { requestIdOf } from '../http/request-id.ts';
import { cookieOf } from '../http/semantics/cookie.ts';
import { fieldOf, type LoggedRequest, targetOf } from './answered-request.ts';
import { escapeField } from './escape.ts';
import { commonDate, timeFormat } from './log-time.ts';

/** The text of one directive in a line. */
export type Directive = (request: LoggedRequest, status: number, bodyBytes: number, ms: number) => string;

type Table = Readonly<Record<string, Directive>>;
/** Directives that take an argument in braces; null for an argument that does not exist. */
type ArgumentTable = Readonly<Record<string, (argument: string) => Directive | null>>;

/**
 * The directive `letter` of Apache or gunicorn, with its argument in braces if it has one. Null if it does not exist. An absent
 * value is `-`.
 */
export function directiveOf(
  from: 'apache' | 'gunicorn',
  letter: string,
  argument: string | undefined,
): Directive | null {
  const own = from === 'apache' ? APACHE : GUNICORN;
  if (argument === undefined) return ownValue(own, letter) ?? ownValue(COMMON, letter);
  const withArgument = from === 'apache' ? APACHE_ARGUMENTS : GUNICORN_ARGUMENTS;
  return (ownValue(withArgument, letter) ?? ownValue(ARGUMENTS, letter))?.(argument) ?? null;
}

function ownValue<T>(table: Readonly<Record<string, T>>, key: string): T | null {
  return Object.hasOwn(table, key) ? (table[key] as T) : null;
}

/** A value as a line has it: `-` for an absent one. */
export function shown(text: string): string {
  return text === '' ? '-' : escapeField(text);
}

/** The time at which the head of the request was complete. */
function startOf(ms: number): Date {
  return new Date(Date.now() - ms);
}

const COMMON: Table = {
  h: ({ peer }) => peer.remoteAddress || '-',
  l: () => '-',
  u: (request) => shown(userOf(request)),
  t: (_request, _status, _bodyBytes, ms) => `[${commonDate(startOf(ms))}]`,
  r: (request) =>
    request.method === '' ? '-' : escapeField(`${request.method} ${targetOf(request)} ${request.protocol}`),
  s: (_request, status) => `${status}`,
  m: ({ method }) => shown(method),
  U: ({ path }) => shown(path),
  H: ({ protocol }) => protocol || '-',
  B: (_request, _status, bodyBytes) => `${bodyBytes}`,
  b: (_request, _status, bodyBytes) => (bodyBytes === 0 ? '-' : `${bodyBytes}`),
  D: (_request, _status, _bodyBytes, ms) => `${Math.round(ms * 1000)}`,
  T: (_request, _status, _bodyBytes, ms) => `${Math.floor(ms / 1000)}`,
};

const APACHE: Table = {
  a: ({ peer }) => peer.remoteAddress || '-',
  q: ({ query }) => (query === '' ? '' : `?${escapeField(query)}`),
  v: ({ host }) => shown(host.replace(/:\d*$/, '')),
  V: ({ host }) => shown(host.replace(/:\d*$/, '')),
  p: ({ host, peer }) => /:(\d+)$/.exec(host)?.[1] ?? (peer.serverPort || (peer.secure ? '443' : '80')),
  P: ({ record }) => (record.worker === 0 ? '-' : `${record.worker}`),
  L: (request) => idOf(request),
};

const GUNICORN: Table = {
  f: (request) => shown(fieldOf(request, 'referer')),
  a: (request) => shown(fieldOf(request, 'user-agent')),
  q: ({ query }) => escapeField(query),
  M: (_request, _status, _bodyBytes, ms) => `${Math.floor(ms)}`,
  L: (_request, _status, _bodyBytes, ms) => (Math.floor(ms * 1000) / 1e6).toFixed(6),
  p: ({ record }) => `<${record.worker}>`,
};

const ARGUMENTS: ArgumentTable = {
  i: (name) => fieldDirective(name),
  o: (name) => {
    const lower = name.toLowerCase();
    return ({ record }) => shown(lineOf(record.lines, lower));
  },
  n: (name) => ownValue(NOTES, name),
};

const APACHE_ARGUMENTS: ArgumentTable = {
  C: (name) => (request) => shown(cookieOf(request, name) ?? ''),
  T: (unit) => ownValue(UNITS, unit),
  t: (format) => {
    const isEnd = format.startsWith('end:');
    const write = timeFormat(format.replace(/^(?:begin|end):/, ''));
    return write === null ? null : (_request, _status, _bodyBytes, ms) => write(isEnd ? new Date() : startOf(ms));
  },
};

const GUNICORN_ARGUMENTS: ArgumentTable = {
  e: (key) =>
    ownValue(ENVIRON, key) ?? (key.startsWith('HTTP_') ? fieldDirective(key.slice(5).replaceAll('_', '-')) : null),
};

/** The units of `%{…}T`. */
const UNITS: Table = {
  s: COMMON.T as Directive,
  ms: GUNICORN.M as Directive,
  us: COMMON.D as Directive,
};

/** What only Viaduct knows, as notes (`%{…}n`) of a module. The names are those of the log in JSON. */
const NOTES: Table = {
  worker: ({ record }) => (record.worker === 0 ? '-' : `${record.worker}`),
  queue_ms: ({ record }) => milliseconds(record.queueUs),
  python_ms: ({ record }) => milliseconds(record.pythonUs),
  duration_ms: (_request, _status, _bodyBytes, ms) => `${Math.round(ms * 1000) / 1000}`,
  request_id: (request) => idOf(request),
  reason: ({ record }) => shown(record.reason),
};

/** The variables of the environ that the server knows. */
const ENVIRON: Table = {
  REMOTE_ADDR: COMMON.h as Directive,
  REMOTE_PORT: ({ peer }) => `${peer.remotePort}`,
  REMOTE_USER: COMMON.u as Directive,
  REQUEST_METHOD: COMMON.m as Directive,
  REQUEST_URI: (request) => shown(targetOf(request)),
  RAW_URI: (request) => shown(targetOf(request)),
  QUERY_STRING: ({ query }) => shown(query),
  SERVER_PROTOCOL: COMMON.H as Directive,
  'wsgi.url_scheme': ({ peer }) => (peer.secure ? 'https' : 'http'),
  'viaduct.request_id': (request) => idOf(request),
};

function fieldDirective(name: string): Directive {
  const lower = name.toLowerCase();
  return (request) => shown(fieldOf(request, lower));
}

function idOf({ protocol, record }: LoggedRequest): string {
  return protocol === '' ? '-' : escapeField(requestIdOf(record));
}

function milliseconds(us: number): string {
  return us < 0 ? '-' : `${us / 1000}`;
}

/** The name in the Basic credential (RFC 7617), right or wrong. */
function userOf(request: LoggedRequest): string {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(fieldOf(request, 'authorization')) ?? [];
  return encoded === undefined ? '' : (Buffer.from(encoded, 'base64').toString('latin1').split(':', 1)[0] ?? '');
}

/** The value of the field `name` (in lower case) in field lines, or ''. */
function lineOf(lines: string, name: string): string {
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).toLowerCase() === name) return line.slice(colon + 1).trim();
  }
  return '';
}
