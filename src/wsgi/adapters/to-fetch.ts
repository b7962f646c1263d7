import type { HandlerResult } from '../../http/handler.ts';
import type { Response as HttpResponse } from '../../http/response.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import type { Application } from '../contract.ts';
import { type FetchInfo, FetchRequest } from './fetch-request.ts';
import { fetchResponse } from './fetch-response.ts';
import { answerFor, FailedResponse, isBelow, type MountOptions, mountOf } from './framework-server.ts';
import { keepRequest } from './keep-request.ts';

/** Answers a request of the fetch standard. `info` describes the client. */
export type FetchApplication = (request: Request, info?: FetchInfo) => Promise<Response>;

/**
 * Makes a fetch handler of an application, for Hono, SvelteKit, Remix, or a test. Contents are streamed in both directions. An aborted request and a cancelled
 * response end the iteration of the application's response.
 *
 * The promise rejects with what the application throws before its response starts. After that, the stream of the response fails. With `mount`, a path that is
 * not below it is answered with 404.
 *
 * @throws ViaductError `USAGE` for a mount that is not a path
 *
 * @example
 * ```ts
 * import { Hono } from 'hono';
 * import { pythonApp } from 'viaduct';
 * import { toFetch } from 'viaduct/adapters';
 *
 * const django = toFetch(pythonApp({ project: './mysite' }), { mount: '/admin' });
 * const app = new Hono();
 * app.all('/admin/*', (c) => django(c.req.raw));
 * ```
 */
export function toFetch(application: Application, options: MountOptions = {}): FetchApplication {
  const { onError = console.error } = options;
  const mount = mountOf(options);
  const answer = answerFor(application, onError);

  return async function viaductApplication(request, info = {}) {
    if (!isBelow(new URL(request.url).pathname, mount)) return new Response('Not Found\n', { status: 404 });
    request.signal.throwIfAborted();
    const serverRequest = new FetchRequest(request, mount, info);
    const response = await keepRequest(request, () => responseTo(serverRequest, answer, request.signal));
    if (response instanceof FailedResponse) throw response.error;
    if (serverRequest.failure !== null) onError(serverRequest.failure);
    return fetchResponse(serverRequest, response);
  };
}

/** Waits for the response, but no longer than the client. A later response is discarded. */
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
