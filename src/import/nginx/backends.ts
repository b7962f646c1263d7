import { backendForm } from '../../config/site/features.ts';
import type { Draft, Value } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import { Scope } from './scope.ts';
import { hasVariables } from './template.ts';
import type { Directive } from './tree.ts';
import { readTime, showTime } from './values.ts';

/** `http`, `https`, or a protocol of application servers. */
export type Scheme = 'http' | 'https' | 'uwsgi' | 'fastcgi' | 'scgi';

/** Writes the backends that a name stands for: those of an `upstream` of that name, or the one that it is. */
export function writeBackends(
  route: Draft,
  scheme: Scheme,
  name: string,
  directive: Directive,
  context: NginxContext,
): boolean {
  const upstream = context.upstreams.get(name);
  if (upstream !== undefined) return writeUpstream(route, scheme, upstream, directive, context);
  const url = urlOf(scheme, name);
  if (url === null || hasVariables(name)) {
    context.ledger.lost(directive, `"${name}" is no backend`);
    return false;
  }
  route.set('proxy', url, directive);
  return true;
}

/** `127.0.0.1:8000`, `unix:/run/app.sock` as a backend; null for what is none. */
function urlOf(scheme: Scheme, address: string): string | null {
  const plain = address.replace(/:$/, '');
  const isSocket = plain.startsWith('unix:');
  const url = isSocket && scheme === 'http' ? plain : `${scheme}://${plain}`;
  return backendForm.test(url) && !/\s/.test(url) ? url : null;
}

function writeUpstream(
  route: Draft,
  scheme: Scheme,
  upstream: Directive,
  pass: Directive,
  context: NginxContext,
): boolean {
  const { ledger } = context;
  const scope = new Scope(upstream.block ?? [], null, ledger);
  const options = route.table('proxy_options');
  ledger.took(upstream);
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
  ledger.lost(pass, `upstream ${upstream.args[0] ?? ''} has no server that could be carried over`);
  return false;
}

/** A `server` of an `upstream`; what holds for all backends of a route goes into `options`. */
function backendOf(scheme: Scheme, server: Directive, options: Draft, { ledger }: NginxContext): Value | null {
  const [address = '', ...words] = server.args;
  const url = urlOf(scheme, address);
  if (url === null) {
    ledger.lost(server, `"${address}" is no backend${/^(?:uwsgi|fastcgi|scgi)$/.test(scheme) ? ' with a port' : ''}`);
    return null;
  }
  const values = new Map(
    words.map((word): [string, string] => {
      const [, name = word, value = ''] = /^(\w+)=(.*)$/.exec(word) ?? [];
      return [name, value];
    }),
  );
  if (values.has('down')) {
    ledger.lost(server, 'it is down; "viaduct backends drain" does that at run time');
    return null;
  }
  const rest = readTime(values.get('fail_timeout') ?? '');
  const failures = Number(values.get('max_fails') ?? 1);
  if (failures === 0) {
    options.set('rest_ms', 0, server);
    options.set('failures_max', 0, server);
  } else if (rest !== null && options.get('rest_ms') === undefined) {
    options.set('rest_ms', showTime(rest), server);
    if (rest > 60_000) options.set('rest_ms_max', showTime(rest), server);
  }
  if (failures > 1)
    ledger.differs(server, 'a backend rests after the first connection that fails, whatever max_fails says');
  const most = Number(values.get('max_conns') ?? 0);
  if (most > 0) {
    const before = options.get('connections_max');
    if (before !== undefined && before !== most)
      ledger.differs(server, 'connections_max is one number for all backends');
    else options.set('connections_max', most, server);
  }
  for (const name of values.keys()) {
    if (!KNOWN.has(name)) ledger.differs(server, `${name} has no counterpart`);
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

function writeBalance(options: Draft, scope: Scope, { ledger }: NginxContext): void {
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
    ledger.lost(hash, 'a hash is by address, path, a field or a cookie');
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
