import { requestField } from '../http/derived-request.ts';
import type { Request } from '../http/message.ts';

/**
 * The function that finds what a request is hashed by: `address`, `path`, `header:NAME` or `cookie:NAME`. A request without the field or the cookie goes by
 * the client's address.
 */
export function hashKey(by: string): (request: Request) => string {
  if (by === 'path') return ({ path }) => path;
  const [kind, name = ''] = by.split(/:(.*)/s);
  if (kind === 'header') return (request) => requestField(request, name.toLowerCase()) ?? addressOf(request);
  if (kind === 'cookie') return (request) => cookieOf(request, name) ?? addressOf(request);
  return addressOf;
}

function addressOf({ peer }: Request): string {
  return peer.remoteAddress;
}

/** The value of the first cookie of this name (RFC 6265 section 5.4). */
function cookieOf(request: Request, name: string): string | null {
  for (const pair of requestField(request, 'cookie')?.split(/[;,]/) ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}
