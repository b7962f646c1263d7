import type { ConfigBuilder } from '../config-builder.ts';
import { isFieldName, isFraming } from './forms.ts';
import { textOf } from './model/bytes.ts';
import type { Handler, SentField } from './model/model.ts';
import type { Template } from './model/template.ts';
import { constantIn, fill } from './placeholders.ts';
import { type RouteSink, type StepState, valuesAt } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Fields that Viaduct sends by itself, with the texts that mean the same. */
const FORWARDED: Readonly<Record<string, RegExp>> = {
  'x-forwarded-for': /^\$(?:proxy_add_x_forwarded_for|remote_addr|http_x_forwarded_for)$/,
  'x-forwarded-proto': /^\$(?:scheme|http_x_forwarded_proto)$/,
  'x-forwarded-host': /^\$(?:host|http_host|server_name|http_x_forwarded_host)(?::\$server_port)?$/,
  'x-forwarded-port': /^\$(?:server_port|http_x_forwarded_port)$/,
};

/** Writes the fields that a backend gets, among them Host. */
export function writeSentFields(
  route: ConfigBuilder,
  module: 'proxy' | 'grpc',
  authority: string,
  { statement }: Handler,
  state: StepState,
  writer: RouteSink,
): void {
  const { report, scopeOf } = writer.context;
  const pass = statement as Directive;
  const scope = scopeOf(state.level);
  const sent = state.level.settings.sent[module];
  const written = scope.take(`${module}_set_header`);
  const directiveOf = (field: SentField): Directive => written[sent.indexOf(field)] ?? pass;
  const isOwn = ownForwarding(sent);
  if (isOwn) route.table('proxy_options').set('forwarded', 'off', ...sent.filter(isForwarded).map(directiveOf));
  for (const field of sent) writeField(field, directiveOf(field));
  if (!sent.some(({ name }) => name.toLowerCase() === 'host'))
    route.table('proxy_options').set('host', hostOf(authority), pass);
  for (const directive of scope.take(`${module}_hide_header`)) {
    const [name = ''] = directive.args;
    if (isFieldName(name) && !isFraming(name)) route.table('headers').push('remove', name, directive);
    else report.lost(directive, 'it is not a field');
  }

  function writeField(field: SentField, directive: Directive): void {
    const { name, value } = field;
    const lower = name.toLowerCase();
    const request = route.table('headers').table('request');
    if (!isFieldName(name)) report.lost(directive, 'it is not a field');
    else if (lower === 'host') writeHost(route.table('proxy_options'), value, authority, directive, writer);
    else if (isForwarded(field) && !isOwn) report.needless(directive, 'Viaduct does this by itself');
    else if (isFraming(name)) tellFraming(lower, directive);
    else if (value.length === 0) request.push('remove', name, directive);
    else {
      const filled = fill(value, valuesAt(state, writer));
      if ('text' in filled) request.table('set').set(name, filled.text, directive);
      else {
        report.lost(directive, `${filled.unknown} has no counterpart, so backends get no ${name}`);
        request.push('remove', name, directive);
      }
    }
  }

  function tellFraming(name: string, directive: Directive): void {
    if (name === 'connection' || name === 'upgrade') report.needless(directive, 'Viaduct does this by itself');
    else report.lost(directive, 'only Viaduct sends this field');
  }
}

function isForwarded({ name }: SentField): boolean {
  return Object.hasOwn(FORWARDED, name.toLowerCase());
}

/** Whether one of these fields has another value than the one that Viaduct sends. */
function ownForwarding(sent: readonly SentField[]): boolean {
  return sent.some(
    (field) => isForwarded(field) && FORWARDED[field.name.toLowerCase()]?.test(shown(field.value)) === false,
  );
}

/** A template as nginx writes it. */
export function shown(template: Template): string {
  return template
    .map((part) => (part.kind === 'text' ? part.text : part.kind === 'variable' ? `$${part.name}` : '$1'))
    .join('');
}

/** The value of `$proxy_host` in nginx. */
function hostOf(authority: string): string {
  return authority.startsWith('unix:') ? 'localhost' : authority.replace(/:80$/, '');
}

function writeHost(
  options: ConfigBuilder,
  value: Template,
  authority: string,
  directive: Directive,
  { context: { report }, server }: RouteSink,
): void {
  const text = shown(value);
  const constant = constantIn(value);
  if (/^\$(?:host|http_host)(?::\$server_port)?$/.test(text)) {
    report.needless(directive, 'backends receive the requested host, with its port');
  } else if (text === '$proxy_host') options.set('host', hostOf(authority), directive);
  else if (text === '$server_name' && server.name !== '') options.set('host', textOf(server.name), directive);
  else if (constant !== null && /^[\w.-]+(?::\d+)?$/.test(constant)) options.set('host', constant, directive);
  else
    report.lost(
      directive,
      `"${text}" is not a host, and hosts cannot contain variables; backends receive the client's host`,
    );
}
