const TICK_MS_MAX = 1000;
const TICK_MS_MIN = 20;
const TICKS_PER_TIMEOUT = 4;

/** Later than any tick. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** An object with a deadline. */
export interface Watched {
  /** Called once per tick. */
  sweep(): void;
}

/**
 * One coarse timer for all connections of a proxy: a deadline is the number of a tick. The timer runs only while
 * objects are watched.
 */
export class TickClock {
  tick = 0;
  /** The length of a tick. */
  readonly tickMs: number;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | null = null;

  /** `timeouts` are all timeouts in use, in ms. The shortest one determines the length of a tick. */
  constructor(timeouts: readonly number[]) {
    const shortest = Math.min(...timeouts.filter((ms) => ms > 0));
    this.tickMs = Math.max(TICK_MS_MIN, Math.min(TICK_MS_MAX, Math.floor(shortest / TICKS_PER_TIMEOUT)));
  }

  /** The number of ticks for `ms`: never a shorter time, at most two ticks more. */
  ticks(ms: number): number {
    return Math.ceil(ms / this.tickMs) + 1;
  }

  watch(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#sweep(), this.tickMs);
  }

  forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #sweep(): void {
    this.tick += 1;
    for (const watched of this.#watched) watched.sweep();
  }
}
