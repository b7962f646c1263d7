import type { ConfigBuilder, Value } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import { wholeOf } from './forms.ts';
import type { Scope } from './scope.ts';
import type { Directive } from './tree.ts';

/** Carries over `limit_req`. The bucket holds one request more than nginx's burst. */
export function writeRateLimit(route: ConfigBuilder, scope: Scope, { report, zones }: NginxContext): void {
  const all = scope.take('limit_req');
  for (const [index, directive] of all.entries()) {
    const options = optionsOf(directive.args);
    const zone = zones.get(`limit_req ${options.get('zone') ?? ''}`);
    const [, count, unit] = /^(\d{1,7})r\/([sm])$/.exec(optionsOf(zone?.args ?? []).get('rate') ?? '') ?? [];
    const per = perOf(zone?.args[0] ?? '');
    if (index > 0) report.lost(directive, 'a route can have one rate_limit');
    else if (zone === undefined || count === undefined) report.lost(directive, 'the zone does not exist');
    else if (per === null) report.lost(zone, 'requests are counted by address, by a field, or all of a route');
    else {
      const limit = route.table('rate_limit');
      report.took(zone);
      limit.set('rate', `${count}/${unit === 'm' ? 'min' : 's'}`, zone);
      limit.set('burst', (wholeOf(options.get('burst'), 999_999) ?? 0) + 1, directive);
      if (per !== 'address') limit.set('per', per, zone);
      const status = scope.one('limit_req_status')?.args[0] ?? '503';
      const isDelayed = !directive.args.includes('nodelay') && options.has('burst');
      if (isDelayed) report.differs(directive, 'requests within the burst are answered at once and not delayed');
      if (status !== '429') report.differs(directive, `excess requests get 429, not ${status}`);
    }
  }
}

/** Carries over `limit_conn` as a limit of concurrent requests. */
export function writeRequestLimit(route: ConfigBuilder, scope: Scope, { report, zones }: NginxContext): void {
  for (const directive of scope.take('limit_conn')) {
    const [name = '', number = ''] = directive.args;
    const zone = zones.get(`limit_conn ${name}`);
    const per = perOf(zone?.args[0] ?? '');
    if (zone === undefined || !/^\d{1,6}$/.test(number)) report.lost(directive, 'the zone does not exist');
    else if (per === null) report.lost(zone, 'requests are counted by address, by a field, or all of a route');
    else {
      const limit = route.table('request_limit');
      report.took(zone);
      limit.set(per === 'route' ? 'total_max' : 'max', Math.max(1, Number(number)), directive);
      if (per !== 'route' && per !== 'address') limit.set('per', per, zone);
      const status = scope.one('limit_conn_status');
      if (status?.args[0] === '429') limit.set('status', 429, status);
      else if (status !== null && status.args[0] !== '503') report.lost(status, 'the status must be 503 or 429');
    }
  }
}

/** What a zone counts by, from its key. */
function perOf(key: string): Value | null {
  if (/^\$(?:binary_)?remote_addr$/.test(key)) return 'address';
  if (key === '$server_name' || key === '$host') return 'route';
  const field = /^\$http_(\w+)$/.exec(key)?.[1];
  return field === undefined ? null : { header: field.replaceAll('_', '-') };
}

/** Words of the form `name=value`. A zone's name ends at the colon before its size. */
function optionsOf(words: readonly string[]): Map<string, string> {
  const pairs = words.flatMap((word): [string, string][] => {
    const [, name, value] = /^(\w+)=(.*)$/.exec(word) ?? [];
    return name === undefined || value === undefined
      ? []
      : [[name, name === 'zone' ? value.replace(/:.*$/, '') : value]];
  });
  return new Map(pairs);
}

/** The zones of an `http` block, by kind and name. */
export function readZones(http: Scope): Map<string, Directive> {
  const zones = new Map<string, Directive>();
  for (const directive of http.directives) {
    const kind = /^(limit_req|limit_conn)_zone$/.exec(directive.name)?.[1];
    const name = optionsOf(directive.args).get('zone');
    if (kind !== undefined && name !== undefined) zones.set(`${kind} ${name}`, directive);
  }
  return zones;
}
