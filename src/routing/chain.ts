import type { Handler, HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';

/**
 * Folds a chain of handlers into one function, once, so that a request needs no loop. `last` answers requests that the
 * other handlers pass on.
 */
export function compose(handlers: readonly Handler[], last: Next): (request: Request) => HandlerResult {
  return handlers.reduceRight<Next>((next, handler) => (request) => handler(request, next), last);
}
