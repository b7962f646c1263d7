const TICK_MS_MAX = 1000;
const TICK_MS_MIN = 20;
const TICKS_PER_TIMEOUT = 4;

/** Later than any tick. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** Who has something to do by a certain tick. */
export interface Watched {
  /** Called once a tick. */
  sweep(): void;
}

/** One coarse timer for all connections to the backends of a proxy: a time-out is the number of a tick. It runs while anything is watched. */
export class Clock {
  tick = 0;
  readonly #tickMs: number;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | null = null;

  /** `timeouts`, in ms, are those that will be asked for: the shortest one decides how fine the clock is. */
  constructor(timeouts: readonly number[]) {
    const shortest = Math.min(...timeouts.filter((ms) => ms > 0));
    this.#tickMs = Math.max(TICK_MS_MIN, Math.min(TICK_MS_MAX, Math.floor(shortest / TICKS_PER_TIMEOUT)));
  }

  /** How many ticks `ms` are: never less time, and up to two ticks more. */
  ticks(ms: number): number {
    return Math.ceil(ms / this.#tickMs) + 1;
  }

  watch(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#sweep(), this.#tickMs);
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
