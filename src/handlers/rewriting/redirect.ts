import { ViaductError } from '../../errors.ts';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { NO_GROUPS } from '../../placeholders/placeholder.ts';
import { STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
import { PathPattern } from './path-pattern.ts';
import { UrlTarget } from './url-target.ts';

/** After 301 and 302 a browser may repeat a POST as GET. After 303 it must, and after 307 and 308 it must not (RFC 9110 section 15.4). */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

/** Options of `redirect`. */
export interface RedirectOptions {
  /**
   * The whole target, with placeholders of the request and of the groups of `pattern`: a path, or a URL with http or https. Or `{map.NAME}` alone, whose texts are such
   * targets. Without `?{query}` or `{uri}` the request's query is dropped.
   */
  readonly to: string;
  /** Status of the redirect; 302 by default. */
  readonly status?: RedirectStatus;
  /** Regular expression (`Pattern`) for the percent-encoded path. Requests that do not match are passed on. */
  readonly pattern?: string;
  /** Whether `pattern` is compared with the decoded path with single slashes, as routes compare it (`routingPath`). False by default. */
  readonly decoded?: boolean;
}

/**
 * Answers with a redirect. Values from the request cannot change the host of the target, unless it has a map there. If the target needs a host and the request or the map has none, or a value would lead to a
 * directory above, it gets 400. Requests for which a map has no target are passed on.
 *
 * @throws ViaductError `SETTINGS` for an invalid `to`, `pattern` or status
 */
export function redirect(
  { to, status = 302, pattern: source, decoded = false }: RedirectOptions,
  placeholders = STANDARD_PLACEHOLDERS,
): Handler {
  const pattern = source === undefined ? null : new PathPattern(source, decoded, 'redirect pattern');
  if (decoded && pattern === null) {
    throw new ViaductError('SETTINGS', 'Cannot redirect by the decoded path: pattern is missing', {
      advice: 'Write pattern, or remove decoded.',
    });
  }
  const target = new UrlTarget(to, 'redirect target', placeholders, pattern?.groups ?? NO_GROUPS);
  if (!STATUSES.has(status)) {
    throw new ViaductError('SETTINGS', `Cannot redirect with status "${status}": it is not the status of a redirect`, {
      advice: `Write one of ${[...STATUSES].join(', ')}.`,
    });
  }

  return function redirect(request, next) {
    const captures = pattern === null ? [] : pattern.match(request.path);
    if (captures === null || request.path === '*') return next(request);
    const location = target.fill(request, captures);
    if (location === '') return next(request);
    if (location === null) return Response.text(400, 'Bad Request: no target for this request\n');
    return Response.fromHeaders(status, ['Location', location.replace(/\?$/, '')], null);
  };
}

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
