import type { HandlerResult, Next } from '../http/handler.ts';
import type { Response } from '../http/response.ts';
import { Exchange } from './application-call.ts';
import type { ApplicationOptions } from './application-options.ts';
import type { Application, Environ, ResponseBody, StartResponse } from './contract.ts';
import { requestOf } from './environ-to-request.ts';
import { passBody } from './passed-body.ts';
import { readHeaders } from './response-headers.ts';
import { formatStatus } from './status.ts';

/** Where an application that takes requests keeps the function that does. */
const HANDLE = Symbol('viaduct.handle');

/** Gives what a server's requests are answered with, without an environ; null when that is not possible for this server. */
export type Bind = (server: ApplicationOptions) => Next | null;

interface DirectApplication extends Application {
  readonly [HANDLE]: Bind;
}

/**
 * Makes an application of a function that answers requests, such as a pool of Python workers. Where nothing stands between it and the server, the
 * server calls what `bind` gives it, which is `handle` when absent, and no environ is made.
 */
export function applicationOf(handle: Next, bind: Bind = () => handle): Application {
  return bound((environ, startResponse) => answer(handle(requestOf(environ)), environ, startResponse), bind);
}

/** `application`, which a server reaches by `bind`. */
export function bound(application: Application, bind: Bind): Application {
  return Object.assign(application, { [HANDLE]: bind });
}

/** Says through `startResponse` what a handler has answered, or will, to the request of `environ`. */
export function answer(result: HandlerResult, environ: Environ, startResponse: StartResponse): Promise<ResponseBody> {
  const client = environ['viaduct.client'];
  const exchange = client instanceof Exchange && client.startResponse === startResponse ? client : null;
  return new Promise((resolve, reject) => {
    const say = (response: Response): void => {
      try {
        if (exchange !== null) exchange.begin(response);
        else startResponse(formatStatus(response.status, response.reason), readHeaders(response));
        resolve(passBody(response.body));
      } catch (error) {
        reject(error);
      }
    };
    if ('then' in result) result.then(say, reject);
    else say(result);
  });
}

/** Whether a server may call `application` without an environ. */
export function isDirect(application: Application): boolean {
  return HANDLE in application;
}

/** The function that answers the requests of `server` for an application that takes requests; null for any other. */
export function handleOf(application: Application, server: ApplicationOptions): Next | null {
  return isDirect(application) ? (application as DirectApplication)[HANDLE](server) : null;
}
