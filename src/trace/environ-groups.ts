import type { EnvironItem } from './document.ts';
import type { PythonVariable } from './python-part.ts';
import { redactField, redactQuery, redactTarget } from './redact.ts';

/** The variables of CGI about a request (RFC 3875 section 4.1), and what servers add to them. */
const OF_REQUEST: ReadonlySet<string> = new Set([
  ...['REQUEST_METHOD', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'CONTENT_TYPE', 'CONTENT_LENGTH'],
  ...['REMOTE_ADDR', 'REMOTE_PORT', 'REMOTE_HOST', 'REMOTE_USER', 'REMOTE_IDENT', 'AUTH_TYPE', 'REQUEST_URI'],
  ...['RAW_URI', 'REQUEST_SCHEME', 'HTTPS', 'PATH_TRANSLATED'],
]);
const OF_SERVER = /^(?:SERVER_[A-Z]+|GATEWAY_INTERFACE|DOCUMENT_ROOT|SSL_[A-Z0-9_]+|viaduct\..*)$/;

/**
 * The environ in the groups of PEP 3333: the CGI variables about the request (also `HTTP_*`), those about the server, the variables of WSGI
 * (`wsgi.*`), and the environment of the process. Within a group the order stays. Secrets are redacted.
 */
export function groupedEnviron(variables: readonly PythonVariable[]): EnvironItem[] {
  const items = variables.map(([name, value]) => ({ group: groupOf(name), name, value: shown(name, value) }));
  return ORDER.flatMap((group) => items.filter((item) => item.group === group));
}

const ORDER = ['request', 'server', 'wsgi', 'process'] as const;

function groupOf(name: string): EnvironItem['group'] {
  if (name.startsWith('HTTP_') || OF_REQUEST.has(name)) return 'request';
  if (name.startsWith('wsgi.')) return 'wsgi';
  return OF_SERVER.test(name) ? 'server' : 'process';
}

function shown(name: string, value: string): string {
  if (name === 'QUERY_STRING') return redactQuery(value);
  if (name === 'REQUEST_URI' || name === 'RAW_URI' || name === 'HTTP_REFERER') return redactTarget(value);
  return redactField(name, value)[1];
}
