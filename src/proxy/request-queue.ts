import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { clientLeftResponse } from './client/error-responses.ts';
import { LaterResponse } from './client/later-response.ts';
import type { Clock, Watched } from './tick-clock.ts';
import type { Upstream } from './upstream.ts';

export interface WaitingLineOptions {
  /** So many requests may wait. */
  readonly queueMax: number;
  readonly queueTimeoutMs: number;
  /** What a request gets that waited for too long. */
  readonly late: (request: Request) => HandlerResult;
}

/** Sends a waiting request, or returns null when there is still no room for one. */
type Send = (request: Request, tried: readonly Upstream[]) => HandlerResult | null;

/** Requests that wait until a backend has room, the longest first. */
export class WaitingLine implements Watched {
  readonly #clock: Clock;
  readonly #options: WaitingLineOptions;
  readonly #waiting = new Set<WaitingRequest>();

  constructor(clock: Clock, options: WaitingLineOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** Lets `request` wait; null when the line is full. */
  join(request: Request, tried: readonly Upstream[]): HandlerResult | null {
    if (this.#waiting.size >= this.#options.queueMax) return null;
    const deadline = this.#clock.tick + this.#clock.ticks(this.#options.queueTimeoutMs);
    const waiting = new WaitingRequest(request, tried, deadline);
    request.onGone = () => this.#leave(waiting, clientLeftResponse());
    if (this.#waiting.size === 0) this.#clock.watch(this);
    this.#waiting.add(waiting);
    return waiting;
  }

  /** Sends as many as there is room for. */
  advance(send: Send): void {
    for (const waiting of this.#waiting) {
      waiting.request.onGone = null;
      const result = send(waiting.request, waiting.tried);
      if (result === null) {
        waiting.request.onGone = () => this.#leave(waiting, clientLeftResponse());
        return;
      }
      this.#leave(waiting, result);
    }
  }

  sweep(): void {
    for (const waiting of this.#waiting) {
      if (this.#clock.tick < waiting.deadline) return;
      waiting.request.onGone = null;
      this.#leave(waiting, this.#options.late(waiting.request));
    }
  }

  #leave(waiting: WaitingRequest, result: HandlerResult): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#clock.forget(this);
    waiting.answer(result);
  }
}

class WaitingRequest extends LaterResponse {
  readonly request: Request;
  readonly tried: readonly Upstream[];
  /** The tick at which it has waited for too long. */
  readonly deadline: number;

  constructor(request: Request, tried: readonly Upstream[], deadline: number) {
    super();
    this.request = request;
    this.tried = tried;
    this.deadline = deadline;
  }

  answer(result: HandlerResult): void {
    this.settle(result);
  }
}
