import type { HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import type { Application } from './contract.ts';
import { requestOf } from './environ-request.ts';
import { passBody } from './passed-body.ts';
import { readHeaders } from './response-headers.ts';
import { formatStatus } from './status.ts';

/** Where an application that takes requests keeps the function that does. */
const HANDLE = Symbol('viaduct.handle');

interface DirectApplication extends Application {
  readonly [HANDLE]: Next;
}

/**
 * Makes an application of a function that answers requests, such as a pool of Python workers. Where nothing stands between it and the server the
 * server calls `handle` (`handleOf`), and no environ is made.
 */
export function applicationOf(handle: Next): Application {
  const application: Application = (environ, startResponse) =>
    new Promise((resolve, reject) => {
      const answer = (response: Response): void => {
        try {
          startResponse(formatStatus(response.status, response.reason), readHeaders(response));
          resolve(passBody(response.body));
        } catch (error) {
          reject(error);
        }
      };
      const result: HandlerResult = handle(requestOf(environ));
      if ('then' in result) result.then(answer, reject);
      else answer(result);
    });
  return Object.assign(application, { [HANDLE]: handle });
}

/** The function that an application answers requests with, when it is one that takes requests; else null. */
export function handleOf(application: Application): ((request: Request) => HandlerResult) | null {
  return HANDLE in application ? (application as DirectApplication)[HANDLE] : null;
}
