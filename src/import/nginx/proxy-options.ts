import type { ConfigBuilder } from '../config-builder.ts';
import type { Scheme } from './backends.ts';
import type { NginxContext } from './context.ts';
import type { Scope } from './scope.ts';
import { readTime, showTime } from './values.ts';

const DEFAULT = "nginx's default";

/** Writes how requests get to backends: times, buffers, repetitions and TLS. Defaults that differ are written out. */
export function writeProxyOptions(
  options: ConfigBuilder,
  module: string,
  scheme: Scheme,
  scope: Scope,
  context: NginxContext,
): void {
  writeTimes(options, module, scope);
  if (module !== 'grpc') writeBuffers(options, module, scope);
  writeTries(options, module, scope, context);
  if (scheme === 'https' || scheme === 'h2') writeTls(options, module, scope, context);
}

function writeTimes(options: ConfigBuilder, kind: string, scope: Scope): void {
  const set = (name: string, ...keys: readonly string[]) => {
    const directive = scope.one(`${kind}_${name}`);
    const ms = readTime(directive?.args[0] ?? '');
    if (directive === null || ms === null || ms === 0) return;
    for (const key of keys) options.set(key, showTime(Math.min(ms, 86_400_000)), directive);
  };
  set('connect_timeout', 'connect_timeout_ms');
  options.assume('connect_timeout_ms', '60s', DEFAULT);
  const longest = scope.one(`${kind}_send_timeout`);
  const read = readTime(scope.one(`${kind}_read_timeout`)?.args[0] ?? '') ?? 60_000;
  set('read_timeout', 'response_timeout_ms', 'idle_timeout_ms');
  if (longest !== null && (readTime(longest.args[0] ?? '') ?? 0) > read) set('send_timeout', 'idle_timeout_ms');
}

function writeBuffers(options: ConfigBuilder, kind: string, scope: Scope): void {
  for (const [name, key] of [
    ['buffering', 'buffer_response'],
    ['request_buffering', 'buffer_request'],
  ] as const) {
    const directive = scope.one(`${kind}_${name}`);
    if (directive === null) options.assume(key, true, DEFAULT);
    else if (directive.args[0] === 'on') options.set(key, true, directive);
  }
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
  if (verify === null) options.assume('tls_verify', false, DEFAULT);
  else options.set('tls_verify', verify.args[0] === 'on', verify);
  const authorities = scope.one(`${kind}_ssl_trusted_certificate`);
  if (authorities !== null) options.set('tls_ca', pathOf(authorities.args[0] ?? ''), authorities);
  const name = scope.one(`${kind}_ssl_name`);
  if (name !== null && !name.args[0]?.includes('$')) options.set('tls_server_name', name.args[0] ?? '', name);
}
