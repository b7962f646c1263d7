import type { ConfigBuilder } from '../config-builder.ts';
import type { NginxContext } from './context.ts';
import type { Scope } from './scope.ts';
import { hasVariables } from './template.ts';

/** Variables that every backend over a CGI protocol receives. */
const STANDARD: ReadonlySet<string> = new Set([
  ...['QUERY_STRING', 'REQUEST_METHOD', 'CONTENT_TYPE', 'CONTENT_LENGTH', 'REQUEST_URI', 'PATH_INFO', 'SCRIPT_NAME'],
  ...['DOCUMENT_ROOT', 'DOCUMENT_URI', 'SERVER_PROTOCOL', 'REQUEST_SCHEME', 'UWSGI_SCHEME', 'HTTPS', 'SCGI'],
  ...['REMOTE_ADDR', 'REMOTE_PORT', 'SERVER_ADDR', 'SERVER_PORT', 'SERVER_NAME', 'SERVER_SOFTWARE'],
  ...[
    'GATEWAY_INTERFACE',
    'REDIRECT_STATUS',
    'HTTP_HOST',
    'HTTP_X_FORWARDED_FOR',
    'HTTP_X_FORWARDED_PROTO',
    'HTTP_X_REAL_IP',
  ],
]);

/** Carries over variables that `uwsgi_param` and similar directives add. */
export function writeParams(options: ConfigBuilder, kind: string, scope: Scope, { report }: NginxContext): void {
  for (const directive of scope.take(`${kind}_param`)) {
    const [name = '', value = ''] = directive.args;
    const isVariable = hasVariables(value);
    if (isVariable && STANDARD.has(name)) continue;
    if (isVariable) report.lost(directive, 'params cannot contain variables');
    else if (/^(?:GATEWAY_INTERFACE|REDIRECT_STATUS|SCGI|SERVER_SOFTWARE)$/.test(name)) continue;
    else options.table('params').set(name, value, directive);
  }
}
