import { Outcomes } from './outcomes.ts';
import type { Pool } from './pool.ts';

/** How the requests of a pool ended in the last one to two periods. It is what a new release is compared with. */
export class RecentOutcomes {
  readonly #pool: Pool;
  #current = new Outcomes();
  #previous = new Outcomes();
  #timer: NodeJS.Timeout | null = null;
  #periodMs = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Forgets what was before, and counts from now on in periods of `periodMs`; 0 counts nothing. */
  restart(periodMs: number): void {
    this.stop();
    this.#previous = new Outcomes();
    this.#current = new Outcomes();
    if (periodMs === 0) return;
    this.#periodMs = periodMs;
    this.#pool.outcomes = this.#current;
    this.resume();
  }

  /** Forgets nothing until `resume`, and counts what still comes: a new release is compared with it. */
  hold(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  resume(): void {
    if (this.#timer !== null || this.#periodMs === 0) return;
    this.#timer = setInterval(() => {
      this.#previous = this.#current;
      this.#current = new Outcomes();
      this.#pool.outcomes = this.#current;
    }, this.#periodMs).unref();
  }

  stop(): void {
    this.hold();
    this.#periodMs = 0;
    this.#pool.outcomes = null;
  }

  /** The sum of the present period and the one before. */
  total(): Outcomes {
    const total = new Outcomes();
    total.add(this.#previous);
    total.add(this.#current);
    return total;
  }
}
