import { ConfigBuilder, type Value } from '../config-builder.ts';
import { wholeOf } from './forms.ts';
import { textOf } from './model/bytes.ts';
import { constantOf, parseTemplate } from './model/template.ts';
import { fill } from './placeholders.ts';
import type { Scope } from './scope.ts';
import { type RouteSink, type StepState, valuesAt } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Carries over `limit_req`. The bucket holds one request more than nginx's burst. */
export function writeRateLimit(route: ConfigBuilder, state: StepState, writer: RouteSink): void {
  const { report, zones, scopeOf } = writer.context;
  const scope = scopeOf(state.level);
  const limits: ConfigBuilder[] = [];
  for (const directive of scope.take('limit_req')) {
    const options = optionsOf(directive.args);
    const name = options.get('zone') ?? '';
    const zone = zones.get(`limit_req ${name}`);
    const [, count, unit] = /^(\d{1,7})r\/([sm])$/.exec(optionsOf(zone?.args ?? []).get('rate') ?? '') ?? [];
    if (zone === undefined || count === undefined) {
      report.lost(directive, 'the zone does not exist');
      continue;
    }
    const counted = countedBy(zone, name, state, writer);
    if ('problem' in counted) {
      report.lost(zone, counted.problem);
      continue;
    }
    const limit = new ConfigBuilder();
    report.took(zone);
    limit.set('zone', counted.zone, zone);
    limit.set('rate', `${count}/${unit === 'm' ? 'min' : 's'}`, zone);
    limit.set('burst', (wholeOf(options.get('burst'), 999_999) ?? 0) + 1, directive);
    if (counted.per !== 'address') limit.set('per', counted.per, zone);
    limits.push(limit);
    const status = scope.one('limit_req_status')?.args[0] ?? '503';
    const isDelayed = !directive.args.includes('nodelay') && options.has('burst');
    if (isDelayed) report.differs(directive, 'requests within the burst are answered at once and not delayed');
    if (status !== '429') report.differs(directive, `excess requests get 429, not ${status}`);
  }
  writeLimits(route, 'rate_limit', limits);
}

/** Carries over `limit_conn` as a limit of concurrent requests. */
export function writeRequestLimit(route: ConfigBuilder, state: StepState, writer: RouteSink): void {
  const { report, zones, scopeOf } = writer.context;
  const scope = scopeOf(state.level);
  const status = scope.one('limit_conn_status');
  const limits: ConfigBuilder[] = [];
  for (const directive of scope.take('limit_conn')) {
    const [name = '', number = ''] = directive.args;
    const zone = zones.get(`limit_conn ${name}`);
    if (zone === undefined || !/^\d{1,6}$/.test(number)) {
      report.lost(directive, 'the zone does not exist');
      continue;
    }
    const counted = countedBy(zone, name, state, writer);
    if ('problem' in counted) {
      report.lost(zone, counted.problem);
      continue;
    }
    const limit = new ConfigBuilder();
    report.took(zone);
    limit.set('zone', counted.zone, zone);
    limit.set(counted.per === 'route' ? 'total_max' : 'max', Math.max(1, Number(number)), directive);
    if (counted.per !== 'route' && counted.per !== 'address') limit.set('per', counted.per, zone);
    if (status?.args[0] === '429') limit.set('status', 429, status);
    else if (status !== null && status.args[0] !== '503') report.lost(status, 'the status must be 503 or 429');
    limits.push(limit);
  }
  writeLimits(route, 'request_limit', limits);
}

/** One limit is a table, and several are a list of tables. */
function writeLimits(route: ConfigBuilder, key: string, limits: readonly ConfigBuilder[]): void {
  const [only, ...others] = limits;
  if (only === undefined) return;
  if (others.length === 0) route.tables.set(key, only);
  else route.lists.set(key, [...limits]);
}

type Counted = { readonly zone: string; readonly per: Value } | { readonly problem: string };

/** The zone of the settings, and what it counts by: the key of nginx's zone. */
function countedBy(zone: Directive, name: string, state: StepState, writer: RouteSink): Counted {
  const [key = ''] = zone.args;
  if (/^\$(?:binary_)?remote_addr$/.test(key)) return { zone: name, per: 'address' };
  if (key === '$server_name') {
    const server = textOf(writer.server.name);
    if (server === '') return { problem: 'nginx does not count the requests of a server without a name' };
    return { zone: `${name} of ${server}`, per: 'route' };
  }
  const field = /^\$http_(\w+)$/.exec(key)?.[1];
  if (field !== undefined) return { zone: name, per: { header: field.replaceAll('_', '-') } };
  const template = parseTemplate(key.replaceAll('$binary_remote_addr', '$remote_addr'));
  const filled = fill(template, valuesAt(state, writer));
  if ('unknown' in filled) return { problem: `${filled.unknown} has no counterpart` };
  if (constantOf(template) !== null) return { zone: name, per: 'route' };
  if (/^(?:\{map\.[^{}]*\}|\{(?:query|cookie)\.[^{}]*\})+$/.test(filled.text))
    writer.context.report.differs(
      zone,
      'a request whose key is empty counts by its address; in nginx it does not count',
    );
  return { zone: name, per: { text: filled.text } };
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
