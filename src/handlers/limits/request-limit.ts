import type { Handler, HandlerResult } from '../../http/handler.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { type Placeholders, STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
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
  /** The count of another limit, so that both count together. An own count by default. */
  readonly running?: RunningRequests;
}

/**
 * Limits how many requests run at a time, for each key and together. A request counts until its response's content is in memory, its file is closed, or its stream
 * or upgraded connection is over. This is the time in which it occupies a worker, a file descriptor or a backend. So a client that reads a small response slowly
 * does not count. The request of a client that has left counts until the application has finished.
 *
 * @param options one limit, or several that a request must all pass. A request that one of them refuses counts for none
 */
export function requestLimit(
  options: RequestLimitOptions | readonly RequestLimitOptions[],
  placeholders = STANDARD_PLACEHOLDERS,
): Handler {
  const limits = [options].flat().map((one) => limitOf(one, placeholders));

  return function requestLimit(request, next) {
    const keys: string[] = [];
    const leave = (): void => {
      for (const [index, key] of keys.entries()) limits[index]?.running.leave(key);
    };
    for (const { keyOf, running, max, totalMax, status, retryAfter } of limits) {
      const key = keyOf(request);
      if (running.enter(key, max, totalMax)) keys.push(key);
      else {
        leave();
        return refuse(request, 'too many running requests', refusal(status, retryAfter));
      }
    }
    return counted(() => next(request), leave);
  };
}

function limitOf(options: RequestLimitOptions, placeholders: Placeholders) {
  const { per, max = Number.POSITIVE_INFINITY, totalMax = Number.POSITIVE_INFINITY, status = 503 } = options;
  const { running = new RunningRequests(), retryAfter = 1 } = options;
  return { keyOf: limitKey(per, placeholders), running, max, totalMax, status, retryAfter: `${retryAfter}` };
}

/** `request_limit` in a configuration. */
export const requestLimitFeature = describeFeature({
  key: 'request_limit',
  scope: 'site',
  description: 'Limits how many requests run at a time. Several limits are a list of tables.',
  page: 'limits.md',
  schema: (tools) => {
    const { z, featureList, whole } = tools;
    return featureList({
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
  create: (limits, { placeholders, zones }) =>
    requestLimit(
      limits.map(({ zone, per, max, total_max, status }) =>
        omitUndefined({ per, max, totalMax: total_max, status, running: zones.running(zone, per) }),
      ),
      placeholders,
    ),
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
