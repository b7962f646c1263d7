/**
 * The time above which a request of one route counts as slow: the 99th percentile of those before, estimated with a histogram. A bucket is at most a
 * quarter wider than its start, so the estimate is at most a quarter too high. Counts are halved from time to time, so that old requests fade.
 */
export class SlowLimit {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #untilNext = FIRST;
  #limitUs = Number.POSITIVE_INFINITY;

  /** Counts a request of `us` microseconds. Returns whether it is slower than the 99th percentile of those before it. */
  isSlow(us: number): boolean {
    const whole = us < 1 ? 1 : us > US_MAX ? US_MAX : us | 0;
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total += 1;
    const isSlow = whole > this.#limitUs;
    this.#untilNext -= 1;
    if (this.#untilNext === 0) this.#estimate();
    return isSlow;
  }

  get limitUs(): number {
    return this.#limitUs;
  }

  #estimate(): void {
    this.#untilNext = EACH;
    let above = Math.floor(this.#total / 100);
    let bucket = BUCKETS - 1;
    while (bucket > 0 && above >= (this.#counts[bucket] as number)) {
      above -= this.#counts[bucket] as number;
      bucket -= 1;
    }
    this.#limitUs = endOf(bucket);
    if (this.#total < TOTAL_MAX) return;
    this.#total = 0;
    for (let i = 0; i < BUCKETS; i += 1) {
      const half = (this.#counts[i] as number) >>> 1;
      this.#counts[i] = half;
      this.#total += half;
    }
  }
}

/** Without so many requests, none is slow. */
const FIRST = 100;
/** After so many requests the limit is estimated again. */
const EACH = 100;
const TOTAL_MAX = 10_000;
/** 35 minutes. */
const US_MAX = 0x7fffffff;
/** Four buckets for each power of two. */
const BUCKETS = 31 * 4;

/** The power of two, and its next two bits. */
function bucketOf(us: number): number {
  const power = 31 - Math.clz32(us);
  const next = power >= 2 ? (us >>> (power - 2)) & 3 : (us << (2 - power)) & 3;
  return power * 4 + next;
}

/** The largest number of microseconds in a bucket. */
function endOf(bucket: number): number {
  const power = bucket >>> 2;
  return Math.ceil(2 ** power * (1 + ((bucket & 3) + 1) / 4)) - 1;
}

/** Limits by the names of routes. Names come from the configuration, so there are few; those of earlier configurations go when there are too many. */
export class SlowLimits {
  readonly #limits = new Map<string, SlowLimit>();

  isSlow(route: string, us: number): boolean {
    let limit = this.#limits.get(route);
    if (limit === undefined) {
      if (this.#limits.size >= ROUTES_MAX) this.#limits.clear();
      limit = new SlowLimit();
      this.#limits.set(route, limit);
    }
    return limit.isSlow(us);
  }

  get routes(): number {
    return this.#limits.size;
  }
}

const ROUTES_MAX = 1000;
