import type { ServerContext } from './server-context.ts';

/** Later than any tick. */
export const NEVER = 0x3fffffff;

/**
 * The tick by which a client must have done its next step, now that it brought or took `bytes`: later by the time that they are worth, but
 * `ticks` after `tick` at most, and so late at once where any byte is worth all of it (`bytesPerTick` 0).
 */
export function putOff(deadline: number, bytes: number, tick: number, ticks: number, bytesPerTick: number): number {
  if (bytes <= 0) return deadline;
  const latest = tick + ticks;
  return bytesPerTick === 0 ? latest : Math.min(latest, deadline + bytes / bytesPerTick);
}

/** The time that a client has: used up while it is waited for, kept while it is not, and filled again by bytes. */
export class Credit {
  readonly #context: ServerContext;
  readonly #ticks: number;
  readonly #bytesPerTick: number;
  #left: number;
  #deadline = NEVER;

  /** All of it are `ticks`; `bytesPerTick` bytes give one back, any byte all of them with 0. */
  constructor(context: ServerContext, ticks: number, bytesPerTick: number) {
    this.#context = context;
    this.#ticks = ticks;
    this.#bytesPerTick = bytesPerTick;
    this.#left = ticks;
  }

  get running(): boolean {
    return this.#deadline !== NEVER;
  }

  /** The client is waited for. */
  run(): void {
    if (!this.running) this.#deadline = this.#context.tick + this.#left;
  }

  /** The client is not waited for: what it has left it keeps. */
  rest(): void {
    if (!this.running) return;
    this.#left = this.#deadline - this.#context.tick;
    this.#deadline = NEVER;
  }

  /** The client brought or took `bytes`. */
  earn(bytes: number): void {
    const { tick } = this.#context;
    const deadline = this.running ? this.#deadline : tick + this.#left;
    const later = putOff(deadline, bytes, tick, this.#ticks, this.#bytesPerTick);
    if (this.running) this.#deadline = later;
    else this.#left = later - tick;
  }

  /** Gives all of it back. */
  refill(): void {
    this.#left = this.#ticks;
    if (this.running) this.#deadline = this.#context.tick + this.#ticks;
  }

  /** Whether the client was waited for until nothing was left. */
  get spent(): boolean {
    return this.#context.tick >= this.#deadline;
  }
}
