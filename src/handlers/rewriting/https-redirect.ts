import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { redirectToOrigin } from './host-redirect.ts';
import { hostname } from './hostname.ts';

export interface HttpsRedirectOptions {
  /** Where https is served for the outside; 443 when it is left out. */
  readonly port?: number;
}

/**
 * Sends what comes by http to https: the same host, path and query, with 301 for GET and HEAD, 308 for other methods. What came by https
 * is passed on. A request without a host, as HTTP/1.0 allows, gets 400.
 */
export function httpsRedirect({ port = 443 }: HttpsRedirectOptions = {}): Handler {
  const suffix = port === 443 ? '' : `:${port}`;

  return function httpsRedirect(request, next) {
    if (request.peer.secure) return next(request);
    if (request.host === '') return Response.text(400, 'Bad Request: no host\n');
    return redirectToOrigin(request, `https://${hostname(request.host)}${suffix}`);
  };
}
