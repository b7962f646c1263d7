import type { Later, Request } from './message.ts';
import { Response } from './response.ts';

/** The response of a handler, at once or later: a promise of a response is one, too. */
export type HandlerResult = Response | Later<Response>;

/** The handlers further down the chain. */
export type Next = (request: Request) => HandlerResult;

/** One step on a request's way: it answers, or passes the request on to `next`. If it throws or fails later, the client gets 500. */
export type Handler = (request: Request, next: Next) => HandlerResult;

/**
 * Applies `change` to the response: at once if `result` is a response, else when the response comes. Neither case costs a promise.
 * If `change` throws, this function throws too, or the later result fails.
 */
export function mapResponse(result: HandlerResult, change: (response: Response) => HandlerResult): HandlerResult {
  if (result instanceof Response) return change(result);
  return {
    // biome-ignore lint/suspicious/noThenProperty: callers wait for a later result through its `then`
    then(onValue, onError) {
      result.then((response) => {
        try {
          const changed = change(response);
          if (changed instanceof Response) onValue(changed);
          else changed.then(onValue, onError);
        } catch (error) {
          onError(error);
        }
      }, onError);
    },
  };
}
