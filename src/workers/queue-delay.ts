/** The rate is measured over at least this time. */
const WINDOW_MS = 100;
/** How much the last window counts in the rate. */
const WEIGHT = 0.5;
/** A queue that is too long for less than this time is a burst: it will be answered. */
const BURST_MS = 1000;
/** Under overload, requests that have waited for too long are looked for so often. */
const SWEEP_MS = 100;

/**
 * Estimates how long a request will wait in the queue, from the rate at which requests leave it, and tells a burst from
 * overload: overload is an expected wait above `delayMs` that lasts for a second, until the wait has fallen to the half.
 * It is the idea of CoDel (RFC 8289), with the wait to come in place of the wait that was: a request is refused when it
 * comes, and not after it has waited.
 */
export class QueueDelay {
  readonly delayMs: number;
  #isOverloaded = false;
  #windowStartMs = 0;
  #departures = 0;
  /** Requests per millisecond; 0 before the first window is over. */
  #rate = 0;
  /** Since when the expected wait is too long; 0 when it is not. */
  #longSinceMs = 0;
  #sweptAtMs = 0;

  /** @param delayMs the expected wait that is too long, in milliseconds; 0 if none is */
  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  /** Must be called when a request enters the empty queue: only a queue that is not empty shows how fast requests leave. */
  begin(nowMs: number): void {
    this.#windowStartMs = nowMs;
    this.#departures = 0;
    this.#longSinceMs = 0;
    this.#isOverloaded = false;
  }

  /** Must be called when a request leaves the queue for a lane. */
  leave(): void {
    this.#departures += 1;
  }

  /** Whether requests must be refused. Must be called for each request that comes while `waiting` others wait. */
  isOverloaded(waiting: number, nowMs: number): boolean {
    const expectedMs = this.expectedMs(waiting, nowMs);
    if (this.delayMs === 0 || expectedMs <= this.delayMs / 2) this.#isOverloaded = false;
    if (this.delayMs === 0 || expectedMs <= this.delayMs) this.#longSinceMs = 0;
    else if (this.#longSinceMs === 0) this.#longSinceMs = nowMs;
    else if (nowMs - this.#longSinceMs >= BURST_MS) this.#isOverloaded = true;
    return this.#isOverloaded;
  }

  /**
   * Requests that came before this time have waited for too long, under overload: they came before it was noticed, and other
   * clients came after them, who take turns with theirs. Returns 0 when it is too early to look again.
   */
  staleBeforeMs(nowMs: number): number {
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return 0;
    this.#sweptAtMs = nowMs;
    return Math.max(0, nowMs - BURST_MS - 2 * this.delayMs);
  }

  /** How many requests may wait so that the last one waits for no longer than it may; 0 while nothing is known. */
  get room(): number {
    return Math.floor(this.#rate * this.delayMs);
  }

  /**
   * The wait to expect behind so many requests, in milliseconds; 0 while nothing is known. If none has left for longer than usual, because a
   * request takes long or a worker was replaced, this is expected to last as long again.
   */
  expectedMs(waiting: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs >= WINDOW_MS && this.#departures > 0) {
      const rate = this.#departures / elapsedMs;
      this.#rate = this.#rate === 0 ? rate : this.#rate * (1 - WEIGHT) + rate * WEIGHT;
      this.#windowStartMs = nowMs;
      this.#departures = 0;
    }
    if (this.#rate === 0) return elapsedMs < WINDOW_MS ? 0 : waiting * elapsedMs; // at most one leaves in this time
    const isStalled = this.#departures === 0 && this.#rate * elapsedMs > 1;
    return waiting / this.#rate + (isStalled ? elapsedMs : 0);
  }
}
