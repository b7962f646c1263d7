/** The state of a bucket after one request. */
export interface Tokens {
  /** Whether there was a token, which is then taken. */
  readonly allowed: boolean;
  /** Whole tokens left. */
  readonly left: number;
  /** Milliseconds until there is a token for a request that was not allowed; otherwise 0. */
  readonly waitMs: number;
  /** Milliseconds until the bucket is full again. */
  readonly fullMs: number;
}

/** How fast buckets fill, and how many there are. */
export interface TokenBucketsOptions {
  /** Tokens that are added per second. */
  readonly ratePerSecond: number;
  /** The most buckets to remember. */
  readonly keysMax: number;
}

/**
 * One token bucket per key. A bucket is a number: the time at which it is full again (the generic cell rate algorithm, ITU-T I.371). Full buckets need not be
 * remembered. So there are two generations of buckets. The older one is dropped as a whole when all its buckets must be full, or when the younger one has half of
 * `keysMax`. This needs no timer, and the memory has a limit whatever clients do.
 */
export class TokenBuckets {
  readonly #intervalMs: number;
  /** The longest time in which a bucket was seen to fill. */
  #burstMs = 0;
  readonly #generationMax: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngSinceMs = Number.NEGATIVE_INFINITY;

  /** Without buckets: the first token of a key makes its bucket. */
  constructor({ ratePerSecond, keysMax }: TokenBucketsOptions) {
    this.#intervalMs = 1000 / ratePerSecond;
    this.#generationMax = Math.max(1, Math.floor(keysMax / 2));
  }

  /** The number of remembered buckets. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * Takes a token from the bucket of `key`. `nowMs` must never go back.
   *
   * @param burst tokens in a full bucket, at least 1. A new bucket is full
   */
  take(key: string, nowMs: number, burst: number): Tokens {
    const burstMs = burst * this.#intervalMs;
    if (burstMs > this.#burstMs) this.#burstMs = burstMs;
    if (nowMs - this.#youngSinceMs >= this.#burstMs || this.#young.size >= this.#generationMax) this.#age(nowMs);
    const fullAt = Math.max(nowMs, this.#young.get(key) ?? this.#old.get(key) ?? nowMs);
    const next = fullAt + this.#intervalMs;
    const waitMs = next - nowMs - burstMs;
    const allowed = waitMs <= ROUNDING_MS;
    this.#young.set(key, allowed ? next : fullAt);
    const fullMs = (allowed ? next : fullAt) - nowMs;
    const left = Math.floor((burstMs - fullMs) / this.#intervalMs + ROUNDING_MS);
    return { allowed, left: Math.max(0, left), waitMs: allowed ? 0 : waitMs, fullMs };
  }

  /** Undoes what the last `take` of `key` took, which allowed a request. */
  giveBack(key: string): void {
    const fullAt = this.#young.get(key);
    if (fullAt !== undefined) this.#young.set(key, fullAt - this.#intervalMs);
  }

  #age(nowMs: number): void {
    const idle = nowMs - this.#youngSinceMs >= 2 * this.#burstMs;
    this.#old = idle ? new Map() : this.#young;
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }
}

/** The rounding error of sums of fractions. */
const ROUNDING_MS = 1e-6;
