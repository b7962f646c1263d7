/** What a bucket says to one request. */
export interface Tokens {
  /** Whether there was a token; it is taken. */
  readonly allowed: boolean;
  /** Whole tokens left. */
  readonly left: number;
  /** Until there is a token for a request that was not allowed; else 0. */
  readonly waitMs: number;
  /** Until the bucket is full again. */
  readonly fullMs: number;
}

export interface TokenBucketsOptions {
  /** Tokens that come back per second. */
  readonly ratePerSecond: number;
  /** Tokens that a bucket holds, and begins with. */
  readonly burst: number;
  /** Buckets that are remembered at most. */
  readonly keysMax: number;
}

/**
 * One token bucket per key. A bucket is a number: the time at which it is full again (the generic cell rate algorithm, ITU-T I.371). Full
 * ones need not be remembered, so all are kept in two generations, and the older one is thrown away as a whole when every bucket in
 * it must be full, or when the younger one holds half of `keysMax`. No timer, and no more memory than that, whoever knocks.
 */
export class TokenBuckets {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #generationMax: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngSinceMs = Number.NEGATIVE_INFINITY;

  constructor({ ratePerSecond, burst, keysMax }: TokenBucketsOptions) {
    this.#intervalMs = 1000 / ratePerSecond;
    this.#burstMs = burst * this.#intervalMs;
    this.#generationMax = Math.max(1, Math.floor(keysMax / 2));
  }

  /** Buckets that are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Takes a token out of the bucket of `key`. `nowMs` never goes back. */
  take(key: string, nowMs: number): Tokens {
    if (nowMs - this.#youngSinceMs >= this.#burstMs || this.#young.size >= this.#generationMax) this.#age(nowMs);
    const fullAt = Math.max(nowMs, this.#young.get(key) ?? this.#old.get(key) ?? nowMs);
    const next = fullAt + this.#intervalMs;
    const waitMs = next - nowMs - this.#burstMs;
    const allowed = waitMs <= ROUNDING_MS;
    this.#young.set(key, allowed ? next : fullAt);
    const fullMs = (allowed ? next : fullAt) - nowMs;
    const left = Math.floor((this.#burstMs - fullMs) / this.#intervalMs + ROUNDING_MS);
    return { allowed, left: Math.max(0, left), waitMs: allowed ? 0 : waitMs, fullMs };
  }

  #age(nowMs: number): void {
    const idle = nowMs - this.#youngSinceMs >= 2 * this.#burstMs;
    this.#old = idle ? new Map() : this.#young;
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }
}

/** What sums of fractions may be off. */
const ROUNDING_MS = 1e-6;
