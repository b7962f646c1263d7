/** After how much work, time and memory the workers of a release are replaced; 0 for never. */
export interface WorkerLimits {
  readonly maxRequests: number;
  /** Each worker runs up to so many requests more, a random number of them. */
  readonly maxRequestsJitter: number;
  readonly maxLifetimeMs: number;
  readonly maxRssBytes: number;
}

/** The limits of one worker; infinite for none. */
export interface OwnLimits {
  readonly requestsMax: number;
  readonly lifetimeMs: number;
}

/** A worker lives for up to this part of its time longer or shorter. */
const LIFETIME_JITTER = 0.1;

/**
 * Draws the limits of one worker. They differ from worker to worker, so that workers that started together do not all
 * reach them together.
 *
 * @param random returns a number from 0 to below 1
 */
export function drawLimits(limits: WorkerLimits, random: () => number = Math.random): OwnLimits {
  const { maxRequests, maxRequestsJitter, maxLifetimeMs } = limits;
  const jitter = Math.floor(random() * (maxRequestsJitter + 1));
  const lifetimeMs = maxLifetimeMs * (1 + LIFETIME_JITTER * (2 * random() - 1));
  return {
    requestsMax: maxRequests === 0 ? Number.POSITIVE_INFINITY : maxRequests + jitter,
    lifetimeMs: maxLifetimeMs === 0 ? Number.POSITIVE_INFINITY : lifetimeMs,
  };
}
