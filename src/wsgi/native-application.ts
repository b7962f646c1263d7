import type { HandlerResult, Next } from '../http/handler.ts';
import type { Response } from '../http/response.ts';
import { ApplicationCall } from './application-call.ts';
import type { ApplicationOptions } from './application-options.ts';
import type { Application, Environ, ResponseBody, StartResponse } from './contract.ts';
import { requestOf } from './environ-to-request.ts';
import { passBody } from './passed-body.ts';
import { readHeaders } from './response-headers.ts';
import { formatStatus } from './status.ts';

/** The property of a native application, one that takes requests, that holds its handler. */
const nativeHandler = Symbol('viaduct.handle');

/** Returns the function that answers a server's requests without an environ; null if this is not possible for the server. */
export type BindHandler = (server: ApplicationOptions) => Next | null;

interface NativeApplication extends Application {
  readonly [nativeHandler]: BindHandler;
}

/**
 * Makes an application of a function that answers requests, such as a pool of Python workers. If no middleware is between the application and the server,
 * the server calls the function that `bind` returns (`handle` by default), and no environ is made.
 */
export function applicationOf(handle: Next, bind: BindHandler = () => handle): Application {
  return bound((environ, startResponse) => answer(handle(requestOf(environ)), environ, startResponse), bind);
}

/** `application`, whose native handler a server gets by `bind`. */
export function bound(application: Application, bind: BindHandler): Application {
  return Object.assign(application, { [nativeHandler]: bind });
}

/** Passes the response of a handler, which may come later, to the `startResponse` of `environ`'s request. */
export function answer(result: HandlerResult, environ: Environ, startResponse: StartResponse): Promise<ResponseBody> {
  const client = environ['viaduct.client'];
  const call = client instanceof ApplicationCall && client.startResponse === startResponse ? client : null;
  return new Promise((resolve, reject) => {
    const start = (response: Response): void => {
      try {
        if (call !== null) call.begin(response);
        else startResponse(formatStatus(response.status, response.reason), readHeaders(response));
        resolve(passBody(response.body));
      } catch (error) {
        reject(error);
      }
    };
    if ('then' in result) result.then(start, reject);
    else start(result);
  });
}

/** Whether a server may call `application` without an environ. */
export function isNative(application: Application): boolean {
  return nativeHandler in application;
}

/** The function that answers the requests of `server` for a native application; null for any other application. */
export function nativeHandlerOf(application: Application, server: ApplicationOptions): Next | null {
  return isNative(application) ? (application as NativeApplication)[nativeHandler](server) : null;
}
