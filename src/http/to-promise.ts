import type { HandlerResult } from './handler.ts';
import { Response } from './response.ts';

/** `result` as a promise, for handlers that wait for something before. */
export function settle(result: HandlerResult): Promise<Response> {
  if (result instanceof Response) return Promise.resolve(result);
  return new Promise((resolve, reject) => result.then(resolve, reject));
}
