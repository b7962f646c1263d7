import type { HandlerResult } from './handler.ts';
import { Response } from './response.ts';

/** Turns `result` into a promise, for handlers that are asynchronous themselves. */
export function toPromise(result: HandlerResult): Promise<Response> {
  if (result instanceof Response) return Promise.resolve(result);
  return new Promise((resolve, reject) => result.then(resolve, reject));
}
