import type { HandlerResult } from '../../http/handler.ts';
import { discardBody } from '../../http/http1/response-writer.ts';
import type { Response as HttpResponse } from '../../http/response.ts';
import type { Application } from '../contract.ts';
import { type FetchInfo, FetchRequest } from './fetch-request.ts';
import { fetchResponse } from './fetch-response.ts';
import { answerFor, FailedResponse, isBelow, type MountOptions, mountOf } from './framework-server.ts';

/** Answers a request of the fetch standard. */
export type FetchApplication = (request: Request, info?: FetchInfo) => Promise<Response>;

/**
 * Makes a fetch handler of an application: for Hono, SvelteKit, Remix, and whatever else takes `(Request) => Response`. The content is streamed both ways; a
 * request that is aborted and a response that is cancelled end the iteration of the application's response.
 *
 * It rejects with what the application throws before its response begins; afterwards the stream of the response fails. With `mount` what is not below it is
 * answered with 404.
 *
 * @throws ViaductError `USAGE` for a mount that is no path
 */
export function toFetch(application: Application, options: MountOptions = {}): FetchApplication {
  const { onError = console.error } = options;
  const mount = mountOf(options);
  const answer = answerFor(application, onError);

  return async function viaductApplication(request, info = {}) {
    if (!isBelow(new URL(request.url).pathname, mount)) return new Response('Not Found\n', { status: 404 });
    request.signal.throwIfAborted();
    const asked = new FetchRequest(request, mount, info);
    const response = await responseTo(asked, answer, request.signal);
    if (response instanceof FailedResponse) throw response.error;
    if (asked.failure !== null) onError(asked.failure);
    return fetchResponse(asked, response);
  };
}

/** Waits for the response, but no longer than the client: what comes later is thrown away. */
function responseTo(
  request: FetchRequest,
  answer: (request: FetchRequest) => HandlerResult,
  signal: AbortSignal,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    const settle = (response: HttpResponse): void => {
      signal.removeEventListener('abort', leave);
      request.isAnswered = true;
      if (request.gone) discardBody(response.body);
      resolve(response);
    };
    signal.addEventListener('abort', leave, { once: true });
    const result = answer(request);
    if ('then' in result) result.then(settle, reject);
    else settle(result);
  });
}
