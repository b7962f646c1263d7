import { type Handler, mapResponse } from '../../http/handler.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { refuse } from '../../http/request-record.ts';
import { Response } from '../../http/response.ts';
import { changeResponse } from '../../http/response-fields.ts';
import { type Placeholders, STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
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
  /** Name of the policy in the RateLimit fields: visible ASCII without quotes. `default` by default, and `default-2` for the second limit of a list. */
  readonly name?: string;
  /** The most clients to remember. Beyond this number, the oldest are forgotten. 100,000 by default, which take about 10 MB. */
  readonly keysMax?: number;
  /** What a limit of the same rate counts with, so that both count together. Own buckets by default. */
  readonly buckets?: TokenBuckets;
  /** Returns milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

const KEYS_MAX = 100_000;

/**
 * Limits the rate of requests, with a token bucket for each key. Further requests get 429 (RFC 6585 section 4) with `Retry-After`, and with the fields
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10. The window in these fields is the time in which an empty bucket fills.
 *
 * @param options one limit, or several that a request must all pass. A request that one of them refuses counts for none
 */
export function rateLimit(
  options: RateLimitOptions | readonly RateLimitOptions[],
  placeholders = STANDARD_PLACEHOLDERS,
): Handler {
  const limits = [options].flat().map((one, index) => new Limit(one, index, placeholders));
  const isAnnounced = limits.some(({ announces }) => announces);

  return function rateLimit(request, next) {
    const taken: Tokens[] = [];
    for (const limit of limits) {
      const tokens = limit.take(request);
      if (!tokens.allowed) {
        for (const earlier of limits.slice(0, taken.length)) earlier.giveBack(request);
        return refuse(request, 'rate limit', limit.refusal(tokens));
      }
      taken.push(tokens);
    }
    const result = next(request);
    if (!isAnnounced) return result;
    const add = limits.flatMap((limit, index) => (limit.announces ? limit.fields(taken[index] as Tokens) : []));
    return mapResponse(result, (response) => (response.status < 200 ? response : changeResponse(response, { add })));
  };
}

class Limit {
  readonly announces: boolean;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #buckets: TokenBuckets;
  readonly #keyOf: (request: Request) => string;
  readonly #name: string;
  readonly #policy: string;

  /** `index` is its place in the list of limits. */
  constructor(options: RateLimitOptions, index: number, placeholders: Placeholders) {
    const { per, ratePerSecond, burst, announce = false, keysMax = KEYS_MAX } = options;
    this.announces = announce;
    this.#burst = burst;
    this.#now = options.now ?? (() => performance.now());
    this.#buckets = options.buckets ?? new TokenBuckets({ ratePerSecond, keysMax });
    this.#keyOf = limitKey(per, placeholders);
    this.#name = options.name ?? (index === 0 ? 'default' : `default-${index + 1}`);
    this.#policy = `"${this.#name}";q=${burst};w=${Math.max(1, Math.ceil(burst / ratePerSecond))}`;
  }

  take(request: Request): Tokens {
    return this.#buckets.take(this.#keyOf(request), this.#now(), this.#burst);
  }

  giveBack(request: Request): void {
    this.#buckets.giveBack(this.#keyOf(request));
  }

  fields({ left, fullMs }: Tokens): HeaderList {
    return ['RateLimit-Policy', this.#policy, 'RateLimit', `"${this.#name}";r=${left};t=${seconds(fullMs)}`];
  }

  refusal(tokens: Tokens): Response {
    const fields = ['Retry-After', `${Math.max(1, seconds(tokens.waitMs))}`, ...this.fields(tokens)];
    return Response.text(429, 'Too Many Requests\n', fields);
  }
}

/** `rate_limit` in a configuration. */
export const rateLimitFeature = describeFeature({
  key: 'rate_limit',
  scope: 'site',
  description: 'Limits how often clients send requests; then 429. Several limits are a list of tables.',
  page: 'limits.md',
  schema: (tools) => {
    const { featureList, bool, text, whole } = tools;
    return featureList({
      zone: limitZone(tools),
      per: limitPer(tools),
      rate: text(RATE, 'a rate such as 10/s, 100/min or 1000/h')
        .transform(perSecond)
        .describe('The rate that passes in the long run.'),
      burst: whole(1, 1_000_000).default(1).describe('Requests that may come at once.'),
      announce: bool().default(false).describe('Whether each response says how many requests are left.'),
    });
  },
  create: (limits, { placeholders, zones }) =>
    rateLimit(
      limits.map(({ zone, per, rate, burst, announce }) => {
        const buckets = zones.buckets(zone, per, { ratePerSecond: rate, keysMax: KEYS_MAX });
        return { per, ratePerSecond: rate, burst, announce, buckets };
      }),
      placeholders,
    ),
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
