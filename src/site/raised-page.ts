import type { Settings } from '../config/settings.ts';
import { acceptsHtml } from '../handlers/pages/accepts-html.ts';
import { plainError, tracebackPage, tracebackText } from '../handlers/pages/error-page.ts';
import { failurePage, headlineOf } from '../handlers/pages/failure-page.ts';
import { requestField } from '../http/derived-request.ts';
import type { Request } from '../http/message.ts';
import { requestIdOf } from '../http/request-id.ts';
import type { Response } from '../http/response.ts';
import { DEV_PREFIX } from '../trace/dev-prefix.ts';
import { opensDevPages } from './dev-clients.ts';

/**
 * In development: what was raised, with the anatomy of the request if its client can open that. Clients that want no page get the text. `title`
 * says in a few words what happened.
 */
export function raisedPage({ dev, devPages }: Settings, title: string, traceback: string, request: Request): Response {
  if (!dev) return plainError();
  if (!acceptsHtml(request)) return tracebackText(traceback);
  const { record, peer } = request;
  if (isFrame(request) || !opensDevPages(devPages, peer.remoteAddress)) return tracebackPage(title, traceback);
  const headline = headlineOf(traceback);
  return failurePage({ status: 500, title, headline, text: traceback, prefix: DEV_PREFIX, id: requestIdOf(record) });
}

/** Whether the answer is shown within another page (Fetch Metadata), where the pages about requests cannot be. */
function isFrame(request: Request): boolean {
  return /^i?frame$/.test(requestField(request, 'sec-fetch-dest') ?? '');
}
