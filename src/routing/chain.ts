import type { Handler, HandlerResult, Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';

/** Folds a chain of handlers into one function, once, so that a request costs no loop. `last` answers what the others pass on. */
export function compose(handlers: readonly Handler[], last: Next): (request: Request) => HandlerResult {
  return handlers.reduceRight<Next>((next, handler) => (request) => handler(request, next), last);
}
