import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Request } from '../../http/message.ts';

/** Ends of names that nobody can register (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`), or that Kubernetes resolves itself. */
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|internal|home\.arpa|svc|test)$/;

/**
 * Why `request` comes from a web page that is not ours; '' if it does not. Such a page uses the browser of somebody who can reach this server: it is
 * another site, which browsers tell (`Origin`, RFC 6454; `Sec-Fetch-Site`, W3C Fetch Metadata), or has a host name of its own that leads to this
 * machine (DNS rebinding). So only names are accepted that nobody outside can own.
 *
 * @param names further host names that lead to this server
 * @param hasPages whether there are pages here, which may ask for their own data
 */
export function whyForeign({ headers, host }: Request, names: readonly string[], hasPages: boolean): string {
  const site = fieldOf(headers, 'sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none')
    return 'Other web pages may not lead here: open this address in a tab of its own';
  const origin = fieldOf(headers, 'origin');
  if (origin !== null && !(hasPages && isOwnOrigin(origin, host))) return 'Web pages may not read this';
  const name = nameIn(host);
  const isOurs =
    name === '' ||
    isIP(name) !== 0 ||
    PRIVATE_NAME.test(name) ||
    names.includes(name) ||
    name === hostname().toLowerCase();
  return isOurs ? '' : `The Host "${name}" is not a name of this listener`;
}

/** A proxy in front may have ended TLS. */
function isOwnOrigin(origin: string, host: string): boolean {
  return host !== '' && (origin === `http://${host}` || origin === `https://${host}`);
}

/** The value of the first field `name` (lower case); null without one. */
export function fieldOf(headers: readonly string[], name: string): string | null {
  for (let i = 0; i < headers.length; i += 2)
    if ((headers[i] as string).toLowerCase() === name) return headers[i + 1] as string;
  return null;
}

/** The name or address in a Host field, in lower case, without port, brackets and final dot. */
export function nameIn(host: string): string {
  return host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$|\.$/, '$1')
    .toLowerCase();
}
