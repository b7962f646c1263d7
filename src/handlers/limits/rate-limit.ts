import { after, type Handler } from '../../http/handler.ts';
import type { HeaderList } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { changeResponse } from '../../http/response-fields.ts';
import { type LimitPer, limitKey } from '../../http/semantics/client-key.ts';
import { TokenBuckets, type Tokens } from './token-buckets.ts';

export interface RateLimitOptions {
  readonly per: LimitPer;
  /** Requests per second in the long run; 0.5 is one in two seconds. */
  readonly ratePerSecond: number;
  /** Requests that may come at once, at least 1. */
  readonly burst: number;
  /** Tells clients on every response how much they have left, not only when it is too late. False when absent. */
  readonly announce?: boolean;
  /** What the policy is called in the RateLimit fields, visible ASCII without quotes; `default` when absent. */
  readonly name?: string;
  /** Clients that are remembered at most; a flood of more makes the oldest be forgotten. 100,000 when absent: some 10 MB. */
  readonly keysMax?: number;
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number;
}

const KEYS_MAX = 100_000;

/**
 * Lets requests pass at a rate (a token bucket for each key) and answers the others with 429 (RFC 6585 section 4), `Retry-After`, and the
 * fields `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10, whose window is the time that an empty bucket
 * takes to fill.
 */
export function rateLimit(options: RateLimitOptions): Handler {
  const { per, ratePerSecond, burst, announce = false, name = 'default', keysMax = KEYS_MAX } = options;
  const now = options.now ?? (() => performance.now());
  const keyOf = limitKey(per);
  const buckets = new TokenBuckets({ ratePerSecond, burst, keysMax });
  const policy = `"${name}";q=${burst};w=${Math.max(1, Math.ceil(burst / ratePerSecond))}`;

  function fieldsOf({ left, fullMs }: Tokens): HeaderList {
    return ['RateLimit-Policy', policy, 'RateLimit', `"${name}";r=${left};t=${seconds(fullMs)}`];
  }

  return function rateLimit(request, next) {
    const tokens = buckets.take(keyOf(request), now());
    if (!tokens.allowed) {
      return Response.text(429, 'Too Many Requests\n', [
        'Retry-After',
        `${Math.max(1, seconds(tokens.waitMs))}`,
        ...fieldsOf(tokens),
      ]);
    }
    const result = next(request);
    if (!announce) return result;
    return after(result, (response) =>
      response.status < 200 ? response : changeResponse(response, { add: fieldsOf(tokens) }),
    );
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000 - 1e-9);
}
