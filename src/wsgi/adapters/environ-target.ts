import type { Environ } from '../contract.ts';
import { percentDecode, percentEncode } from '../variables.ts';

/** The target of an environ's request: path and query as received, unless middleware has changed them. It starts with a slash. */
export function targetOf(environ: Environ): string {
  const { REQUEST_URI, SCRIPT_NAME, PATH_INFO, QUERY_STRING } = environ;
  const target = REQUEST_URI.replace(ORIGIN, '');
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (path.startsWith('/') && query === QUERY_STRING && percentDecode(path) === SCRIPT_NAME + PATH_INFO) return target;
  const changed = percentEncode(SCRIPT_NAME + PATH_INFO);
  return `${changed.startsWith('/') ? '' : '/'}${changed}${QUERY_STRING === '' ? '' : `?${QUERY_STRING}`}`;
}

/** Scheme and authority of a target in absolute-form (RFC 9112 section 3.2.2). */
const ORIGIN = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/;

/** The header fields of an environ: names in lower case, values as latin-1. */
export function headersOf(environ: Environ): [name: string, value: string][] {
  const headers: [string, string][] = [];
  for (const [key, value] of Object.entries(environ)) {
    if (!key.startsWith('HTTP_') || typeof value !== 'string') continue;
    headers.push([key.slice(5).toLowerCase().replaceAll('_', '-'), value]);
  }
  const { CONTENT_TYPE, CONTENT_LENGTH } = environ;
  if (CONTENT_TYPE !== undefined) headers.push(['content-type', CONTENT_TYPE]);
  if (CONTENT_LENGTH !== undefined) headers.push(['content-length', CONTENT_LENGTH]);
  return headers;
}

/** Whether a URL can have `host` as its authority. */
export function isHost(host: string): boolean {
  return /^(\[[0-9a-fA-F:.]+\]|[^\s/?#@\\:[\]]+)(:\d{1,5})?$/.test(host) && URL.canParse(`http://${host}/`);
}
