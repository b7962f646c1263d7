import type { IncomingMessage } from 'node:http';

/** Where a request goes, as `Request` has it. */
export interface Target {
  readonly path: string;
  readonly query: string;
  readonly scriptName: string;
  /** Of an absolute-form target; else ''. */
  readonly authority: string;
}

/** What Express and Connect add to a request. */
export interface FrameworkRequest extends IncomingMessage {
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly ip?: string;
  readonly protocol?: string;
  readonly body?: unknown;
  readonly rawBody?: unknown;
}

/**
 * Express and Connect cut the path that a handler is mounted under from `url`, and keep the whole in `originalUrl`; Express has what it cut in `baseUrl`.
 * What another middleware made of `url` is what counts. `scriptName`, where it is given, is a prefix of the whole.
 */
export function targetOf(request: FrameworkRequest, scriptName: string | undefined): Target {
  const { url = '/', originalUrl } = request;
  const { authority, path, query } = split(url);
  if (originalUrl === undefined || originalUrl === url || scriptName !== undefined) {
    const whole = originalUrl === undefined || originalUrl === url ? path : split(originalUrl).path;
    return { path: whole, query, scriptName: scriptName ?? '', authority };
  }
  const whole = split(originalUrl);
  const mount = request.baseUrl ?? cutFrom(whole.path, path);
  const isMountItself = path === '/' && whole.path === mount;
  return { path: isMountItself ? mount : mount + path, query, scriptName: mount, authority: whole.authority };
}

/** What stands in `whole` before `rest`. A slash that was added to an empty rest does not count. */
function cutFrom(whole: string, rest: string): string {
  if (whole.endsWith(rest)) return whole.slice(0, -rest.length);
  return rest === '/' ? whole : '';
}

function split(url: string): Omit<Target, 'scriptName'> {
  const question = url.indexOf('?');
  const query = question < 0 ? '' : url.slice(question + 1);
  const path = question < 0 ? url : url.slice(0, question);
  if (path.startsWith('/') || path === '*') return { authority: '', path, query };
  const [, authority = '', rest = ''] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/]*)(.*)$/.exec(path) ?? [];
  return { authority, path: rest === '' ? '/' : rest, query };
}
