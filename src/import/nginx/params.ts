import type { ConfigBuilder } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import { expressionOf } from './expression.ts';
import type { Root, SendingModule } from './model/model.ts';
import { constantOf, type Template } from './model/template.ts';
import { fill, type Values } from './placeholders.ts';
import { shown } from './sent-fields.ts';
import { type RouteSink, type StepState, valuesAt } from './step-state.ts';

/** What backends over a CGI protocol receive anyway, with the texts that mean the same. */
const STANDARD: Readonly<Record<string, RegExp>> = {
  QUERY_STRING: /^\$(?:query_string|args)$/,
  REQUEST_METHOD: /^\$request_method$/,
  CONTENT_TYPE: /^\$content_type$/,
  CONTENT_LENGTH: /^\$content_length$/,
  REQUEST_URI: /^\$request_uri$/,
  PATH_INFO: /^\$(?:document_uri|uri)$/,
  SERVER_PROTOCOL: /^\$server_protocol$/,
  REQUEST_SCHEME: /^\$scheme$/,
  UWSGI_SCHEME: /^\$scheme$/,
  HTTPS: /^\$https$/,
  REMOTE_ADDR: /^\$remote_addr$/,
  REMOTE_PORT: /^\$remote_port$/,
  // what nginx sends here is a claim of the client; Viaduct sends the user whose password it verified
  REMOTE_USER: /^\$remote_user$/,
  SERVER_PORT: /^\$server_port$/,
  SERVER_NAME: /^\$(?:server_name|host)$/,
  HTTP_HOST: /^\$(?:host|http_host)(?::\$server_port)?$/,
  HTTP_X_FORWARDED_FOR: /^\$(?:proxy_add_x_forwarded_for|remote_addr)$/,
  HTTP_X_FORWARDED_PROTO: /^\$scheme$/,
};

/** Variables about the server and its files, which applications do not read. */
const NEEDLESS = /^(?:DOCUMENT_ROOT|DOCUMENT_URI|SERVER_ADDR|GATEWAY_INTERFACE|REDIRECT_STATUS|SCGI|SERVER_SOFTWARE)$/;

/** Carries over variables that `uwsgi_param` and similar directives add. */
export function writeParams(route: ConfigBuilder, module: SendingModule, state: StepState, writer: RouteSink): void {
  const { report, scopeOf }: NginxContext = writer.context;
  const written = scopeOf(state.level).take(`${module}_param`);
  const sent = state.level.settings.sent[module];
  const params = route.table('proxy_options').table('params');
  const values = valuesFor(state, writer);
  const names = new Set(sent.map(({ name }) => name));
  for (const [index, { name, value, unlessEmpty }] of sent.entries()) {
    const directive = written[index];
    if (directive === undefined || NEEDLESS.test(name) || STANDARD[name]?.test(shown(value)) === true) continue;
    if (!/^[\x21-\x3c\x3e-\x7e]+$/.test(name)) {
      report.lost(directive, 'it is not the name of a variable');
      continue;
    }
    const filled = fill(value, values);
    if ('unknown' in filled) report.lost(directive, `${filled.unknown} has no counterpart`);
    else {
      if (value.some((part) => part.kind === 'variable' && part.name === 'realpath_root'))
        report.differs(directive, 'links in the path of $realpath_root are not resolved');
      params.set(name, filled.text, directive);
      if (unlessEmpty && /\{[a-z]/.test(filled.text))
        report.differs(directive, 'backends get the variable even if it is empty');
    }
  }
  // SCRIPT_NAME is the start of the path, and PATH_INFO the rest
  if (/\{path\.decoded\}/.test(`${params.get('SCRIPT_NAME')}`) && !names.has('PATH_INFO'))
    params.assume('PATH_INFO', '', 'nginx sends SCRIPT_NAME alone');
}

/** Maps from the path to its script, and to what follows the script. */
interface Split {
  readonly script: string;
  readonly rest: string;
}

/** Writes the maps for `fastcgi_split_path_info`. Levels with the same pattern share them. */
function writeSplit({ level, rewrite }: StepState, { context }: RouteSink): Split | null {
  const directive = context.scopeOf(level).one('fastcgi_split_path_info');
  if (directive === null) return null;
  const expression = expressionOf(directive.args[0] ?? '', false);
  const wrong = 'wrong' in expression ? expression.wrong : rewrite === null ? '' : 'behind a rewrite it has none';
  if (wrong !== '' || 'wrong' in expression) {
    context.report.lost(directive, wrong);
    return null;
  }
  const maps = context.builder.table('map');
  const names = { script: 'fastcgi_script_name', rest: 'fastcgi_path_info' };
  for (let count = 2; isTaken(maps, names.script, expression.source); count += 1) {
    names.script = `fastcgi_script_name_${count}`;
    names.rest = `fastcgi_path_info_${count}`;
  }
  for (const [name, value, otherwise] of [
    [names.script, '{1}', '{path.decoded}'],
    [names.rest, '{2}', ''],
  ] as const) {
    const map = maps.table(name);
    map.set('source', '{path.decoded}', directive);
    map.set('pattern', [{ pattern: expression.source, value }], directive);
    if (otherwise !== '') map.set('default', otherwise, directive);
  }
  return names;
}

/** Whether there is a map of this name for another pattern. */
function isTaken(maps: ConfigBuilder, name: string, pattern: string): boolean {
  const known = maps.tables.get(name);
  return known !== undefined && JSON.stringify(known.get('pattern')) !== JSON.stringify([{ pattern, value: '{1}' }]);
}

/** The values of variables, with those that modules for CGI protocols make. `$uri` is decoded. */
function valuesFor(state: StepState, writer: RouteSink): Values {
  const values = valuesAt(state, writer);
  const { root } = state.level.settings;
  const uri = state.assigned.get('uri') ?? [{ kind: 'variable', name: 'uri' } as const];
  const field = (name: string): Template => [{ kind: 'variable', name: `http_${name}` }];
  const split = writeSplit(state, writer);
  const known = new Map<string, Template>([
    ['fastcgi_script_name', split === null ? uri : [{ kind: 'variable', name: split.script }]],
    ['fastcgi_path_info', split === null ? [] : [{ kind: 'variable', name: split.rest }]],
    ['content_type', field('content_type')],
    ['content_length', field('content_length')],
    ...fileVariables(root, uri),
    ...(values.assigned ?? []),
  ]);
  const maps = new Set([...(values.maps ?? []), ...(split === null ? [] : [split.script, split.rest])]);
  return { ...values, maps, assigned: known, isDecoded: true };
}

/** `$document_root`, `$realpath_root` and `$request_filename`, which have a form for a constant `root`. */
function fileVariables({ path, replaces }: Root, uri: Template): [string, Template][] {
  if (constantOf(path) === null) return [];
  return [
    ['document_root', path],
    ['realpath_root', path],
    ...(replaces === 0 ? ([['request_filename', [...path, ...uri]]] as [string, Template][]) : []),
  ];
}
