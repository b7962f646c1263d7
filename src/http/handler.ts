import type { Later, Request } from './message.ts';
import { Response } from './response.ts';

export type HandlerResult = Response | Later<Response>;

/** The rest of the chain. */
export type Next = (request: Request) => HandlerResult;

/** One step on a request's way: answers, or hands on to `next`. Throwing, or failing later, is answered with 500. */
export type Handler = (request: Request, next: Next) => HandlerResult;

/** What `change` makes of the response that `result` is, or will be. Costs no promise where `result` is none. */
export function after(result: HandlerResult, change: (response: Response) => HandlerResult): HandlerResult {
  if (result instanceof Response) return change(result);
  return {
    // biome-ignore lint/suspicious/noThenProperty: a result that comes later is awaited by its `then`
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
