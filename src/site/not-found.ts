import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';

/** The response when nothing else answers a request. `OPTIONS *` asks whether the server itself is there (RFC 9110 section 9.3.7). */
export function notFound({ path }: Request): Response {
  return path === '*' ? Response.fromHeaders(204, [], null) : Response.text(404, 'Not Found\n');
}
