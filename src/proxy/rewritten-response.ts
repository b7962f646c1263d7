import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { fieldValue } from '../placeholders/bytes.ts';
import { NO_ANSWER, NO_GROUPS, NO_VALUES } from '../placeholders/placeholder.ts';
import type { Placeholders } from '../placeholders/placeholders.ts';
import { parseTemplate, type Template } from '../placeholders/template.ts';
import { Pattern } from '../routing/pattern.ts';
import { type CookieFlags, cookieFlagsOf } from './cookie-flags.ts';

/** What is replaced, by either `from` or `pattern`, and what replaces it. */
export interface Replacement {
  /** A start, or a whole name, with placeholders. */
  readonly from?: string | undefined;
  /** Regular expression (`Pattern`). A value that matches is replaced as a whole. */
  readonly pattern?: string | undefined;
  /** A text with placeholders, and with the groups of `pattern`. */
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
  /** The flags of cookies. */
  readonly cookieFlags: readonly CookieFlags[];
  /** The name of a cookie that stays as it is. */
  readonly ownCookie: string | null;
}

/** A replacement, with its texts split into pieces. */
interface Rule {
  readonly from: Template | Pattern;
  readonly to: Template;
  /** Whether the result can be the name of another host, because `to` starts with two slashes. */
  readonly namesHost: boolean;
}

interface Rules {
  readonly redirects: readonly Rule[];
  readonly cookiePath: readonly Rule[];
  readonly cookieDomain: readonly Rule[];
  readonly flagsOf: ReturnType<typeof cookieFlagsOf>;
}

const LINE = /^(location|refresh|set-cookie):[ \t]*(.*)$/gim;
const REFRESH = /^([^;,]*[;,][ \t]*url[ \t]*=[ \t]*["']?)(.*)$/i;
const ATTRIBUTE = /^([ \t]*)(path|domain)[ \t]*=[ \t]*(.*?)[ \t]*$/i;

/**
 * Rewrites what a backend says about its own addresses for clients, like nginx's `proxy_redirect`, `proxy_cookie_path` and
 * `proxy_cookie_domain`, and the flags of its cookies.
 *
 * @throws ViaductError `SETTINGS` for an invalid pattern, and for a placeholder that does not exist
 */
export function rewritingOf(
  options: RewritingOptions,
  placeholders: Placeholders,
): (request: Request, response: Response) => Response {
  const { ownCookie } = options;
  const rules: Rules = {
    redirects: options.redirects.map((one) => ruleOf(one, 'redirects', placeholders)),
    cookiePath: options.cookiePath.map((one) => ruleOf(one, 'cookie_path', placeholders)),
    cookieDomain: options.cookieDomain.map((one) => ruleOf(one, 'cookie_domain', placeholders)),
    flagsOf: cookieFlagsOf(options.cookieFlags, placeholders),
  };

  function rewritten(name: string, value: string, request: Request): string {
    switch (name.toLowerCase()) {
      case 'location':
        return rewriteUrl(value, rules, request);
      case 'refresh':
        return value.replace(REFRESH, (_, start: string, url: string) => start + rewriteUrl(url, rules, request));
      default:
        return ownCookie !== null && value.startsWith(`${ownCookie}=`) ? value : rewriteCookie(value, rules, request);
    }
  }

  return (request, response) => {
    if (response.status < 200) return response;
    const lines = response.lines.replace(
      LINE,
      (_, name: string, value: string) => `${name}: ${rewritten(name, value, request)}`,
    );
    if (lines === response.lines) return response;
    const { status, reason, contentLength, has, body } = response;
    return new Response(status, reason, lines, contentLength, has, body);
  };
}

function ruleOf({ from, pattern, to }: Replacement, setting: string, placeholders: Placeholders): Rule {
  const matched = pattern === undefined ? null : new Pattern(pattern, setting);
  const groups = matched === null ? NO_GROUPS : { names: matched.groupNames, areEncoded: true };
  return {
    from: matched ?? parseTemplate(from ?? '', placeholders, { setting }),
    to: parseTemplate(to, placeholders, { setting, groups }),
    namesHost: /^\/[/\\]/.test(to),
  };
}

/** What the first rule whose `from` is a start of `value`, or matches it, makes of it; null if there is no such rule. */
function replaced(
  value: string,
  rules: readonly Rule[],
  request: Request,
  isFrom = (from: string) => value.startsWith(from),
): { readonly rule: Rule; readonly text: string; readonly rest: string } | null {
  for (const rule of rules) {
    if (rule.from instanceof Pattern) {
      const groups = rule.from.match(value);
      if (groups !== null) return { rule, text: filled(rule.to, request, groups), rest: '' };
      continue;
    }
    const from = filled(rule.from, request, NO_VALUES);
    if (isFrom(from)) return { rule, text: filled(rule.to, request, NO_VALUES), rest: value.slice(from.length) };
  }
  return null;
}

/** A text of a rule. A value can neither end the field nor the attribute of a cookie. */
function filled(template: Template, request: Request, groups: readonly string[]): string {
  let text = '';
  for (const piece of template)
    text +=
      typeof piece === 'string' ? piece : fieldValue(piece.value(request, NO_ANSWER, groups)).replaceAll(';', '%3B');
  return text;
}

/** Values and the rest of a URL must not become the name of another host. Browsers leave out tabs. */
function rewriteUrl(url: string, { redirects }: Rules, request: Request): string {
  const found = replaced(url, redirects, request);
  if (found === null) return url;
  const result = found.text + found.rest;
  return found.rule.namesHost ? result : result.replace(/^\/[/\\\t]+/, '/');
}

/** RFC 6265 section 5.2: attributes follow the first semicolon. */
function rewriteCookie(cookie: string, { cookiePath, cookieDomain, flagsOf }: Rules, request: Request): string {
  const [pair = '', ...attributes] = cookie.split(';');
  const rewritten = attributes.flatMap((attribute) => {
    const [, space = '', name = '', value = ''] = ATTRIBUTE.exec(attribute) ?? [];
    if (name === '') return [attribute];
    if (name.toLowerCase() === 'path') {
      const found = replaced(value, cookiePath, request);
      return [found === null ? attribute : `${space}${name}=${found.text}${found.rest}`];
    }
    const found = replaced(value, cookieDomain, request, (from) => bareDomain(from) === bareDomain(value));
    if (found === null) return [attribute];
    return found.text === '' ? [] : [`${space}${name}=${found.text}`];
  });
  return [pair, ...flagsOf(pair.replace(/=.*$/s, '').trim(), rewritten, request)].join(';');
}

function bareDomain(domain: string): string {
  return domain.toLowerCase().replace(/^\./, '');
}
