import type { ConfigBuilder } from '../config-builder.ts';
import type { NginxContext, Server } from './context.ts';
import { isFieldName, isFieldValue, isFraming } from './forms.ts';
import type { Scope } from './scope.ts';
import { templateOf } from './template.ts';
import type { Directive } from './tree.ts';
import { readTime } from './values.ts';

/** Fields that a response can have several times. */
const SEVERAL: ReadonlySet<string> = new Set(['set-cookie', 'link', 'vary']);

/** Carries over `add_header` and `expires`. For files, `Cache-Control` is an option of its own. */
export function writeFieldsOfResponses(
  route: ConfigBuilder,
  scope: Scope,
  server: Server,
  context: NginxContext,
): void {
  const { report } = context;
  const headers = route.table('headers');
  const caching: { value: string; directive: Directive }[] = [];
  const expires = scope.one('expires');
  const lifetime = expires === null ? null : cacheControlOf(expires.args);
  if (expires !== null && lifetime === null) report.lost(expires, 'only a time, max, epoch and off have a counterpart');
  if (expires !== null && lifetime !== null && lifetime !== '') caching.push({ value: lifetime, directive: expires });
  for (const directive of scope.take('add_header')) {
    const [name = '', value = ''] = directive.args;
    const filled = templateOf(value, { serverName: server.names[0] });
    if (!isFieldName(name) || !isFieldValue(value)) report.lost(directive, 'it is not a field');
    else if ('unknown' in filled) report.lost(directive, `${filled.unknown} has no counterpart`);
    else if (isFraming(name)) report.lost(directive, 'only Viaduct sends this field');
    else if (name.toLowerCase() === 'cache-control') caching.push({ value: filled.text, directive });
    else if (name.toLowerCase() === 'content-type' && route.tables.has('respond')) {
      route.table('respond').set('content_type', filled.text, directive);
    } else if (SEVERAL.has(name.toLowerCase())) headers.table('add').push(name, filled.text, directive);
    else if (value !== '') headers.table('set').set(name, filled.text, directive);
  }
  if (caching.length === 0) return;
  const value = caching.map((one) => one.value).join(', ');
  const from = caching.map((one) => one.directive);
  const isFiles = route.get('static') !== undefined && route.get('proxy') === undefined && !value.includes('{');
  if (isFiles) route.table('static_options').set('cache_control', [{ pattern: '*', value }], ...from);
  else headers.table('set').set('Cache-Control', value, ...from);
}

/** The `Cache-Control` value for `expires`; '' for none, null if it has no counterpart. */
function cacheControlOf(args: readonly string[]): string | null {
  const [word = ''] = args;
  if (args.length !== 1) return null;
  if (word === 'off') return '';
  if (word === 'max') return 'max-age=315360000';
  if (word === 'epoch' || word.startsWith('-')) return 'no-cache';
  const ms = readTime(word);
  return ms === null ? null : `max-age=${Math.floor(ms / 1000)}`;
}
