import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { clientClosedResponse } from './client/error-responses.ts';
import { LaterResponse } from './client/later-response.ts';
import type { TickClock, Watched } from './tick-clock.ts';
import type { Upstream } from './upstream.ts';

export interface RequestQueueOptions {
  /** Maximum number of waiting requests. */
  readonly queueMax: number;
  readonly queueTimeoutMs: number;
  /** Creates the response for a request that waited too long. */
  readonly onTimeout: (request: Request) => HandlerResult;
}

/** Sends a waiting request; returns null when there is still no room. */
type Send = (request: Request, tried: readonly Upstream[]) => HandlerResult | null;

/** Requests that wait for room at a backend, in order of arrival. */
export class RequestQueue implements Watched {
  readonly #clock: TickClock;
  readonly #options: RequestQueueOptions;
  readonly #waiting = new Set<WaitingRequest>();

  constructor(clock: TickClock, options: RequestQueueOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** Adds `request` to the queue; returns null when the queue is full. */
  join(request: Request, tried: readonly Upstream[]): HandlerResult | null {
    if (this.#waiting.size >= this.#options.queueMax) return null;
    const deadline = this.#clock.tick + this.#clock.ticks(this.#options.queueTimeoutMs);
    const waiting = new WaitingRequest(request, tried, deadline);
    request.onGone = () => this.#leave(waiting, clientClosedResponse());
    if (this.#waiting.size === 0) this.#clock.watch(this);
    this.#waiting.add(waiting);
    return waiting;
  }

  /** Sends waiting requests while there is room. */
  advance(send: Send): void {
    for (const waiting of this.#waiting) {
      waiting.request.onGone = null;
      const result = send(waiting.request, waiting.tried);
      if (result === null) {
        waiting.request.onGone = () => this.#leave(waiting, clientClosedResponse());
        return;
      }
      this.#leave(waiting, result);
    }
  }

  sweep(): void {
    for (const waiting of this.#waiting) {
      if (this.#clock.tick < waiting.deadline) return;
      waiting.request.onGone = null;
      this.#leave(waiting, this.#options.onTimeout(waiting.request));
    }
  }

  #leave(waiting: WaitingRequest, result: HandlerResult): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#clock.forget(this);
    waiting.settle(result);
  }
}

class WaitingRequest extends LaterResponse {
  readonly request: Request;
  readonly tried: readonly Upstream[];
  /** The tick at which the request has waited too long. */
  readonly deadline: number;

  constructor(request: Request, tried: readonly Upstream[], deadline: number) {
    super();
    this.request = request;
    this.tried = tried;
    this.deadline = deadline;
  }

  settle(result: HandlerResult): void {
    this.resolve(result);
  }
}
