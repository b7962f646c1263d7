import type { Request } from '../../http/message.ts';
import { requestIdOf } from '../../http/request-id.ts';
import type { Response } from '../../http/response.ts';
import { responseField } from '../../http/response-fields.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';
import { acceptsHtml } from './accepts-html.ts';
import { failurePage } from './failure-page.ts';

/** What frameworks answer if nobody has made a page: those of Werkzeug (Flask) and Django say nothing of the error. */
const FRAMEWORK_PAGES = ['<h1>Internal Server Error</h1>', '<h1>Server Error (500)</h1>'];
const BYTES_MAX = 1024;

/**
 * In development, the page by which a framework hides an exception becomes one that leads on. Null for all others, such as pages that the project
 * made. `prefix` is the path of the pages that show traces.
 */
export function hiddenFailure(request: Request, response: Response, prefix: string): Response | null {
  const { status, body } = response;
  if (status !== 500 || !acceptsHtml(request)) return null;
  if (!(body instanceof Uint8Array) || body.length > BYTES_MAX) return null;
  if (!/^text\/html\b/i.test(responseField(response, 'content-type') ?? '')) return null;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  if (!FRAMEWORK_PAGES.some((page) => text.includes(page))) return null;
  const title = `${status} ${reasonPhrase(status)}`;
  const headline = 'The application answered with an error';
  return failurePage({ status, title, headline, text: '', prefix, id: requestIdOf(request.record) });
}
