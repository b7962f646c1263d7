import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { isIdempotent } from '../http/semantics/idempotent.ts';
import { chooseLane } from './choose-lane.ts';
import { bodyFailedResponse, clientLeftResponse, queueFullResponse, workerDiedResponse } from './error-responses.ts';
import type { Lane } from './lane.ts';
import { PendingRequest } from './pending-request.ts';
import { Queue } from './queue.ts';
import { RecallWatch } from './recall.ts';
import { receiveBody, type SpoolOptions } from './request-body.ts';

export interface PoolOptions extends SpoolOptions {
  /** Maximum number of waiting requests. Beyond that: 503. */
  readonly queueMax: number;
  /** Maximum number of requests in one worker thread's lane. */
  readonly laneDepthMax: number;
  /**
   * Whether a GET, HEAD, OPTIONS, PUT, DELETE or TRACE is started once more when its worker died (RFC 9110 section
   * 9.2.2).
   */
  readonly retryIdempotent: boolean;
  readonly onError: (message: string, request: Request) => void;
}

/**
 * The workers of one application and their queue. A request enters by `handle`, waits for its body, then for a lane. *A
 * request is never lost*: at any time it is in the queue, in one lane, or answered. It is never started twice unless
 * `retryIdempotent` allows it.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #lanes: Lane[] = [];
  readonly #queue = new Queue<PendingRequest>();
  readonly #recall: RecallWatch;
  #lastId = 0;
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#recall = new RecallWatch(this.#lanes);
  }

  /** Number of requests that wait for a lane. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The last handler of a chain. It returns the application's response, or 503 when too many requests wait. */
  readonly handle = (request: Request): HandlerResult => {
    this.#lastId = this.#lastId === 0x7fffffff ? 1 : this.#lastId + 1;
    const pending = new PendingRequest(this.#lastId, request);
    if (request.body === null) return this.#enter(pending) ? pending : queueFullResponse();
    if (this.#isFull()) return queueFullResponse();
    receiveBody(
      request.body,
      this.#options,
      (received) => {
        pending.body = received;
        if (!this.#enter(pending)) pending.settle(queueFullResponse());
      },
      (error, isServerError) => {
        if (!isServerError) {
          request.onGone = () => drop(pending); // after the connection has answered the client
          if (request.gone) drop(pending);
          return;
        }
        this.#options.onError(`Cannot store a request's body: ${error.message}`, request);
        pending.settle(bodyFailedResponse());
      },
    );
    return pending;
  };

  /** Allows `lane` to receive requests. */
  add(lane: Lane): void {
    this.#lanes.push(lane);
    this.pump();
  }

  /** Stops new requests for `lane`; its current requests stay there. */
  remove(lane: Lane): void {
    const index = this.#lanes.indexOf(lane);
    if (index < 0) return;
    this.#lanes.splice(index, 1);
    this.#recall.watchLeaving(lane);
  }

  /** Sends waiting requests to lanes with room. */
  pump(): void {
    while (this.#queue.length > 0) {
      const lane = chooseLane(this.#lanes, this.#options.laneDepthMax);
      if (lane === null) return;
      this.#send(lane, this.#queue.shift() as PendingRequest);
    }
  }

  /** Puts requests that were never started back at the head of the queue. */
  requeue(pendingRequests: readonly PendingRequest[]): void {
    const remaining = pendingRequests.filter((pending) => !this.#dropIfGone(pending));
    for (const pending of remaining) this.#watchClient(pending);
    if (remaining.length > 0) this.#queue.unshift(remaining);
    this.pump();
    if (this.#stopped) this.#refuseAll();
  }

  /**
   * Settles the remaining requests of a dead lane. The scoreboard holds the last request that the worker started. That
   * request gets 502, or starts again where this is allowed. The same applies to requests before it, whose responses
   * did not arrive completely. Requests behind it go to another worker.
   */
  settleDeadLane(lane: Lane, lastStarted: number): void {
    this.remove(lane);
    const pendingRequests = lane.inflight.splice(0);
    const running = pendingRequests.findIndex((pending) => pending.id === lastStarted);
    const restarted = pendingRequests.slice(running + 1);
    for (const pending of pendingRequests.slice(0, running + 1).reverse()) {
      if (pending.settled) pending.stream?.abort();
      else if (this.#options.retryIdempotent && !pending.retried && isIdempotent(pending.request.method)) {
        pending.retried = true;
        restarted.unshift(pending);
      } else pending.settle(workerDiedResponse());
    }
    this.requeue(restarted);
  }

  /**
   * No worker will come any more. Requests in lanes finish there. All others get 503: those that wait, those whose body
   * is complete only now, and those that a lane gives back.
   */
  stop(): void {
    this.#stopped = true;
    this.#recall.stop();
    this.#refuseAll();
  }

  #refuseAll(): void {
    for (const pending of this.#queue.clear()) pending.settle(queueFullResponse());
  }

  /** Whether a new request would get 503. Then its body need not be received first. */
  #isFull(): boolean {
    const { queueMax, laneDepthMax } = this.#options;
    return this.#queue.length >= queueMax && chooseLane(this.#lanes, laneDepthMax) === null;
  }

  #enter(pending: PendingRequest): boolean {
    if (this.#dropIfGone(pending)) return true;
    if (this.#queue.length === 0) {
      const lane = chooseLane(this.#lanes, this.#options.laneDepthMax);
      if (lane !== null) {
        this.#send(lane, pending);
        return true;
      }
    }
    if (this.#stopped || this.#queue.length >= this.#options.queueMax) return false;
    this.#watchClient(pending);
    this.#queue.push(pending);
    return true;
  }

  #send(lane: Lane, pending: PendingRequest): void {
    lane.send(pending);
    if (lane.inflight.length > 1) this.#recall.start();
  }

  /** When the client leaves while its request waits, the request is dropped and Python never sees it. */
  #watchClient(pending: PendingRequest): void {
    pending.request.onGone = () => {
      if (this.#queue.remove(pending)) drop(pending);
    };
  }

  #dropIfGone(pending: PendingRequest): boolean {
    if (pending.request.gone) drop(pending);
    return pending.request.gone;
  }
}

/** Frees the resources of `pending`. */
function drop(pending: PendingRequest): void {
  pending.settle(clientLeftResponse());
}
