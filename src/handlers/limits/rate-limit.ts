import { type Handler, mapResponse } from '../../http/handler.ts';
import type { HeaderList } from '../../http/message.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { changeResponse } from '../../http/response-fields.ts';
import { STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
import { describeFeature } from '../feature.ts';
import { type LimitPer, limitKey } from './limit-key.ts';
import { limitPer, limitZone } from './limit-per.ts';
import { TokenBuckets, type Tokens } from './token-buckets.ts';

/** Options of `rateLimit`. */
export interface RateLimitOptions {
  /** What is counted: each client, all requests together, or each value of a request field or of a text with placeholders. */
  readonly per: LimitPer;
  /** Requests per second in the long run; 0.5 is one request in two seconds. */
  readonly ratePerSecond: number;
  /** Requests that may come at once, at least 1. */
  readonly burst: number;
  /** Whether every response says how many requests are left, not only the 429. False by default. */
  readonly announce?: boolean;
  /** Name of the policy in the RateLimit fields: visible ASCII without quotes. `default` by default. */
  readonly name?: string;
  /** The most clients to remember. Beyond this number, the oldest are forgotten. 100,000 by default, which take about 10 MB. */
  readonly keysMax?: number;
  /** Returns milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

const KEYS_MAX = 100_000;

/**
 * Limits the rate of requests, with a token bucket for each key. Further requests get 429 (RFC 6585 section 4) with `Retry-After`, and with the fields
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10. The window in these fields is the time in which an empty bucket fills.
 *
 * @param buckets limits of the same rate that have the same buckets count together
 */
export function rateLimit(
  options: RateLimitOptions,
  placeholders = STANDARD_PLACEHOLDERS,
  buckets = new TokenBuckets({ ratePerSecond: options.ratePerSecond, keysMax: options.keysMax ?? KEYS_MAX }),
): Handler {
  const { per, ratePerSecond, burst, announce = false, name = 'default' } = options;
  const now = options.now ?? (() => performance.now());
  const keyOf = limitKey(per, placeholders);
  const policy = `"${name}";q=${burst};w=${Math.max(1, Math.ceil(burst / ratePerSecond))}`;

  function fieldsOf({ left, fullMs }: Tokens): HeaderList {
    return ['RateLimit-Policy', policy, 'RateLimit', `"${name}";r=${left};t=${seconds(fullMs)}`];
  }

  return function rateLimit(request, next) {
    const tokens = buckets.take(keyOf(request), now(), burst);
    if (!tokens.allowed) {
      const fields = ['Retry-After', `${Math.max(1, seconds(tokens.waitMs))}`, ...fieldsOf(tokens)];
      return refuse(request, 'rate limit', Response.text(429, 'Too Many Requests\n', fields));
    }
    const result = next(request);
    if (!announce) return result;
    return mapResponse(result, (response) =>
      response.status < 200 ? response : changeResponse(response, { add: fieldsOf(tokens) }),
    );
  };
}

/** `rate_limit` in a configuration. */
export const rateLimitFeature = describeFeature({
  key: 'rate_limit',
  scope: 'site',
  description: 'Limits how often clients send requests; then 429.',
  page: 'limits.md',
  schema: (tools) => {
    const { feature, bool, text, whole } = tools;
    return feature({
      zone: limitZone(tools),
      per: limitPer(tools),
      rate: text(RATE, 'a rate such as 10/s, 100/min or 1000/h')
        .transform(perSecond)
        .describe('The rate that passes in the long run.'),
      burst: whole(1, 1_000_000).default(1).describe('Requests that may come at once.'),
      announce: bool().default(false).describe('Whether each response says how many requests are left.'),
    });
  },
  create: ({ zone, per, rate, burst, announce }, { placeholders, zones }) => {
    const buckets = zones.buckets(zone, per, { ratePerSecond: rate, keysMax: KEYS_MAX });
    return rateLimit({ per, ratePerSecond: rate, burst, announce }, placeholders, buckets);
  },
});

const RATE = /^(\d{1,7}(?:\.\d{1,3})?)\/(s|min|h)$/;
const SECONDS = { s: 1, min: 60, h: 3600 } as const;

function perSecond(rate: string): number {
  const [, count, unit] = RATE.exec(rate) ?? [];
  return Number(count) / SECONDS[unit as keyof typeof SECONDS];
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000 - 1e-9);
}
