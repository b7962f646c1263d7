import type { ServerContext } from './server-context.ts';

/** Later than any tick. */
export const NEVER = 0x3fffffff;

/**
 * The new deadline (a tick) of a client that just sent or took `bytes`. The deadline moves by the time that the bytes are worth, to at
 * most `ticks` after `tick`. With `bytesPerTick` 0 any byte moves the deadline to that maximum.
 */
export function extendDeadline(
  deadline: number,
  bytes: number,
  tick: number,
  ticks: number,
  bytesPerTick: number,
): number {
  if (bytes <= 0) return deadline;
  const latest = tick + ticks;
  return bytesPerTick === 0 ? latest : Math.min(latest, deadline + bytes / bytesPerTick);
}

/** The time that a client has for its next step. It runs while the server waits for the client, and bytes of the client restore it. */
export class RateDeadline {
  readonly #context: ServerContext;
  readonly #ticks: number;
  readonly #bytesPerTick: number;
  #left: number;
  #deadline = NEVER;

  /** `ticks` is the full time. `bytesPerTick` bytes restore one tick; with 0 any byte restores the full time. */
  constructor(context: ServerContext, ticks: number, bytesPerTick: number) {
    this.#context = context;
    this.#ticks = ticks;
    this.#bytesPerTick = bytesPerTick;
    this.#left = ticks;
  }

  get running(): boolean {
    return this.#deadline !== NEVER;
  }

  /** The server waits for the client: the time runs. */
  run(): void {
    if (!this.running) this.#deadline = this.#context.tick + this.#left;
  }

  /** The server does not wait for the client: the client keeps its remaining time. */
  pause(): void {
    if (!this.running) return;
    this.#left = this.#deadline - this.#context.tick;
    this.#deadline = NEVER;
  }

  /** The client sent or took `bytes`. */
  earn(bytes: number): void {
    const { tick } = this.#context;
    const deadline = this.running ? this.#deadline : tick + this.#left;
    const later = extendDeadline(deadline, bytes, tick, this.#ticks, this.#bytesPerTick);
    if (this.running) this.#deadline = later;
    else this.#left = later - tick;
  }

  /** Restores the full time. */
  refill(): void {
    this.#left = this.#ticks;
    if (this.running) this.#deadline = this.#context.tick + this.#ticks;
  }

  /** Whether the time ran out while the server waited. */
  get spent(): boolean {
    return this.#context.tick >= this.#deadline;
  }
}
