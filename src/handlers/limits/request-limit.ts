import type { Handler, HandlerResult } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { type LimitPer, limitKey } from '../../http/semantics/client-key.ts';
import { onResponseEnd } from './ending-response.ts';

export interface RequestLimitOptions {
  readonly per: LimitPer;
  /** Requests of one key at a time; no limit when absent. */
  readonly max?: number;
  /** Requests of all keys at a time; no limit when absent. */
  readonly totalMax?: number;
  /** What answers a request too many. 503 when absent: nginx's and Caddy's choice; 429 says that it is the client's own doing. */
  readonly status?: 429 | 503;
  /** Seconds in Retry-After; 1 when absent. */
  readonly retryAfter?: number;
}

/**
 * Lets a number of requests run at a time, for each key and in all. A request counts from here until its response's content is in memory,
 * its file closed, its stream or upgraded connection over: as long as it holds a worker, a descriptor or another server. So a
 * client that reads a small response slowly is not counted; one that leaves is, until whoever answers it has noticed.
 */
export function requestLimit(options: RequestLimitOptions): Handler {
  const { per, max = Number.POSITIVE_INFINITY, totalMax = Number.POSITIVE_INFINITY, status = 503 } = options;
  const retryAfter = `${options.retryAfter ?? 1}`;
  const keyOf = limitKey(per);
  /** Keys without a request are not in it. */
  const running = new Map<string, number>();
  let total = 0;

  function release(key: string): void {
    const left = (running.get(key) ?? 1) - 1;
    if (left === 0) running.delete(key);
    else running.set(key, left);
    total -= 1;
  }

  return function requestLimit(request, next) {
    const key = keyOf(request);
    const count = running.get(key) ?? 0;
    if (count >= max || total >= totalMax) return refusal(status, retryAfter);
    running.set(key, count + 1);
    total += 1;
    return counted(
      () => next(request),
      () => release(key),
    );
  };
}

/** The result of `run`. `onEnd` is called once, when it failed or its response is over. */
function counted(run: () => HandlerResult, onEnd: () => void): HandlerResult {
  let result: HandlerResult;
  try {
    result = run();
  } catch (error) {
    onEnd();
    throw error;
  }
  if (result instanceof Response) return onResponseEnd(result, onEnd);
  const later = result;
  return {
    // biome-ignore lint/suspicious/noThenProperty: a result that comes later is awaited by its `then`
    then(onValue, onError) {
      later.then(
        (response) => onValue(onResponseEnd(response, onEnd)),
        (error) => {
          onEnd();
          onError(error);
        },
      );
    },
  };
}

function refusal(status: 429 | 503, retryAfter: string): Response {
  const text =
    status === 429
      ? 'Too Many Requests: others of yours are still running\n'
      : 'Service Unavailable: too many requests are running\n';
  return Response.text(status, text, ['Retry-After', retryAfter]);
}
