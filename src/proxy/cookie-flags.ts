import type { Request } from '../http/message.ts';
import type { Placeholders } from '../placeholders/placeholders.ts';
import { fillTemplate, parseTemplate } from '../placeholders/template.ts';
import { Pattern } from '../routing/pattern.ts';

/** The flags of cookies with a name, given by either `name` or `pattern`. A flag that is not mentioned stays as it is. */
export interface CookieFlags {
  /** The name, in any letter case. May have placeholders. */
  readonly name?: string | undefined;
  /** Regular expression (`Pattern`), which finds a part of the name. */
  readonly pattern?: string | undefined;
  /** Whether the cookie has the attribute Secure. */
  readonly secure?: boolean | undefined;
  /** Whether the cookie has the attribute HttpOnly. */
  readonly http_only?: boolean | undefined;
  /** The value of the attribute SameSite. `off` removes it. */
  readonly same_site?: 'strict' | 'lax' | 'none' | 'off' | undefined;
}

/** An attribute as the response shall have it; null for a cookie without it. */
type Wanted = ReadonlyMap<string, string | null>;

/**
 * Returns the function that changes the flags among the attributes of a cookie, like nginx's `proxy_cookie_flags`. The first rule for the name counts.
 *
 * @throws ViaductError `SETTINGS` for an invalid pattern, and for a placeholder that does not exist
 */
export function cookieFlagsOf(
  rules: readonly CookieFlags[],
  placeholders: Placeholders,
): (name: string, attributes: readonly string[], request: Request) => readonly string[] {
  const all = rules.map((rule) => ({ matches: matcherOf(rule, placeholders), wanted: wantedOf(rule) }));

  return (name, attributes, request) => {
    const wanted = all.find(({ matches }) => matches(name, request))?.wanted;
    return wanted === undefined ? attributes : withFlags(attributes, wanted);
  };
}

function matcherOf(
  { name = '', pattern }: CookieFlags,
  placeholders: Placeholders,
): (cookie: string, request: Request) => boolean {
  const setting = 'cookie_flags';
  if (pattern !== undefined) {
    const regex = new Pattern(pattern, setting);
    return (cookie) => regex.match(cookie) !== null;
  }
  const template = parseTemplate(name, placeholders, { setting });
  return (cookie, request) => fillTemplate(template, request).toLowerCase() === cookie.toLowerCase();
}

const SAME_SITE = { strict: 'SameSite=Strict', lax: 'SameSite=Lax', none: 'SameSite=None', off: null } as const;

function wantedOf({ secure, http_only: httpOnly, same_site: sameSite }: CookieFlags): Wanted {
  const wanted = new Map<string, string | null>();
  if (secure !== undefined) wanted.set('secure', secure ? 'Secure' : null);
  if (httpOnly !== undefined) wanted.set('httponly', httpOnly ? 'HttpOnly' : null);
  if (sameSite !== undefined) wanted.set('samesite', SAME_SITE[sameSite]);
  return wanted;
}

/** An attribute that is there stays as it is, except for its value. Others follow at the end. */
function withFlags(attributes: readonly string[], wanted: Wanted): readonly string[] {
  const names = attributes.map((attribute) => attribute.replace(/=.*$/s, '').trim().toLowerCase());
  const changed = attributes.flatMap((attribute, index) => {
    const flag = wanted.get(names[index] as string);
    if (flag === null) return [];
    return [flag?.includes('=') === true ? ` ${flag}` : attribute];
  });
  const missing = [...wanted].flatMap(([name, flag]) => (flag === null || names.includes(name) ? [] : [` ${flag}`]));
  return [...changed, ...missing];
}
