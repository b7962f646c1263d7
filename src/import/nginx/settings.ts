import { fileKey, type Setting } from '../../config/setting.ts';
import { SETTINGS, type SettingName } from '../../config/settings.ts';
import { parseValue } from '../../config/value.ts';
import type { Value } from '../config-builder.ts';
import { templateOfNginx } from '../log-template.ts';
import type { NginxContext } from './context.ts';
import { rangeOf } from './forms.ts';
import type { Scope } from './scope.ts';
import type { Directive } from './tree.ts';
import { readSize, readTime, showSize, showTime } from './values.ts';

/** The key and value of a setting, or the reason why none is needed. */
type Carried =
  | { readonly name: SettingName; readonly value: Value; readonly but?: string }
  | { readonly lost: string }
  | { readonly needless: string };
type Carry = (args: readonly string[]) => Carried;

const time =
  (name: SettingName): Carry =>
  ([text = '']) => {
    const ms = readTime(text);
    return ms === null ? { lost: 'it is not a time' } : { name, value: within(name, ms, showTime) };
  };

/** Settings of the whole program, by the directive in `main` or `events`. */
const MAIN: Readonly<Record<string, Carry>> = {
  user: ([name = '']) => ({ name: 'user', value: name }),
  worker_processes: ([count = '']) =>
    /^\d+$/.test(count) && Number(count) > 1
      ? {
          name: 'processes',
          value: Math.min(64, Number(count)),
          but: 'one server process is enough for most sites: try without this line',
        }
      : { needless: 'one server process is enough for most sites; see processes' },
  worker_connections: ([count = '']) =>
    Number(count) > 20_000
      ? { name: 'connectionsMax', value: Math.min(1_000_000, Number(count)) }
      : { needless: 'connections_max is 20000' },
  worker_shutdown_timeout: time('gracefulTimeoutMs'),
};

/** Settings for all clients, by the directive in `http` or `server`. */
const CLIENTS: Readonly<Record<string, Carry>> = {
  client_header_timeout: time('headerTimeoutMs'),
  client_body_timeout: time('bodyTimeoutMs'),
  send_timeout: time('writeTimeoutMs'),
  keepalive_timeout: (args) =>
    readTime(args[0] ?? '') === 0
      ? { lost: 'connections are always kept alive for a while' }
      : time('keepAliveTimeoutMs')(args),
  client_body_buffer_size: ([text = '']) => {
    const bytes = readSize(text);
    return bytes === null
      ? { lost: 'it is not a size' }
      : { name: 'bodyMemoryBytesMax', value: within('bodyMemoryBytesMax', bytes, showSize) };
  },
  large_client_header_buffers: ([count = '', text = '']) => {
    const bytes = readSize(text);
    if (bytes === null || !/^\d+$/.test(count)) return { lost: 'it is not a number and a size' };
    return { name: 'headerBytesMax', value: within('headerBytesMax', bytes * Number(count), showSize) };
  },
};

function within(name: SettingName, value: number, show: (value: number) => Value): Value {
  const setting = SETTINGS[name] as Extract<Setting, { readonly min: number }>;
  return show(Math.min(setting.max, Math.max(setting.min, value)));
}

/** Writes the settings of the whole server. */
export function writeSettings(main: readonly Scope[], context: NginxContext): void {
  for (const scope of main) {
    for (const [name, carry] of Object.entries(MAIN)) {
      for (const directive of scope.own(name)) write(directive, carry(directive.args), context);
    }
  }
  const user = main.flatMap((scope) => scope.own('user'))[0];
  const group = user?.args[1];
  if (user !== undefined && group !== undefined) write(user, { name: 'group', value: group }, context);
  const scopes = [context.http, ...context.model.servers.map(context.scopeOf)];
  for (const [name, carry] of Object.entries(CLIENTS)) {
    for (const directive of scopes.flatMap((scope) => scope.own(name)))
      write(directive, carry(directive.args), context);
  }
  writeTrust(scopes, context);
  writeAccessLog([...main, ...scopes], context);
}

function write(directive: Directive, carried: Carried, { builder, report }: NginxContext): void {
  if ('lost' in carried) {
    report.lost(directive, carried.lost);
    return;
  }
  if ('needless' in carried) {
    report.needless(directive, carried.needless);
    return;
  }
  const key = fileKey(carried.name);
  const parsed = parseValue(SETTINGS[carried.name], carried.value, '/');
  if ('problem' in parsed) {
    report.lost(directive, `${key} ${parsed.problem}`);
    return;
  }
  const before = builder.get(key);
  if (before !== undefined && before !== carried.value) {
    report.lost(directive, `${key} is one value for all servers`);
    return;
  }
  if (before === undefined) builder.set(key, carried.value, directive);
  if (carried.but !== undefined) report.differs(directive, carried.but);
}

function writeTrust(scopes: readonly Scope[], { builder, report }: NginxContext): void {
  for (const directive of scopes.flatMap((scope) => scope.own('set_real_ip_from'))) {
    const range = rangeOf(directive, report);
    if (range !== null) builder.push('trusted_proxies', range, directive);
  }
  for (const directive of scopes.flatMap((scope) => scope.own('real_ip_header'))) {
    const field = (directive.args[0] ?? '').toLowerCase();
    if (field === 'x-forwarded-for' || field === 'x-real-ip')
      report.needless(directive, 'Viaduct reads this field of trusted proxies');
    else if (field === 'proxy_protocol') report.needless(directive, 'it belongs to the address in listen');
    else
      report.lost(
        directive,
        "the client's address comes from X-Forwarded-For, X-Real-IP, Forwarded or the PROXY protocol",
      );
  }
}

export const ONE_LOG = 'it goes to standard output, or to a file with access_log_file';

/** Viaduct has one access log. It stays on standard output, because nginx may still write its own file. */
function writeAccessLog(scopes: readonly Scope[], { builder, report }: NginxContext): void {
  const all = scopes.flatMap((scope) => scope.own('access_log'));
  const [first] = all;
  if (first === undefined) return;
  const isOff = all.every(({ args }) => args[0] === 'off');
  builder.set('access_log', isOff ? 'off' : 'combined', first);
  for (const directive of all) if (directive.args[0] !== 'off') report.differs(directive, ONE_LOG);
  writeLogFormats(scopes, isOff ? undefined : first.args[1], { builder, report });
}

/** Carries over the format that the first access log has. */
function writeLogFormats(
  scopes: readonly Scope[],
  used: string | undefined,
  { builder, report }: Pick<NginxContext, 'builder' | 'report'>,
): void {
  for (const directive of scopes.flatMap((scope) => scope.own('log_format'))) {
    const [name, ...texts] = directive.args;
    const result = templateOfNginx(texts.filter((text) => !text.startsWith('escape=')).join(''));
    if (name !== used) report.needless(directive, 'the access log does not use it');
    else if ('problem' in result) report.lost(directive, result.problem);
    else builder.set('access_log_format', result.template, directive);
  }
}
