import { ViaductError } from '../errors.ts';
import type { Placeholders } from '../placeholders/placeholders.ts';
import { templateOfPlain } from '../placeholders/template.ts';
import { type Backend, backendAuthority } from '../proxy/backend.ts';
import { type Replacement, rewritingOf } from '../proxy/rewritten-response.ts';
import type { RouteConfig } from './schema/site.ts';

/**
 * What rewrites the addresses in the responses of a route's backends; null if nothing does.
 *
 * @throws ViaductError `SETTINGS` for the redirects of backends that have no URL, for patterns that are invalid, and for placeholders that do not exist
 */
export function responseRewriting(
  { proxy_options: options, rewrite }: RouteConfig,
  backends: readonly Backend[],
  placeholders: Placeholders,
): ReturnType<typeof rewritingOf> | null {
  const { redirects, cookie_path: cookiePath, cookie_domain: cookieDomain, cookie_flags: cookieFlags } = options;
  if ([redirects, cookiePath, cookieDomain, cookieFlags].every(({ length }) => length === 0)) return null;
  const prefix = rewrite?.prefix ?? '';
  const replacement = rewrite?.replacement ?? '';
  const own = backends.flatMap(originsOf).map((origin): Replacement => {
    const plain = (path: string): string => `${templateOfPlain(withoutSlash(path))}/`;
    return { from: `${origin}${plain(replacement)}`, to: plain(prefix) };
  });
  if (redirects.includes('backend') && own.length === 0) {
    throw new ViaductError('SETTINGS', 'Cannot rewrite redirects to the backends: none of them has a URL of http', {
      advice: 'Write { from = "http://…", to = "/" } for their redirects.',
    });
  }
  const rewriting = {
    redirects: redirects.flatMap((one) => (one === 'backend' ? own : [one])),
    cookiePath,
    cookieDomain,
    cookieFlags,
    ownCookie: options.sticky?.cookie ?? null,
  };
  return rewritingOf(rewriting, placeholders);
}

/** The URLs of a backend without a path, with and without the usual port. */
function originsOf(backend: Backend): string[] {
  const { protocol, path, port, tls } = backend;
  if (path !== undefined || (protocol !== undefined && protocol !== 'http2')) return [];
  const scheme = tls === undefined ? 'http' : 'https';
  const authority = backendAuthority(backend);
  const short = `${scheme}://${authority}`;
  return authority.endsWith(`:${port}`) ? [short] : [short, `${short}:${port}`];
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, '');
}
