import type { CgiParams } from '../../cgi/params.ts';
import type { CgiOrigin } from '../../http/message.ts';
import { isHost } from '../../http/semantics/host.ts';
import type { CgiProtocol } from '../address.ts';

/**
 * Variables that the application does not get as the front-end proxy sent them. The first lines are about the request: the application gets
 * them, but from the request that was made of them, so that they never contradict each other. Those of the last line are about the process
 * of the front-end proxy.
 */
const NOT_OWN: ReadonlySet<string> = new Set([
  ...['REQUEST_METHOD', 'REQUEST_URI', 'RAW_URI', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'CONTENT_TYPE'],
  ...['CONTENT_LENGTH', 'SERVER_PROTOCOL', 'SERVER_PORT', 'REMOTE_ADDR', 'REMOTE_PORT', 'HTTPS', 'REQUEST_SCHEME'],
  ...['UWSGI_SCHEME', 'SERVER_SOFTWARE', 'PATH', 'LD_LIBRARY_PATH'],
]);

/** Who the user is. Over FastCGI, HAProxy and nginx's own fastcgi_params send the name that the client claims, without a look at its password. */
const OF_USER: ReadonlySet<string> = new Set(['REMOTE_USER', 'AUTH_TYPE']);

/** A dot is in names of objects, such as `wsgi.input`. */
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,254}$/;

/**
 * The variables that the application gets as the front-end proxy sent them, such as DOCUMENT_ROOT, SSL_CLIENT_S_DN and what an administrator
 * adds. An empty variable is a missing one (RFC 3875 section 4.1). SERVER_NAME counts without its port, and if it is a host.
 */
export function ownVariables(variables: CgiParams, protocol: CgiProtocol): Pick<CgiOrigin, 'variables' | 'user'> {
  const own: string[] = [];
  const user: string[] = [];
  for (const [name, sent] of variables) {
    if (name.startsWith('HTTP_') || NOT_OWN.has(name) || !NAME.test(name)) continue;
    const value = name === 'SERVER_NAME' ? serverName(sent) : sent;
    if (value !== '') (protocol === 'fastcgi' && OF_USER.has(name) ? user : own).push(name, value);
  }
  return { variables: own, user };
}

function serverName(sent: string): string {
  return isHost(sent) ? sent.replace(/:\d*$/, '') : '';
}
