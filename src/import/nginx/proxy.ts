import type { ConfigBuilder } from '../config-builder.ts';
import { type Scheme, writeBackends } from './backends.ts';
import type { Location, NginxContext, Server } from './context.ts';
import { literal } from './expression.ts';
import { isFieldName, isFieldValue, isFraming, isPlainPath } from './forms.ts';
import { writeParams } from './params.ts';
import type { Scope } from './scope.ts';
import { hasVariables, templateOf } from './template.ts';
import type { Directive } from './tree.ts';
import { readTime, showTime } from './values.ts';

export const PASS_DIRECTIVES = ['proxy_pass', 'grpc_pass', 'uwsgi_pass', 'fastcgi_pass', 'scgi_pass'] as const;

/** The schemes of `proxy_pass` and `grpc_pass`. */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['grpc', 'h2c'],
  ['grpcs', 'h2'],
]);

/** Makes a route forward its requests as `proxy_pass` and similar directives say. Returns false if that has no counterpart. */
export function writeProxy(
  route: ConfigBuilder,
  pass: Directive,
  location: Location,
  server: Server,
  context: NginxContext,
): boolean {
  const [written = ''] = pass.args;
  const kind = pass.name.replace('_pass', '');
  const { scope } = location;
  if (hasVariables(written)) {
    context.report.lost(pass, 'the target cannot contain variables; list the backends');
    return false;
  }
  if (kind !== 'proxy' && kind !== 'grpc') {
    const isWritten = writeBackends(route, kind as Scheme, written.replace(/^\w+:\/\//, ''), pass, context);
    writeTimes(route.table('proxy_options'), kind, scope);
    writeParams(route.table('proxy_options'), kind, scope, context);
    return isWritten;
  }
  const url = kind === 'grpc' && !/^\w+:\/\//.test(written) ? `grpc://${written}` : written;
  const target = (kind === 'grpc' ? GRPC_TARGET : HTTP_TARGET).exec(url);
  const scheme = SCHEMES.get(target?.[1] ?? '');
  if (target === null || scheme === undefined) {
    context.report.lost(pass, `it is neither ${kind === 'grpc' ? 'grpc:// nor grpcs://' : 'http:// nor https://'}`);
    return false;
  }
  const [, , authority = '', uri] = target;
  if (!writeBackends(route, scheme, authority, pass, context)) return false;
  if (uri !== undefined) writePath(route, uri, pass, location, context);
  const options = route.table('proxy_options');
  writeTimes(options, kind, scope);
  writeTries(options, kind, scope, context);
  writeFields(route, kind, authority, pass, server, scope, context);
  if (scheme === 'https' || scheme === 'h2') writeTls(options, kind, scope, context);
  return true;
}

const HTTP_TARGET = /^(https?):\/\/(unix:[^:]+|[^/]+)(?::?(\/.*))?$/;
const GRPC_TARGET = /^(grpcs?):\/\/(unix:.+|[^/]+)$/;

/** Writes the rewrite for a path in `proxy_pass`, which replaces the path of the location. */
function writePath(
  route: ConfigBuilder,
  uri: string,
  pass: Directive,
  location: Location,
  { report }: NginxContext,
): void {
  const { kind, path } = location;
  if (kind === 'pattern' || kind === 'named' || !isPlainPath(uri) || !isPlainPath(path)) {
    report.lost(pass, 'this path after a backend has no counterpart');
    return;
  }
  const rewrite = route.table('rewrite');
  if (kind === 'exact' || route.get('path') === path) {
    rewrite.set('pattern', `^${literal(path)}$`, pass);
    rewrite.set('to', uri, pass);
    return;
  }
  if (path.endsWith('/') !== uri.endsWith('/')) {
    report.differs(pass, 'the path of the location is replaced by whole segments');
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

function writeTimes(options: ConfigBuilder, kind: string, scope: Scope): void {
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

function writeTries(options: ConfigBuilder, kind: string, scope: Scope, { report }: NginxContext): void {
  const next = scope.one(`${kind}_next_upstream`);
  if (next?.args[0] === 'off') options.set('retries', 0, next);
  else if (next !== null) {
    const when = next.args.filter((word) => word === 'error' || word === 'timeout');
    const statuses = next.args.flatMap((word) => (/^http_[45]\d\d$/.test(word) ? [Number(word.slice(5))] : []));
    if (when.length > 0) options.set('retry_on', when, next);
    if (statuses.length > 0) options.set('failed_statuses', statuses, next);
    if (next.args.includes('non_idempotent'))
      report.differs(next, 'requests that are not idempotent are never sent twice');
  }
  const tries = scope.one(`${kind}_next_upstream_tries`);
  const count = Number(tries?.args[0] ?? 0);
  if (tries !== null && count > 0) options.set('retries', Math.min(10, count - 1), tries);
}

function writeTls(options: ConfigBuilder, kind: string, scope: Scope, { pathOf }: NginxContext): void {
  const verify = scope.one(`${kind}_ssl_verify`);
  if (verify === null) options.assume('tls_verify', false, "nginx's default");
  else options.set('tls_verify', verify.args[0] === 'on', verify);
  const authorities = scope.one(`${kind}_ssl_trusted_certificate`);
  if (authorities !== null) options.set('tls_ca', pathOf(authorities.args[0] ?? ''), authorities);
  const name = scope.one(`${kind}_ssl_name`);
  if (name !== null && !hasVariables(name.args[0] ?? '')) options.set('tls_server_name', name.args[0] ?? '', name);
}

/** Fields that Viaduct sends by itself, with the values that mean the same. */
const FORWARDED: Readonly<Record<string, RegExp>> = {
  'x-forwarded-for': /^\$(?:proxy_add_x_forwarded_for|remote_addr|http_x_forwarded_for)$/,
  'x-forwarded-proto': /^\$(?:scheme|http_x_forwarded_proto)$|^https?$/,
  'x-forwarded-host': /^\$(?:host|http_host|server_name)(?::\$server_port)?$/,
  'x-forwarded-port': /^\$server_port$|^\d+$/,
  upgrade: /^\$http_upgrade$/,
  connection: /^(?:upgrade|Upgrade|close|\$connection_upgrade|\$http_connection|)$/,
};

function writeFields(
  route: ConfigBuilder,
  kind: string,
  authority: string,
  pass: Directive,
  server: Server,
  scope: Scope,
  { report }: NginxContext,
): void {
  const options = route.table('proxy_options');
  const request = route.table('headers').table('request');
  let hasHost = false;
  for (const directive of scope.take(`${kind}_set_header`)) {
    const [name = '', value = ''] = directive.args;
    const lower = name.toLowerCase();
    if (!isFieldName(name) || !isFieldValue(value)) report.lost(directive, 'it is not a field');
    else if (lower === 'host') {
      hasHost = true;
      writeHost(options, value, authority, directive, server, report);
    } else if (FORWARDED[lower]?.test(value)) report.needless(directive, 'Viaduct does this by itself');
    else if (isFraming(name)) report.lost(directive, 'only Viaduct sends this field');
    else if (value === '') request.push('remove', name, directive);
    else {
      const filled = templateOf(value, { serverName: server.names[0] });
      if ('unknown' in filled) report.lost(directive, `${filled.unknown} has no counterpart`);
      else request.table('set').set(name, filled.text, directive);
    }
  }
  if (!hasHost) {
    options.set('host', hostOf(authority), pass);
    const corrected = scope.one('proxy_redirect');
    if (kind === 'proxy' && corrected?.args[0] === 'off')
      report.needless(corrected, 'Location is forwarded as backends send it');
    else if (kind === 'proxy')
      report.differs(corrected ?? pass, 'a Location with the name of the backend reaches clients unchanged');
  }
  for (const directive of scope.take(`${kind}_hide_header`)) {
    const [name = ''] = directive.args;
    if (isFieldName(name) && !isFraming(name)) route.table('headers').push('remove', name, directive);
    else report.lost(directive, 'it is not a field');
  }
}

/** The value of `$proxy_host` in nginx. */
function hostOf(authority: string): string {
  return authority.startsWith('unix:') ? 'localhost' : authority.replace(/:80$/, '');
}

function writeHost(
  options: ConfigBuilder,
  value: string,
  authority: string,
  directive: Directive,
  server: Server,
  report: NginxContext['report'],
): void {
  if (/^\$(?:host|http_host)(?::\$server_port)?$/.test(value)) {
    report.needless(directive, 'backends receive the requested host, with its port');
  } else if (value === '$proxy_host') options.set('host', hostOf(authority), directive);
  else if (value === '$server_name' && server.names[0] !== undefined) options.set('host', server.names[0], directive);
  else if (/^[\w.-]+(?::\d+)?$/.test(value)) options.set('host', value, directive);
  else
    report.lost(
      directive,
      `"${value}" is not a host, and hosts cannot contain variables; backends receive the client's host`,
    );
}
