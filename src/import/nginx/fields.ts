import type { ConfigBuilder } from '../config-builder.ts';
import { isFieldName, isFieldValue, isFraming } from './forms.ts';
import { textOf } from './model/bytes.ts';
import { fill } from './placeholders.ts';
import { type RouteSink, type StepState, valuesAt } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Fields that a response can have several times. */
const SEVERAL: ReadonlySet<string> = new Set(['set-cookie', 'link', 'vary']);

/** Carries over `add_header` and `expires`. For files, `Cache-Control` is an option of its own. */
export function writeFieldsOfResponses(route: ConfigBuilder, state: StepState, writer: RouteSink): void {
  const { report, scopeOf } = writer.context;
  const { settings } = state.level;
  const scope = scopeOf(state.level);
  const headers = route.table('headers');
  const caching: { value: string; directive: Directive }[] = [];
  const expires = scope.one('expires');
  if (expires !== null && settings.expires.kind === 'value')
    caching.push({ value: settings.expires.cacheControl, directive: expires });
  else if (expires !== null && settings.expires.kind !== 'off')
    report.lost(expires, 'only a time, max, epoch and off have a counterpart');
  const written = scope.take('add_header');
  for (const [index, { name, value, always }] of settings.fields.entries()) {
    const directive = written[index];
    if (directive === undefined) continue;
    const filled = fill(value, valuesAt(state, writer));
    const lower = name.toLowerCase();
    if (!isFieldName(name)) report.lost(directive, 'it is not a field');
    else if ('unknown' in filled) report.lost(directive, `${filled.unknown} has no counterpart`);
    else if (!isFieldValue(filled.text)) report.lost(directive, 'it is not a field');
    else if (isFraming(name)) report.lost(directive, 'only Viaduct sends this field');
    else if (filled.text === '') continue;
    else if (lower === 'cache-control') caching.push({ value: filled.text, directive });
    else if (lower === 'content-type' && route.tables.has('respond'))
      route.table('respond').set('content_type', filled.text, directive);
    else {
      const table = always ? headers : headers.table('success');
      if (SEVERAL.has(lower)) table.table('add').push(textOf(name), filled.text, directive);
      else table.table('set').set(textOf(name), filled.text, directive);
    }
  }
  writeCaching(route, caching);
}

function writeCaching(route: ConfigBuilder, caching: readonly { value: string; directive: Directive }[]): void {
  if (caching.length === 0) return;
  const value = caching.map((one) => one.value).join(', ');
  const from = caching.map((one) => one.directive);
  const isFiles = route.get('static') !== undefined && route.get('proxy') === undefined && !value.includes('{');
  if (isFiles) route.table('static_options').set('cache_control', [{ pattern: '*', value }], ...from);
  else
    route
      .table('headers')
      .table('success')
      .table('set')
      .set('Cache-Control', value, ...from);
}
