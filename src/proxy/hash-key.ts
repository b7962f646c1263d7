import { requestField } from '../http/derived-request.ts';
import type { Request } from '../http/message.ts';
import { cookieOf } from '../http/semantics/cookie.ts';

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
