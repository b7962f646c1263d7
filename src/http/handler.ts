import type { Later, Request } from './message.ts';
import type { Response } from './response.ts';

export type HandlerResult = Response | Later<Response>;

/** The rest of the chain. */
export type Next = (request: Request) => HandlerResult;

/** One step on a request's way: answers, or hands on to `next`. Throwing, or failing later, is answered with 500. */
export type Handler = (request: Request, next: Next) => HandlerResult;
