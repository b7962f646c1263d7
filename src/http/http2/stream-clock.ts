import { Credit } from '../transport/rate-deadline.ts';
import type { ServerContext } from '../transport/server-context.ts';

/** How often a stream of which nothing goes out may wait for others of its connection. */
const WAITS_MAX = 4;

/** The connection, as the clocks of its streams see it. */
export interface Line {
  /** Bytes that the client's socket had taken at the last tick. */
  readonly taken: number;
}

/**
 * Holds the client of one stream to its time: to bring content that the application wants, and to take what waits of the response. What it
 * takes is known of a whole block when the last of it has gone, and before that from the window that it gives.
 */
export class StreamClock {
  readonly #context: ServerContext;
  readonly #line: Line;
  readonly #taking: Credit;
  #bringing: Credit | null = null;
  /** Bytes of the response that were handed to the engine and have not gone. */
  #waiting = 0;
  /** Those of them that the client has made room for, and had time for. */
  #announced = 0;
  #waits = 0;
  /** Bytes for which the client had time since this stream last waited for others. */
  #earned = 0;
  /** When the client was first waited for, or the stream began to wait for others, and what the line had taken by then. */
  #sinceTick = 0;
  #sinceTaken = 0;

  constructor(context: ServerContext, line: Line) {
    this.#context = context;
    this.#line = line;
    this.#taking = new Credit(context, context.writeTicks, context.writeBytesPerTick);
  }

  /** Bytes of the response that wait for the client. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The next step is the client's: to bring content. */
  awaitContent(): void {
    const { bodyTicks, bodyBytesPerTick } = this.#context;
    this.#taking.rest();
    this.#bringing ??= new Credit(this.#context, bodyTicks, bodyBytesPerTick);
    this.#bringing.run();
  }

  /** The next step is the client's: to take some of the response. */
  awaitTaking(): void {
    this.#bringing?.rest();
    if (this.#taking.running) return;
    this.#taking.run();
    this.#begin();
  }

  awaitNothing(): void {
    this.#taking.rest();
    this.#bringing?.rest();
  }

  /** `bytes` of content came. */
  received(bytes: number): void {
    this.#bringing?.earn(bytes);
  }

  /** `bytes` of the response wait for the client now. */
  writing(bytes: number): void {
    this.#waiting += bytes;
  }

  /** A block of that many `bytes` has gone, or never will. */
  written(bytes: number): void {
    const announced = Math.min(this.#announced, bytes);
    this.#announced -= announced;
    this.#waiting -= bytes;
    this.#earn(bytes - announced);
  }

  /** The client made room for `bytes` more: they count as far as there is something to fill it with. */
  windowGrew(bytes: number): void {
    const counted = Math.min(bytes, this.#waiting - this.#announced);
    this.#announced += counted;
    this.#earn(counted);
  }

  #earn(bytes: number): void {
    const { writeTicks, writeBytesPerTick } = this.#context;
    if (bytes <= 0) return;
    this.#taking.earn(bytes);
    this.#earned += bytes;
    if (this.#earned >= writeTicks * writeBytesPerTick) this.#waits = 0;
  }

  #begin(): void {
    this.#sinceTick = this.#context.tick;
    this.#sinceTaken = this.#line.taken;
  }

  /** Called once a tick: what the client had no more time for, if anything. */
  sweep(): 'bringing' | 'taking' | null {
    if (this.#bringing?.spent === true) return 'bringing';
    if (!this.#taking.spent) return null;
    if (this.#waits >= WAITS_MAX || !this.#lineIsBusy) return 'taking';
    this.#waits += 1;
    this.#earned = 0;
    this.#taking.refill();
    this.#begin();
    return null;
  }

  /** Its turn may not have come because the client's line is slow, not because the client does not want it. */
  get #lineIsBusy(): boolean {
    const { tick, writeBytesPerTick } = this.#context;
    const taken = this.#line.taken - this.#sinceTaken;
    return taken > 0 && taken >= (tick - this.#sinceTick) * writeBytesPerTick;
  }
}
