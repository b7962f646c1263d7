import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { hostname } from '../../http/semantics/hostname.ts';
import { describeFeature } from '../feature.ts';
import { redirectToOrigin } from './host-redirect.ts';

/** The default port of https (RFC 9110 section 4.2.2). */
const PORT = 443;

/** Options of `httpsRedirect`. */
export interface HttpsRedirectOptions {
  /** The port where clients reach https; 443 by default. */
  readonly port?: number;
}

/**
 * Redirects http requests to https, with the same host, path and query. GET and HEAD get 301, other methods get 308. https requests are passed on. A request
 * without a host, which HTTP/1.0 allows, gets 400.
 */
export function httpsRedirect({ port = PORT }: HttpsRedirectOptions = {}): Handler {
  const suffix = port === PORT ? '' : `:${port}`;

  return function httpsRedirect(request, next) {
    if (request.peer.secure) return next(request);
    if (request.host === '') return Response.text(400, 'Bad Request: no host\n');
    return redirectToOrigin(request, `https://${hostname(request.host)}${suffix}`);
  };
}

/** `https_redirect` in a configuration. */
export const httpsRedirectFeature = describeFeature({
  key: 'https_redirect',
  scope: 'site',
  description: 'Redirects http requests to https.',
  page: 'handlers.md#redirect',
  schema: ({ feature, whole }) =>
    feature({ port: whole(1, 65_535).default(PORT).describe('The port where clients reach https.') }),
  create: ({ port }) => httpsRedirect({ port }),
});
