import { RateDeadline } from '../transport/rate-deadline.ts';
import type { ServerContext } from '../transport/server-context.ts';

/** The time that the client of one stream has for its next step. It has no memory before the server has waited for the client. */
export class StreamClock {
  readonly #context: ServerContext;
  #taking: RateDeadline | null = null;
  #bringing: RateDeadline | null = null;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** The client took `bytes` of the response. */
  took(bytes: number): void {
    this.#taking?.earn(bytes);
  }

  /** The client sent `bytes` of content. */
  brought(bytes: number): void {
    this.#bringing?.earn(bytes);
  }

  /**
   * Called once a tick. The server waits for the client to take some of the response, or to bring content, or for neither. Returns whether
   * the client's time is over.
   */
  isLate(step: 'taking' | 'bringing' | 'nothing'): boolean {
    const context = this.#context;
    if (step !== 'taking') this.#taking?.pause();
    if (step !== 'bringing') this.#bringing?.pause();
    if (step === 'nothing') return false;
    let deadline: RateDeadline;
    if (step === 'taking') {
      this.#taking ??= new RateDeadline(context, context.writeTicks, context.writeBytesPerTick);
      deadline = this.#taking;
    } else {
      this.#bringing ??= new RateDeadline(context, context.bodyTicks, context.bodyBytesPerTick);
      deadline = this.#bringing;
    }
    deadline.run();
    return deadline.spent;
  }
}
