import { ViaductError } from '../../errors.ts';
import type { Handler } from '../../http/handler.ts';
import { isHost } from '../../http/semantics/host.ts';
import { redirectToOrigin } from './host-redirect.ts';
import { hostname } from './hostname.ts';

export interface CanonicalHostOptions {
  /** The name that the site goes by, such as `example.com`, without a port. */
  readonly host: string;
  /** The names that are sent there, such as `www.example.com`; all others when it is left out. */
  readonly from?: readonly string[];
}

/**
 * Sends clients that use another name of the site to `host`: with the scheme, the port, the path and the query that they used, by 301, or 308
 * for methods other than GET and HEAD. A request without a host is passed on.
 *
 * @throws ViaductError `SETTINGS` for a name that is none, or has a port, and for a host that is sent to itself.
 */
export function canonicalHost({ host, from }: CanonicalHostOptions): Handler {
  for (const name of [host, ...(from ?? [])]) check(name);
  const canonical = host.toLowerCase();
  if (from?.some((name) => name.toLowerCase() === canonical)) {
    throw new ViaductError('SETTINGS', `Cannot redirect "${canonical}" to itself: that never ends`);
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

/** A name may end with the root's dot; it is the same name. */
function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function check(name: string): void {
  if (isHost(name) && hostname(name) === name.toLowerCase()) return;
  throw new ViaductError('SETTINGS', `Cannot redirect to host ${JSON.stringify(name)}: it is no host's name`, {
    advice: 'Write a name such as example.com, without a port.',
  });
}
