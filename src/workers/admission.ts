import type { PendingRequest } from './pending-request.ts';
import type { Queue } from './queue.ts';
import type { Shed } from './queue-counters.ts';
import { QueueDelay } from './queue-delay.ts';

/** So many requests for each lane may wait for any time: a slow application with few clients is not overloaded. */
const SURE_PER_LANE = 16;

export interface AdmissionOptions {
  /** Maximum number of waiting requests. Beyond that: 503. */
  readonly queueMax: number;
  /** The wait that a request may expect while the application is overloaded; 0 for any. Beyond that: 503. */
  readonly queueDelayMs: number;
  /** The application is overloaded: the next of `waiting` requests would wait for so long. */
  readonly onOverload: (waiting: number, expectedMs: number) => void;
  /** The overload is over; so many requests were refused. */
  readonly onOverloadEnd: (refused: number) => void;
}

/**
 * Decides which requests may wait in the queue of a pool. Under overload it refuses what would wait for too long, also
 * requests that wait already, and it keeps clients from taking more than their share.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #queue: Queue<PendingRequest>;
  readonly #refuse: (pending: PendingRequest, why: Shed) => void;
  readonly #delay: QueueDelay;
  /** So many may wait for any time. It follows the most lanes that there were: workers that are replaced come back. */
  #sure = 0;
  #isOverloaded = false;
  #refused = 0;

  /** @param refuse called for requests that it has taken out of `queue` */
  constructor(
    options: AdmissionOptions,
    queue: Queue<PendingRequest>,
    refuse: (pending: PendingRequest, why: Shed) => void,
  ) {
    this.#options = options;
    this.#queue = queue;
    this.#refuse = refuse;
    this.#delay = new QueueDelay(options.queueDelayMs);
  }

  /** There are so many lanes now. */
  noteLanes(lanes: number): void {
    this.#sure = Math.max(this.#sure, SURE_PER_LANE * lanes);
  }

  /** Must be called when a request enters the empty queue. */
  begin(nowMs: number): void {
    this.#delay.begin(nowMs);
  }

  /** Must be called when a request leaves the queue for a lane. */
  left(): void {
    this.#delay.leave();
  }

  /** Must be called when the queue is empty again. */
  emptied(): void {
    if (this.#isOverloaded) this.#setOverloaded(false, 0);
  }

  /** The wait to expect for a request that comes now, in milliseconds; 0 while nothing is known. */
  expectedMs(): number {
    return this.#delay.expectedMs(this.#queue.length, performance.now());
  }

  /** Why `pending` may not wait in the queue; null if it may. It takes the place of another one only if it `isComplete`. */
  refusalOf(pending: PendingRequest, now: number, isComplete: boolean): Shed | null {
    const { length } = this.#queue;
    if (length >= this.#options.queueMax) {
      const mayEnter = isComplete ? this.#makeRoom(pending) : this.#queue.hasBelow(pending);
      return mayEnter ? null : 'queueMax';
    }
    if (length < this.#sure) return null;
    const isOverloaded = this.#delay.isOverloaded(length, now);
    if (isOverloaded !== this.#isOverloaded) this.#setOverloaded(isOverloaded, now);
    const isClientOverloaded = this.#isClientOverloaded(pending, now);
    if (!isClientOverloaded) {
      if (!isOverloaded) return null;
      this.#refuseStale(now);
      const place = this.#queue.placeOf(pending);
      if (place < this.#sure || this.#delay.expectedMs(place, now) <= this.#delay.delayMs) return null;
    }
    this.#refused += 1;
    return isClientOverloaded ? 'clientQueueDelay' : 'queueDelay';
  }

  /** The queue is full: refuses a request of a lower priority than that of `pending`, if one waits. */
  #makeRoom(pending: PendingRequest): boolean {
    const other = this.#queue.takeBelow(pending);
    if (other !== null) this.#refuse(other, 'queueMax');
    return other !== null;
  }

  /**
   * Whether the client of `pending` asks for more than its share: its requests wait for as long as the clients that take
   * turns with it let them. It is overloaded alone, so its newest requests are refused. As many may wait as leave in the
   * time that they may.
   */
  #isClientOverloaded(pending: PendingRequest, now: number): boolean {
    const client = this.#queue.clientOf(pending);
    if (client === undefined || client.requests.length < this.#sure) return false;
    if (client.delay === null) {
      client.delay = new QueueDelay(this.#delay.delayMs);
      client.delay.begin(now);
    }
    if (!client.delay.isOverloaded(client.requests.length, now)) return false;
    const kept = Math.max(this.#sure, client.delay.room);
    for (const newest of this.#queue.takeNewest(client, kept)) this.#refuseForDelay(newest, 'clientQueueDelay');
    return client.requests.length >= kept;
  }

  /** Refuses requests that have waited for too long under overload. */
  #refuseStale(now: number): void {
    const beforeMs = this.#delay.staleBeforeMs(now);
    if (beforeMs === 0) return;
    for (const pending of this.#queue.takeOlderThan(beforeMs, this.#sure)) this.#refuseForDelay(pending, 'queueDelay');
  }

  /** Refuses a request of the queue. The log counts those of an overload. */
  #refuseForDelay(pending: PendingRequest, why: 'queueDelay' | 'clientQueueDelay'): void {
    this.#refused += 1;
    this.#refuse(pending, why);
  }

  #setOverloaded(isOverloaded: boolean, now: number): void {
    this.#isOverloaded = isOverloaded;
    const { length } = this.#queue;
    if (isOverloaded) this.#options.onOverload(length, this.#delay.expectedMs(length, now));
    else this.#options.onOverloadEnd(this.#refused);
    this.#refused = 0;
  }
}
