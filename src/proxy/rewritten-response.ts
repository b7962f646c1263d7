import { Response } from '../http/response.ts';

/** A start, or a whole name, and what replaces it. */
export interface Replacement {
  readonly from: string;
  readonly to: string;
}

export interface RewritingOptions {
  /** For the URLs in Location and Refresh: the first whose `from` is the start of the URL replaces this start. */
  readonly redirects: readonly Replacement[];
  /** For the attribute Path of cookies, in the same way. */
  readonly cookiePath: readonly Replacement[];
  /**
   * For the attribute Domain of cookies: the first whose `from` is the domain, in any case and with or without a dot at
   * the start. An empty `to` removes the attribute.
   */
  readonly cookieDomain: readonly Replacement[];
  /** The name of a cookie that stays as it is. */
  readonly ownCookie: string | null;
}

const LINE = /^(location|refresh|set-cookie):[ \t]*(.*)$/gim;
const REFRESH = /^([^;,]*[;,][ \t]*url[ \t]*=[ \t]*["']?)(.*)$/i;
const ATTRIBUTE = /^([ \t]*)(path|domain)[ \t]*=[ \t]*(.*?)[ \t]*$/i;

/**
 * Rewrites what a backend says about its own addresses for clients, like nginx's `proxy_redirect`, `proxy_cookie_path` and
 * `proxy_cookie_domain`.
 */
export function rewritingOf(options: RewritingOptions): (response: Response) => Response {
  const { redirects, ownCookie } = options;

  function rewritten(name: string, value: string): string {
    switch (name.toLowerCase()) {
      case 'location':
        return rewriteUrl(value, redirects);
      case 'refresh':
        return value.replace(REFRESH, (_, start: string, url: string) => start + rewriteUrl(url, redirects));
      default:
        return ownCookie !== null && value.startsWith(`${ownCookie}=`) ? value : rewriteCookie(value, options);
    }
  }

  return (response) => {
    if (response.status < 200) return response;
    const lines = response.lines.replace(
      LINE,
      (_, name: string, value: string) => `${name}: ${rewritten(name, value)}`,
    );
    if (lines === response.lines) return response;
    const { status, reason, contentLength, has, body } = response;
    return new Response(status, reason, lines, contentLength, has, body);
  };
}

/** The rest of a URL must not become the name of another host. Browsers leave out tabs. */
function rewriteUrl(url: string, rules: readonly Replacement[]): string {
  const rule = rules.find(({ from }) => url.startsWith(from));
  if (rule === undefined) return url;
  const result = rule.to + url.slice(rule.from.length);
  return /^\/(?![/\\])/.test(rule.to) ? result.replace(/^\/[/\\\t]+/, '/') : result;
}

/** RFC 6265 section 5.2: attributes follow the first semicolon. */
function rewriteCookie(cookie: string, { cookiePath, cookieDomain }: RewritingOptions): string {
  const [pair = '', ...attributes] = cookie.split(';');
  const rewritten = attributes.flatMap((attribute) => {
    const [, space = '', name = '', value = ''] = ATTRIBUTE.exec(attribute) ?? [];
    if (name === '') return [attribute];
    if (name.toLowerCase() === 'path') {
      const rule = cookiePath.find(({ from }) => value.startsWith(from));
      return [rule === undefined ? attribute : `${space}${name}=${rule.to}${value.slice(rule.from.length)}`];
    }
    const rule = cookieDomain.find(({ from }) => bareDomain(from) === bareDomain(value));
    if (rule === undefined) return [attribute];
    return rule.to === '' ? [] : [`${space}${name}=${rule.to}`];
  });
  return [pair, ...rewritten].join(';');
}

function bareDomain(domain: string): string {
  return domain.toLowerCase().replace(/^\./, '');
}
