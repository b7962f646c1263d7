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
 * In development, a failure that a browser would show as one line becomes a page that leads on: an answer of this server, such as that of a worker
 * that died, and the page by which a framework hides an exception. Null for all others, such as pages that the project made. `prefix` is the path
 * of the pages that show traces.
 */
export function failureInstead(request: Request, response: Response, prefix: string): Response | null {
  const { status } = response;
  if (status < 500 || !acceptsHtml(request)) return null;
  const headline = headlineOf(response);
  if (headline === '') return null;
  const title = `${status} ${reasonPhrase(status)}`;
  return failurePage({ status, title, headline, text: '', prefix, id: requestIdOf(request.record) });
}

/** '' for a page that stays. */
function headlineOf(response: Response): string {
  const { body, status } = response;
  if (!(body instanceof Uint8Array) || body.length > BYTES_MAX) return '';
  const type = responseField(response, 'content-type') ?? '';
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  if (/^text\/html\b/i.test(type) && status === 500 && FRAMEWORK_PAGES.some((page) => text.includes(page)))
    return 'The application answered with an error';
  const reason = reasonPhrase(status);
  const isOwn = type === 'text/plain; charset=utf-8' && (text === `${reason}\n` || text.startsWith(`${reason}: `));
  return isOwn ? sentence(text.slice(reason.length + 2).trim() || reason) : '';
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
