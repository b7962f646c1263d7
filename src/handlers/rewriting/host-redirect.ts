import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';

/** A permanent redirect to the same path and query at `origin`. 308 makes clients repeat the method and content (RFC 9110 section 15.4.9). */
export function redirectToOrigin({ method, path, query }: Request, origin: string): Response {
  const isSafe = method === 'GET' || method === 'HEAD';
  const uri = (path === '*' ? '/' : path) + (query === '' ? '' : `?${query}`);
  return Response.fromHeaders(isSafe ? 301 : 308, ['Location', origin + uri.replaceAll('\\', '%5C')], null);
}
