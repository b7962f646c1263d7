import type { Handler } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { Response } from '../../http/response.ts';
import { responseField } from '../../http/response-fields.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';
import { acceptsHtml } from './accepts-html.ts';
import { failurePage } from './failure-page.ts';
import { opensPage } from './opens-page.ts';

export interface DevFailuresOptions {
  /** The path of the pages that show traces, without a final slash: `/__viaduct`. */
  readonly prefix: string;
  /** Whether clients at this numeric address ('' on a Unix socket) can open the pages: only they get a page. */
  readonly allow: (address: string) => boolean;
  /** The response when a handler throws. Errors of the content of the request are not passed to it: the client is answered otherwise. */
  readonly onThrown: (error: unknown, request: Request) => Response;
}

/** Such an answer is one line. */
const BYTES_MAX = 1024;

/** What happened, by the reason in the record of the request. Other answers say it themselves. */
const HEADLINES: Readonly<Record<string, string>> = {
  'backend failed': 'No backend answered',
  'backend timed out': 'The backend did not answer in time',
  'no backend': 'No backend is available',
  'backends busy': 'All backends are busy',
};

/**
 * In development, a failure that a browser would show as one line becomes a page that leads on: an answer of this server, such as that of a worker
 * that died or of a backend that cannot be reached, and what a handler throws. It belongs before all other handlers.
 */
export function devFailures({ prefix, allow, onThrown }: DevFailuresOptions): Handler {
  return function devFailures(request, next) {
    const shown = (response: Response): Response => {
      const page = allow(request.peer.remoteAddress) ? failureInstead(request, response, prefix) : null;
      if (page === null) return response;
      request.record.trace?.passedResponse(-1, 'the page of the failure', page.status, page.lines);
      return page;
    };
    const thrown = (error: unknown): Response => {
      if (error instanceof RequestBodyError) throw error;
      return onThrown(error, request);
    };
    let result: ReturnType<typeof next>;
    try {
      result = next(request);
    } catch (error) {
      return thrown(error);
    }
    if (result instanceof Response) return shown(result);
    return Promise.resolve(result).then(shown, thrown);
  };
}

/** Null for a response that stays. `prefix` as in `DevFailuresOptions`. */
export function failureInstead(request: Request, response: Response, prefix: string): Response | null {
  const { status } = response;
  const { reason } = request.record;
  if (status < 500 || reason === '' || !opensPage(request) || !acceptsHtml(request)) return null;
  const line = ownLine(response);
  if (line === '') return null;
  const title = `${status} ${reasonPhrase(status)}`;
  const headline = HEADLINES[reason] ?? line;
  return failurePage({ status, title, headline, text: failuresOf(request), prefix, id: requestIdOf(request.record) });
}

/** What an answer of this server says; '' for any other one. */
function ownLine(response: Response): string {
  const { body, status } = response;
  if (!(body instanceof Uint8Array) || body.length > BYTES_MAX) return '';
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const reason = reasonPhrase(status);
  const isOwn =
    responseField(response, 'content-type') === 'text/plain; charset=utf-8' &&
    (text === `${reason}\n` || text.startsWith(`${reason}: `));
  const line = text.slice(reason.length + 2).trim() || reason;
  return isOwn ? `${line.charAt(0).toUpperCase()}${line.slice(1)}` : '';
}

/** What went wrong in the hops of a request, a line for each. */
function failuresOf({ record: { trace } }: Request): string {
  const spans = trace?.spans ?? [];
  return spans
    .flatMap(({ name, attributes }) => (attributes?.error === undefined ? [] : [`${name}: ${attributes.error}`]))
    .join('\n');
}
