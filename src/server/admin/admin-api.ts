import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Next } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { exposition } from '../../metrics/exposition.ts';
import type { Family } from '../../metrics/family.ts';

/** Reads all metrics; null while the server starts. */
export type Scrape = () => Promise<readonly Family[] | null>;

/**
 * Answers the requests of an admin listener: `GET /metrics`. Web pages must not read it. They would do it with the browser of somebody who can
 * reach the listener: from another site, with an `Origin`; or with a host name of their own that leads to this machine (DNS rebinding), so only
 * names are accepted that nobody outside can own.
 *
 * @param names further host names that lead to this listener: those in the setting. Null accepts any name: no browser opens a Unix socket.
 */
export function adminApi(scrape: Scrape, names: readonly string[] | null): Next {
  return async (request) => {
    if (request.path !== '/metrics') return Response.text(404, 'There is only /metrics here\n');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return Response.text(405, 'Only GET and HEAD are allowed here\n', ['Allow', 'GET, HEAD']);
    const foreign = names === null ? '' : whyForeign(request, names);
    if (foreign !== '') return Response.text(403, `${foreign}\n`);
    const families = await scrape();
    if (families === null) return Response.text(503, 'The server is starting\n', ['Retry-After', '1']);
    return exposition(request, families);
  };
}

/** Ends of names that nobody can register (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`), or that Kubernetes resolves itself. */
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|internal|home\.arpa|svc|test)$/;

function whyForeign(request: Request, names: readonly string[]): string {
  const { headers, host } = request;
  if (headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'origin'))
    return 'Web pages may not read this';
  const name = nameIn(host);
  const isOurs =
    name === '' ||
    isIP(name) !== 0 ||
    PRIVATE_NAME.test(name) ||
    names.includes(name) ||
    name === hostname().toLowerCase();
  return isOurs
    ? ''
    : `The Host "${name}" is not a name of this listener. Ask for it by its IP address, or use this name in the setting admin`;
}

/** The name or address in a Host field, in lower case, without port, brackets and final dot. */
function nameIn(host: string): string {
  return host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$|\.$/, '$1')
    .toLowerCase();
}
