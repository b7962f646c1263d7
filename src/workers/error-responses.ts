import { Response } from '../http/response.ts';

/** The answers of the application server itself. Tracebacks and their pages come from `errorResponse` of its options. */

/** 502: the worker that ran the request died (RFC 9110 section 15.6.3). */
export function workerDiedResponse(): Response {
  return Response.text(502, 'Bad Gateway: the worker that ran this request died\n');
}

/** 504: the application did not answer before the deadline (RFC 9110 section 15.6.5). */
export function overdueResponse(): Response {
  return Response.text(504, 'Gateway Timeout: the application did not answer in time\n');
}

/** 502: the worker answered with a file that this process cannot open. */
export function fileFailedResponse(): Response {
  return Response.text(502, 'Bad Gateway\n');
}

/** The longest time after which a client may try again: the expected wait changes quickly. */
const RETRY_SECONDS_MAX = 10;

/** 503: as many requests wait as may wait. `waitMs` is the wait to expect (RFC 9110 section 10.2.3). */
export function queueFullResponse(waitMs: number): Response {
  return unavailable('too many requests are waiting', waitMs);
}

/** 503: the request has waited for as long as it may. `waitMs` is the wait to expect. */
export function waitedTooLongResponse(waitMs: number): Response {
  return unavailable('the request has waited for too long', waitMs);
}

function unavailable(why: string, waitMs: number): Response {
  const seconds = Math.min(RETRY_SECONDS_MAX, Math.max(1, Math.ceil(waitMs / 1000)));
  return Response.text(503, `Service Unavailable: ${why}\n`, ['Retry-After', String(seconds)]);
}

/** 500: the request's content could not be received. */
export function bodyFailedResponse(): Response {
  return Response.text(500, 'Internal Server Error\n');
}

/** 499, as in nginx: the client left. It appears only in logs, because no client reads it. */
export function clientLeftResponse(): Response {
  return Response.text(499, '');
}
