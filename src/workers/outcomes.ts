import type { RequestRecord } from '../http/message.ts';

/** Each power of two has so many buckets, so that a time is known to an eighth. */
const PER_OCTAVE = 4;
const OCTAVES = 31;

/** How the requests of one release ended, and how long they took: the wait for a worker, and the time in Python. */
export class Outcomes {
  requests = 0;
  /** Answers with a status of 500 or more, of the application or, instead of it, of this server. */
  failures = 0;
  /** How many requests have a known time. */
  timed = 0;
  readonly #buckets = new Uint32Array(PER_OCTAVE * OCTAVES);

  /** A request was answered. It costs a few nanoseconds: the times in `record` are already measured, for the logs. */
  note(status: number, { queueUs, pythonUs }: Pick<RequestRecord, 'queueUs' | 'pythonUs'>): void {
    this.requests += 1;
    if (status >= 500) this.failures += 1;
    if (queueUs < 0 || pythonUs < 0) return;
    this.timed += 1;
    const bucket = bucketOf(queueUs + pythonUs);
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
  }

  /** From 0 to 1; 0 without requests. */
  get failureRate(): number {
    return this.requests === 0 ? 0 : this.failures / this.requests;
  }

  /** The time in milliseconds that the share `quantile` of all requests (0.95 for p95) did not exceed; 0 without requests. */
  timeMs(quantile: number): number {
    const place = Math.ceil(quantile * this.timed);
    let count = 0;
    for (let bucket = 0; bucket < this.#buckets.length; bucket += 1) {
      count += this.#buckets[bucket] as number;
      if (count >= place && count > 0) return middleOf(bucket) / 1000;
    }
    return 0;
  }

  add(other: Outcomes): void {
    this.requests += other.requests;
    this.failures += other.failures;
    this.timed += other.timed;
    for (let bucket = 0; bucket < this.#buckets.length; bucket += 1)
      this.#buckets[bucket] = (this.#buckets[bucket] as number) + (other.#buckets[bucket] as number);
  }

  /** Forgets the times, but no request. */
  forgetTimes(): void {
    this.timed = 0;
    this.#buckets.fill(0);
  }
}

/** The bucket of a time in microseconds: its highest three bits. */
function bucketOf(us: number): number {
  const bounded = Math.min(us, 0xffffffff);
  if (bounded < PER_OCTAVE) return bounded;
  const shift = 29 - Math.clz32(bounded);
  return PER_OCTAVE * shift + (bounded >>> shift);
}

/** The time in the middle of a bucket, in microseconds. */
function middleOf(bucket: number): number {
  if (bucket < 2 * PER_OCTAVE) return bucket;
  const shift = Math.floor(bucket / PER_OCTAVE) - 1;
  return (PER_OCTAVE + (bucket % PER_OCTAVE) + 0.5) * 2 ** shift;
}
