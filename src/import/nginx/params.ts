import type { ConfigBuilder } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import { textOf } from './model/bytes.ts';
import type { SendingModule } from './model/model.ts';
import { constantIn } from './placeholders.ts';
import type { RouteSink, StepState } from './step-state.ts';

/** Variables that every backend over a CGI protocol receives. */
const STANDARD: ReadonlySet<string> = new Set([
  ...['QUERY_STRING', 'REQUEST_METHOD', 'CONTENT_TYPE', 'CONTENT_LENGTH', 'REQUEST_URI', 'PATH_INFO', 'SCRIPT_NAME'],
  ...['DOCUMENT_ROOT', 'DOCUMENT_URI', 'SERVER_PROTOCOL', 'REQUEST_SCHEME', 'UWSGI_SCHEME', 'HTTPS', 'SCGI'],
  ...['REMOTE_ADDR', 'REMOTE_PORT', 'SERVER_ADDR', 'SERVER_PORT', 'SERVER_NAME', 'SERVER_SOFTWARE'],
  ...['GATEWAY_INTERFACE', 'REDIRECT_STATUS', 'HTTP_HOST', 'HTTP_X_FORWARDED_FOR', 'HTTP_X_FORWARDED_PROTO'],
  'HTTP_X_REAL_IP',
]);

/** Carries over variables that `uwsgi_param` and similar directives add. */
export function writeParams(route: ConfigBuilder, module: SendingModule, state: StepState, writer: RouteSink): void {
  const { report, scopeOf }: NginxContext = writer.context;
  const written = scopeOf(state.level).take(`${module}_param`);
  for (const [index, { name, value }] of state.level.settings.sent[module].entries()) {
    const directive = written[index];
    if (directive === undefined) continue;
    const constant = constantIn(value, state.assigned);
    if (constant === null && STANDARD.has(name)) continue;
    if (constant === null && name === 'SCRIPT_FILENAME')
      report.lost(
        directive,
        'Viaduct cannot name the script of a request, which PHP needs: leave PHP to its web server, and pass requests on to that',
      );
    else if (constant === null) report.lost(directive, 'params cannot contain variables');
    else if (/^(?:GATEWAY_INTERFACE|REDIRECT_STATUS|SCGI|SERVER_SOFTWARE)$/.test(name)) continue;
    else route.table('proxy_options').table('params').set(textOf(name), textOf(constant), directive);
  }
}
