import type { Draft } from '../config-builder.ts';
import { type Scheme, writeBackends } from './backends.ts';
import type { Location, NginxContext, Server } from './context.ts';
import { literal } from './expression.ts';
import { isFieldName, isFieldValue, isFraming, isPlainPath } from './forms.ts';
import { writeParams } from './params.ts';
import type { Scope } from './scope.ts';
import { hasVariables, templateOf } from './template.ts';
import type { Directive } from './tree.ts';
import { readTime, showTime } from './values.ts';

export const PASS_DIRECTIVES = ['proxy_pass', 'uwsgi_pass', 'fastcgi_pass', 'scgi_pass'] as const;

/** Lets a route pass its requests on as `proxy_pass` and its like say. False when that has no counterpart. */
export function writeProxy(
  route: Draft,
  pass: Directive,
  location: Location,
  server: Server,
  context: NginxContext,
): boolean {
  const [written = ''] = pass.args;
  const kind = pass.name.replace('_pass', '');
  const { scope } = location;
  if (hasVariables(written)) {
    context.ledger.lost(pass, 'where requests go has no variables; name the backends');
    return false;
  }
  if (kind !== 'proxy') {
    const isWritten = writeBackends(route, kind as Scheme, written.replace(/^\w+:\/\//, ''), pass, context);
    writeTimes(route.table('proxy_options'), kind, scope);
    writeParams(route.table('proxy_options'), kind, scope, context);
    return isWritten;
  }
  const target = /^(https?):\/\/(unix:[^:]+|[^/]+)(?::?(\/.*))?$/.exec(written);
  if (target === null) {
    context.ledger.lost(pass, 'it is neither http:// nor https://');
    return false;
  }
  const [, scheme = '', authority = '', uri] = target;
  if (!writeBackends(route, scheme as Scheme, authority, pass, context)) return false;
  if (uri !== undefined) writePath(route, uri, pass, location, context);
  const options = route.table('proxy_options');
  writeTimes(options, 'proxy', scope);
  writeTries(options, scope, context);
  writeFields(route, authority, pass, server, scope, context);
  if (scheme === 'https') writeTls(options, scope, context);
  return true;
}

/** A path behind the backend replaces that of the location. */
function writePath(route: Draft, uri: string, pass: Directive, location: Location, { ledger }: NginxContext): void {
  const { kind, path } = location;
  if (kind === 'pattern' || kind === 'named' || !isPlainPath(uri) || !isPlainPath(path)) {
    ledger.lost(pass, 'this path behind a backend has no counterpart');
    return;
  }
  const rewrite = route.table('rewrite');
  if (kind === 'exact' || route.get('path') === path) {
    rewrite.set('pattern', `^${literal(path)}$`, pass);
    rewrite.set('to', uri, pass);
    return;
  }
  if (path.endsWith('/') !== uri.endsWith('/')) {
    ledger.differs(pass, 'the path of the location is replaced by whole segments');
  }
  const from = path.replace(/\/+$/, '');
  const to = uri.replace(/\/+$/, '');
  if (from === to) return;
  if (from === '') {
    rewrite.set('pattern', '^/(.*)$', pass);
    rewrite.set('to', `${to}/{1}`, pass);
    return;
  }
  rewrite.set('prefix', from, pass);
  if (to !== '') rewrite.set('replacement', to, pass);
}

function writeTimes(options: Draft, kind: string, scope: Scope): void {
  const set = (name: string, ...keys: readonly string[]) => {
    const directive = scope.one(`${kind}_${name}`);
    const ms = readTime(directive?.args[0] ?? '');
    if (directive === null || ms === null || ms === 0) return;
    for (const key of keys) options.set(key, showTime(Math.min(ms, 86_400_000)), directive);
  };
  set('connect_timeout', 'connect_timeout_ms');
  const longest = scope.one(`${kind}_send_timeout`);
  const read = readTime(scope.one(`${kind}_read_timeout`)?.args[0] ?? '') ?? 60_000;
  set('read_timeout', 'response_timeout_ms', 'idle_timeout_ms');
  if (longest !== null && (readTime(longest.args[0] ?? '') ?? 0) > read) set('send_timeout', 'idle_timeout_ms');
  const buffering = scope.one(`${kind}_buffering`);
  if (buffering?.args[0] === 'on') options.set('buffer_response', true, buffering);
  const requests = scope.one(`${kind}_request_buffering`);
  if (requests?.args[0] === 'on') options.set('buffer_request', true, requests);
}

function writeTries(options: Draft, scope: Scope, { ledger }: NginxContext): void {
  const next = scope.one('proxy_next_upstream');
  if (next?.args[0] === 'off') options.set('retries', 0, next);
  else if (next !== null) {
    const when = next.args.filter((word) => word === 'error' || word === 'timeout');
    const statuses = next.args.flatMap((word) => (/^http_[45]\d\d$/.test(word) ? [Number(word.slice(5))] : []));
    if (when.length > 0) options.set('retry_on', when, next);
    if (statuses.length > 0) options.set('failed_statuses', statuses, next);
    if (next.args.includes('non_idempotent')) ledger.differs(next, 'what is not idempotent is never sent twice');
  }
  const tries = scope.one('proxy_next_upstream_tries');
  const count = Number(tries?.args[0] ?? 0);
  if (tries !== null && count > 0) options.set('retries', Math.min(10, count - 1), tries);
}

function writeTls(options: Draft, scope: Scope, { pathOf }: NginxContext): void {
  const verify = scope.one('proxy_ssl_verify');
  if (verify === null) options.assume('tls_verify', false, "nginx's default");
  else options.set('tls_verify', verify.args[0] === 'on', verify);
  const authorities = scope.one('proxy_ssl_trusted_certificate');
  if (authorities !== null) options.set('tls_ca', pathOf(authorities.args[0] ?? ''), authorities);
  const name = scope.one('proxy_ssl_name');
  if (name !== null && !hasVariables(name.args[0] ?? '')) options.set('tls_server_name', name.args[0] ?? '', name);
}

/** Fields that Viaduct sends by itself, when they have one of these values. */
const FORWARDED: Readonly<Record<string, RegExp>> = {
  'x-forwarded-for': /^\$(?:proxy_add_x_forwarded_for|remote_addr|http_x_forwarded_for)$/,
  'x-forwarded-proto': /^\$(?:scheme|http_x_forwarded_proto)$|^https?$/,
  'x-forwarded-host': /^\$(?:host|http_host|server_name)(?::\$server_port)?$/,
  'x-forwarded-port': /^\$server_port$|^\d+$/,
  upgrade: /^\$http_upgrade$/,
  connection: /^(?:upgrade|Upgrade|close|\$connection_upgrade|\$http_connection|)$/,
};

function writeFields(
  route: Draft,
  authority: string,
  pass: Directive,
  server: Server,
  scope: Scope,
  { ledger }: NginxContext,
): void {
  const options = route.table('proxy_options');
  const request = route.table('headers').table('request');
  let hasHost = false;
  for (const directive of scope.take('proxy_set_header')) {
    const [name = '', value = ''] = directive.args;
    const lower = name.toLowerCase();
    if (!isFieldName(name) || !isFieldValue(value)) ledger.lost(directive, 'it is no field');
    else if (lower === 'host') {
      hasHost = true;
      writeHost(options, value, authority, directive, server, ledger);
    } else if (FORWARDED[lower]?.test(value)) ledger.needless(directive, 'Viaduct does so by itself');
    else if (isFraming(name)) ledger.lost(directive, 'this field is for Viaduct to send');
    else if (value === '') request.push('remove', name, directive);
    else {
      const filled = templateOf(value, { serverName: server.names[0] });
      if ('unknown' in filled) ledger.lost(directive, `${filled.unknown} has no counterpart`);
      else request.table('set').set(name, filled.text, directive);
    }
  }
  if (!hasHost) {
    options.set('host', hostOf(authority), pass);
    const corrected = scope.one('proxy_redirect');
    if (corrected?.args[0] === 'off') ledger.needless(corrected, 'Location is passed on as backends write it');
    else ledger.differs(corrected ?? pass, 'a Location with the name of the backend goes to clients as it is');
  }
  for (const directive of scope.take('proxy_hide_header')) {
    const [name = ''] = directive.args;
    if (isFieldName(name) && !isFraming(name)) route.table('headers').push('remove', name, directive);
    else ledger.lost(directive, 'it is no field');
  }
}

/** What nginx has in `$proxy_host`. */
function hostOf(authority: string): string {
  return authority.startsWith('unix:') ? 'localhost' : authority.replace(/:80$/, '');
}

function writeHost(
  options: Draft,
  value: string,
  authority: string,
  directive: Directive,
  server: Server,
  ledger: NginxContext['ledger'],
): void {
  if (/^\$(?:host|http_host)(?::\$server_port)?$/.test(value)) {
    ledger.needless(directive, 'backends get the host that the client asked for, with its port');
  } else if (value === '$proxy_host') options.set('host', hostOf(authority), directive);
  else if (value === '$server_name' && server.names[0] !== undefined) options.set('host', server.names[0], directive);
  else if (/^[\w.-]+(?::\d+)?$/.test(value)) options.set('host', value, directive);
  else ledger.lost(directive, `"${value}" is no host, and hosts have no variables; backends get the client's`);
}
