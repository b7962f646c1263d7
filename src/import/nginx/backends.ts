import { BACKEND_FORM } from '../../config/value.ts';
import type { ConfigBuilder, Value } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import { Scope } from './scope.ts';
import type { Directive } from './tree.ts';
import { readTime, showTime } from './values.ts';

/** HTTP/1.1, HTTP/2, or a CGI protocol. */
export type Scheme = 'http' | 'https' | 'h2c' | 'h2' | 'uwsgi' | 'fastcgi' | 'scgi';

/** Writes the backends for a name: those of the `upstream` with this name, or the single server that it names. */
export function writeBackends(
  route: ConfigBuilder,
  scheme: Scheme,
  name: string,
  directive: Directive,
  context: NginxContext,
): boolean {
  const upstream = context.upstreams.get(name);
  if (upstream !== undefined) return writeUpstream(route, scheme, upstream, directive, context);
  const url = urlOf(scheme, name);
  if (url === null || name.includes('$')) {
    context.report.lost(directive, `"${name}" is not a backend`);
    return false;
  }
  route.set('proxy', url, directive);
  return true;
}

/** The URL of a backend such as `127.0.0.1:8000` or `unix:/run/app.sock`; null if it is not a backend. */
function urlOf(scheme: Scheme, address: string): string | null {
  const plain = address.replace(/:$/, '');
  const isSocket = plain.startsWith('unix:');
  const url = isSocket && scheme === 'http' ? plain : `${scheme}://${plain}`;
  return BACKEND_FORM.test(url) && !/\s/.test(url) ? url : null;
}

function writeUpstream(
  route: ConfigBuilder,
  scheme: Scheme,
  upstream: Directive,
  pass: Directive,
  context: NginxContext,
): boolean {
  const { report } = context;
  const scope = new Scope(upstream.block ?? [], null, report);
  const options = route.table('proxy_options');
  report.took(upstream);
  for (const server of scope.own('server')) {
    const backend = backendOf(scheme, server, options, context);
    if (backend !== null) route.push('proxy', backend, server);
  }
  writeBalance(options, scope, context);
  const keepAlive = scope.one('keepalive');
  if (keepAlive !== null && /^\d{1,6}$/.test(keepAlive.args[0] ?? ''))
    options.set('keep_alive_max', Math.min(Number(keepAlive.args[0]), 100_000), keepAlive);
  const idle = scope.one('keepalive_timeout');
  const idleMs = readTime(idle?.args[0] ?? '');
  if (idle !== null && idleMs !== null && idleMs > 0) options.set('keep_alive_timeout_ms', showTime(idleMs), idle);
  if (route.get('proxy') !== undefined) return true;
  report.lost(pass, `upstream ${upstream.args[0] ?? ''} has no server that could be carried over`);
  return false;
}

/** Writes one `server` of an `upstream`. Values that apply to all backends of a route go into `options`. */
function backendOf(scheme: Scheme, server: Directive, options: ConfigBuilder, { report }: NginxContext): Value | null {
  const [address = '', ...words] = server.args;
  const url = urlOf(scheme, address);
  if (url === null) {
    report.lost(
      server,
      `"${address}" is not a backend${/^(?:uwsgi|fastcgi|scgi)$/.test(scheme) ? ' with a port' : ''}`,
    );
    return null;
  }
  const values = new Map(
    words.map((word): [string, string] => {
      const [, name = word, value = ''] = /^(\w+)=(.*)$/.exec(word) ?? [];
      return [name, value];
    }),
  );
  if (values.has('down')) {
    report.lost(server, 'it is down; use "viaduct backends drain" at run time');
    return null;
  }
  const rest = readTime(values.get('fail_timeout') ?? '');
  const failures = Number(values.get('max_fails') ?? 1);
  if (failures === 0) {
    options.set('retry_after_ms', 0, server);
    options.set('failures_max', 0, server);
  } else if (rest !== null && options.get('retry_after_ms') === undefined) {
    options.set('retry_after_ms', showTime(rest), server);
    if (rest > 60_000) options.set('retry_after_ms_max', showTime(rest), server);
  }
  if (failures > 1)
    report.differs(server, 'a backend is down after the first failed connection, regardless of max_fails');
  const most = Number(values.get('max_conns') ?? 0);
  if (most > 0) {
    const before = options.get('connections_max');
    if (before !== undefined && before !== most)
      report.differs(server, 'connections_max is one number for all backends');
    else options.set('connections_max', most, server);
  }
  for (const name of values.keys()) {
    if (!KNOWN.has(name)) report.differs(server, `${name} has no counterpart`);
  }
  const weight = Math.min(100, Number(values.get('weight') ?? 1));
  const isPlain = weight === 1 && !values.has('backup');
  return isPlain ? url : { url, ...(weight > 1 ? { weight } : {}), ...(values.has('backup') ? { backup: true } : {}) };
}

const KNOWN: ReadonlySet<string> = new Set([
  'weight',
  'backup',
  'down',
  'max_fails',
  'fail_timeout',
  'max_conns',
  'resolve',
]);

function writeBalance(options: ConfigBuilder, scope: Scope, { report }: NginxContext): void {
  const least = scope.one('least_conn');
  if (least !== null) options.set('balance', 'least-connections', least);
  const random = scope.one('random');
  if (random !== null) options.set('balance', 'random-two', random);
  const address = scope.one('ip_hash');
  if (address !== null) options.set('balance', 'hash', address);
  const hash = scope.one('hash');
  if (hash === null) return;
  const by = hashBy(hash.args[0] ?? '');
  if (by === null) {
    report.lost(hash, 'a hash uses the address, the path, a field or a cookie');
    return;
  }
  options.set('balance', 'hash', hash);
  if (by !== 'address') options.set('hash_by', by, hash);
}

function hashBy(key: string): string | null {
  if (/^\$(?:binary_)?remote_addr$/.test(key)) return 'address';
  if (/^(?:\$scheme\$proxy_host)?\$(?:request_uri|uri)$/.test(key)) return 'path';
  const [, kind, name] = /^\$(cookie|http)_(\w+)$/.exec(key) ?? [];
  if (name === undefined) return null;
  return kind === 'cookie' ? `cookie:${name}` : `header:${name.replaceAll('_', '-')}`;
}
