import { RequestBodyError } from '../../http/refusal.ts';
import { Response } from '../../http/response.ts';

/** What the log shows for a client that left before its answer (nginx's 499); nobody receives it. */
export function clientLeftResponse(): Response {
  return new Response(499, 'Client Closed Request', '', -1, 0, null);
}

/** The answer to a request whose fields do not fit into what its backend can be told (RFC 6585 section 5). */
export function headTooLargeResponse(reason: string): Response {
  return Response.text(431, `431 Request Header Fields Too Large: ${reason}\n`);
}

/** The answer to a request whose content a handler found wrong. */
export function contentFailedResponse(error: Error): Response {
  const status = error instanceof RequestBodyError && error.status >= 400 ? error.status : 400;
  return Response.text(status, `${error.message}\n`);
}
