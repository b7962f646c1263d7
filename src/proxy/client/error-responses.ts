import { RequestBodyError } from '../../http/refusal.ts';
import { Response } from '../../http/response.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';

/** Logged for a client that left before its response (nginx's 499). No client receives this response. */
export function clientClosedResponse(): Response {
  return new Response(499, 'Client Closed Request', '', -1, 0, null);
}

/** The response when no backend answered: 502, or 504 when the last one was too slow (RFC 9110 sections 15.6.3 and 15.6.5). */
export function backendFailedResponse(status: 502 | 504): Response {
  return Response.text(status, `${reasonPhrase(status)}\n`);
}

/** The response when the request's fields do not fit into the backend's protocol (RFC 6585 section 5). */
export function headTooLargeResponse(reason: string): Response {
  return Response.text(431, `431 Request Header Fields Too Large: ${reason}\n`);
}

/** The response when the request's content did not arrive: the client's error by its status, any other error by 500. */
export function contentFailedResponse(error: Error): Response {
  if (!(error instanceof RequestBodyError)) return contentLostResponse();
  return Response.text(error.status >= 400 ? error.status : 400, `${error.message}\n`);
}

/**
 * 500: the server cannot store or read the request's content. The client may try again (RFC 9110 section 15.6.1). What exactly failed is for
 * the log only.
 */
export function contentLostResponse(): Response {
  return Response.text(500, `${reasonPhrase(500)}\n`);
}
