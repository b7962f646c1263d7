import { ViaductError } from '../../errors.ts';
import type { Handler } from '../../http/handler.ts';
import { isHost } from '../../http/semantics/host.ts';
import { hostname } from '../../http/semantics/hostname.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined } from '../options.ts';
import { redirectToOrigin } from './host-redirect.ts';

/** Options of `canonicalHost`. */
export interface CanonicalHostOptions {
  /** The main name of the site, such as `example.com`, without a port. */
  readonly host: string;
  /** The names that are redirected, such as `www.example.com`; all other names by default. */
  readonly from?: readonly string[];
}

/**
 * Redirects requests for other names of the site to `host`, with their scheme, port, path and query. GET and HEAD get 301, other methods get 308. A request without
 * a host is passed on.
 *
 * @throws ViaductError `SETTINGS` for an invalid name, a name with a port, and a host that redirects to itself
 */
export function canonicalHost({ host, from }: CanonicalHostOptions): Handler {
  for (const name of [host, ...(from ?? [])]) check(name);
  const canonical = host.toLowerCase();
  if (from?.some((name) => name.toLowerCase() === canonical)) {
    throw new ViaductError('SETTINGS', `Cannot redirect "${canonical}" to itself: the redirects would never end`);
  }
  const others = from === undefined ? null : new Set(from.map((name) => name.toLowerCase()));

  return function canonicalHost(request, next) {
    const name = hostname(request.host);
    const isOther = others === null ? name !== canonical && name !== '' : others.has(withoutDot(name));
    if (!isOther) return next(request);
    const port = request.host.slice(name.length);
    return redirectToOrigin(
      request,
      `${request.peer.secure ? 'https' : 'http'}://${canonical}${port === ':' ? '' : port}`,
    );
  };
}

/** `canonical_host` in a configuration. */
export const canonicalHostFeature = describeFeature({
  key: 'canonical_host',
  scope: 'site',
  description: 'Redirects requests for other names of the site to its main name.',
  page: 'handlers.md#redirect',
  schema: ({ feature, listOf, words }) =>
    feature({
      host: words('a host name').describe("The site's main name, without a port."),
      from: listOf(words('a host name'))
        .optional()
        .meta({ description: 'Names that are redirected.', defaultText: 'all other names' }),
    }),
  create: ({ host, from }) => canonicalHost(omitUndefined({ host, from })),
});

/** A name with the dot of the root at its end is the same name. */
function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function check(name: string): void {
  if (isHost(name) && hostname(name) === name.toLowerCase()) return;
  throw new ViaductError('SETTINGS', `Cannot redirect to host ${JSON.stringify(name)}: it is not a host name`, {
    advice: 'Write a name such as example.com, without a port.',
  });
}
