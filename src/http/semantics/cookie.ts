import { requestField } from '../derived-request.ts';
import type { Request } from '../message.ts';

/** The value of the first cookie with this name (RFC 6265 section 5.4); null without such a cookie. */
export function cookieOf(request: Pick<Request, 'headers'>, name: string): string | null {
  for (const pair of requestField(request, 'cookie')?.split(/[;,]/) ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}
