import { ViaductError } from '../../errors.ts';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { Pattern } from '../../routing/pattern.ts';
import { UrlTemplate } from './url-template.ts';

/** 301 and 302 let a browser repeat a POST as GET, 307 and 308 do not, 303 makes it (RFC 9110 section 15.4). */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

export interface RedirectOptions {
  /**
   * A path, or a URL of http or https, with the placeholders `{host}`, `{hostname}`, `{path}`, `{query}`, `{uri}`, `{scheme}` and `{1}` to the last
   * group of `pattern`. It is the whole of the target: without `?{query}` or `{uri}` the request's query is dropped.
   */
  readonly to: string;
  /** 302 when it is left out. */
  readonly status?: RedirectStatus;
  /** Regular expression (`Pattern`) for the percent-encoded path; requests that it does not match are passed on. */
  readonly pattern?: string;
}

/**
 * Answers with a redirection. What a request gives can name no other host than `to` does, and a request without a host, where `to` needs one,
 * gets 400.
 *
 * @throws ViaductError `SETTINGS` for a `to` or `pattern` that cannot be used, or another status.
 */
export function redirect({ to, status = 302, pattern: source }: RedirectOptions): Handler {
  const pattern = source === undefined ? null : new Pattern(source, 'redirect pattern');
  const target = new UrlTemplate(to, 'redirect target', pattern?.groups ?? 0);
  if (!STATUSES.has(status)) {
    throw new ViaductError('SETTINGS', `Cannot redirect with status "${status}": it is none of a redirection`, {
      advice: `Write one of ${[...STATUSES].join(', ')}.`,
    });
  }

  return function redirect(request, next) {
    const captures = pattern === null ? [] : pattern.match(request.path);
    if (captures === null || request.path === '*') return next(request);
    const location = target.fill(request, captures);
    if (location === null) return Response.text(400, 'Bad Request: no host\n');
    return Response.fromHeaders(status, ['Location', location], null);
  };
}

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
