import type { Handler, HandlerResult } from '../../http/handler.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined } from '../options.ts';
import { onResponseEnd } from './ending-response.ts';
import { type LimitPer, limitKey } from './limit-key.ts';
import { limitPer, limitZone } from './limit-per.ts';
import { RunningRequests } from './running-requests.ts';

/** Options of `requestLimit`. */
export interface RequestLimitOptions {
  /** What is counted: each client, all requests together, or each value of a request field or of a text with placeholders. */
  readonly per: LimitPer;
  /** Requests of one key at a time; no limit by default. */
  readonly max?: number;
  /** Requests of all keys at a time; no limit by default. */
  readonly totalMax?: number;
  /** Status for further requests. 503 by default, as in nginx and Caddy. 429 says that the client itself sends too many. */
  readonly status?: 429 | 503;
  /** Seconds in Retry-After; 1 by default. */
  readonly retryAfter?: number;
}

/**
 * Limits how many requests run at a time, for each key and together. A request counts until its response's content is in memory, its file is closed, or its stream
 * or upgraded connection is over. This is the time in which it occupies a worker, a file descriptor or a backend. So a client that reads a small response slowly
 * does not count. The request of a client that has left counts until the application has finished.
 *
 * @param running limits that have the same count together
 */
export function requestLimit(
  options: RequestLimitOptions,
  placeholders = STANDARD_PLACEHOLDERS,
  running = new RunningRequests(),
): Handler {
  const { per, max = Number.POSITIVE_INFINITY, totalMax = Number.POSITIVE_INFINITY, status = 503 } = options;
  const retryAfter = `${options.retryAfter ?? 1}`;
  const keyOf = limitKey(per, placeholders);

  return function requestLimit(request, next) {
    const key = keyOf(request);
    if (!running.enter(key, max, totalMax))
      return refuse(request, 'too many running requests', refusal(status, retryAfter));
    return counted(
      () => next(request),
      () => running.leave(key),
    );
  };
}

/** `request_limit` in a configuration. */
export const requestLimitFeature = describeFeature({
  key: 'request_limit',
  scope: 'site',
  description: 'Limits how many requests run at a time.',
  page: 'limits.md',
  schema: (tools) => {
    const { z, feature, whole } = tools;
    return feature({
      zone: limitZone(tools),
      per: limitPer(tools),
      max: whole(1, 1_000_000)
        .optional()
        .meta({ description: 'Requests of one client at a time.', defaultText: 'no limit' }),
      total_max: whole(1, 1_000_000)
        .optional()
        .meta({ description: 'Requests of all clients at a time.', defaultText: 'no limit' }),
      status: z
        .literal([429, 503], 'must be 429 or 503')
        .default(503)
        .describe('Status of the answer to further requests.'),
    });
  },
  create: ({ zone, per, max, total_max, status }, { placeholders, zones }) =>
    requestLimit(omitUndefined({ per, max, totalMax: total_max, status }), placeholders, zones.running(zone, per)),
});

/** The result of `run`. Calls `onEnd` once, when it failed or when its response is over. */
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
      ? 'Too Many Requests: too many of your requests are running\n'
      : 'Service Unavailable: too many requests are running\n';
  return Response.text(status, text, ['Retry-After', retryAfter]);
}
