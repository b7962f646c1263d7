import { requestField } from '../http/derived-request.ts';
import type { Request } from '../http/message.ts';
import { cookieOf } from '../http/semantics/cookie.ts';

/**
 * Returns the function that computes a request's hash key. `by` is `address`, `path`, `header:NAME` or `cookie:NAME`.
 * Without the field or the cookie, the key is the client's address.
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
