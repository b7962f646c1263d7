import type { Request } from '../http/message.ts';
import { percentDecode } from './variables.ts';

/**
 * PATH_INFO of a request (RFC 3875 section 4.1.5, PEP 3333): its path without the part that leads to the application, percent-decoded, one
 * latin-1 character a byte. The asterisk-form (RFC 9112 section 3.2.4) has no path, so its PATH_INFO is empty.
 *
 * This function and those below are the only owners of these variables: for Python workers, for applications in TypeScript and for backends
 * that speak uwsgi, FastCGI or SCGI.
 */
export function pathInfo({ path, scriptName }: Pick<Request, 'path' | 'scriptName'>): string {
  if (scriptName === '' && !path.includes('%')) return path === '*' ? '' : path;
  return percentDecode(path.slice(scriptName.length));
}

/** SCRIPT_NAME of a request (RFC 3875 section 4.1.13): what leads to the application, percent-decoded; '' where it answers every path. */
export function decodedScriptName({ scriptName }: Pick<Request, 'scriptName'>): string {
  return scriptName === '' ? '' : percentDecode(scriptName);
}

/** REQUEST_URI and RAW_URI of a request: the target as received, which may have the absolute-form (RFC 9112 section 3.2.2). */
export function requestUri({ path, query, received = '' }: Pick<Request, 'path' | 'query' | 'received'>): string {
  if (received !== '') return received;
  return query === '' ? path : `${path}?${query}`;
}

/** The part of a target after the path: `?` and the query as received, '' without a `?`. */
export function searchOf({ query, received }: Pick<Request, 'query' | 'received'>): string {
  if (query === '') return received?.endsWith('?') === true ? '?' : '';
  return `?${query}`;
}
