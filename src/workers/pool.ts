import { usableProcessors } from '../config/processors.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { requestIdOf } from '../http/request-id.ts';
import { isIdempotent } from '../http/semantics/idempotent.ts';
import { type DeadlineLimits, DeadlineWatch } from './deadline-watch.ts';
import {
  bodyFailedResponse,
  clientLeftResponse,
  queueFullResponse,
  waitedTooLongResponse,
  workerDiedResponse,
} from './error-responses.ts';
import type { Lane } from './lane.ts';
import { LaneTable } from './lane-table.ts';
import type { Outcomes } from './outcomes.ts';
import { PendingRequest } from './pending-request.ts';
import { Queue } from './queue.ts';
import { newQueueCounters, type QueueCounters, SHED_REASONS, type Shed } from './queue-counters.ts';
import { QueueDelay } from './queue-delay.ts';
import { RecallWatch } from './recall.ts';
import { receiveBody, type SpoolOptions } from './request-body.ts';

/** So many requests for each lane may wait for any time: a slow application with few clients is not overloaded. */
const SURE_PER_LANE = 16;

export interface PoolOptions extends SpoolOptions, DeadlineLimits {
  /** Maximum number of waiting requests. Beyond that: 503. */
  readonly queueMax: number;
  /** The wait that a request may expect while the application is overloaded; 0 for any. Beyond that: 503. */
  readonly queueDelayMs: number;
  /** Whether the environ has the id of the request. */
  readonly requestId: boolean;
  /** Whether the environ has the time that the request waited in the queue. */
  readonly queueTime: boolean;
  /** Maximum number of requests in one worker thread's lane. */
  readonly laneDepthMax: number;
  /**
   * Whether a GET, HEAD, OPTIONS, PUT, DELETE or TRACE is started once more when its worker died (RFC 9110 section
   * 9.2.2).
   */
  readonly retryIdempotent: boolean;
  /** How many workers can compute at the same time. Default: what the machine and its limits allow. */
  readonly processors?: number;
  readonly onError: (message: string, request: Request) => void;
  /** A worker died while it ran `request`. The client gets 502, a response that breaks off, or that of another worker if it `runsAgain`. */
  readonly onWorkerDied: (request: Request, runsAgain: boolean) => void;
  /** The application is overloaded: the next of `waiting` requests would wait for so long. */
  readonly onOverload: (waiting: number, expectedMs: number) => void;
  /** The overload is over; so many requests were refused. */
  readonly onOverloadEnd: (refused: number) => void;
}

/** What the pools of one application share: requests and lanes may move from one to another. */
export interface PoolCommon {
  /** The last id of a request. */
  lastId: number;
  /** What became of requests that could not be sent at once. For the status and for metrics. */
  readonly queueCounters: QueueCounters;
}

export function newPoolCommon(): PoolCommon {
  return { lastId: 0, queueCounters: newQueueCounters() };
}

/**
 * The workers of one application and their queue. A request enters by `handle`, waits for its body, then for a lane. *A
 * request is never lost*: at any time it is in the queue, in one lane, or answered. It is never started twice unless
 * `retryIdempotent` allows it.
 */
export class Pool {
  /** Where the outcomes of requests that come from now on are counted; null for nowhere. */
  outcomes: Outcomes | null = null;
  readonly #options: PoolOptions;
  readonly #common: PoolCommon;
  readonly #lanes: LaneTable;
  readonly #queue = new Queue<PendingRequest>();
  readonly #delay: QueueDelay;
  readonly #recall = new RecallWatch();
  readonly #deadlines: DeadlineWatch;
  /** The most lanes that there were: workers that are replaced come back. */
  #lanesMax = 0;
  #isOverloaded = false;
  #refused = 0;
  /** The pool that gets all requests since `handOver`. */
  #heir: Pool | null = null;
  #stopped = false;

  constructor(options: PoolOptions, common: PoolCommon = newPoolCommon()) {
    this.#options = options;
    this.#common = common;
    this.#lanes = new LaneTable(options.laneDepthMax, options.processors ?? usableProcessors());
    this.#delay = new QueueDelay(options.queueDelayMs);
    this.#deadlines = new DeadlineWatch(options, this.#queue, (pending, why) => this.#refuse(pending, why));
  }

  get queueCounters(): QueueCounters {
    return this.#common.queueCounters;
  }

  /** Number of requests that wait for a lane. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The wait that the last request in the queue may expect, in milliseconds; 0 when none waits. */
  get expectedWaitMs(): number {
    const { length } = this.#queue;
    return length === 0 ? 0 : this.#delay.expectedMs(length, performance.now());
  }

  /** How many lanes may receive requests, now or when they have room. */
  get lanes(): number {
    return this.#lanes.length;
  }

  /** How many workers run a request. */
  get busyWorkers(): number {
    return this.#lanes.busyWorkers;
  }

  /** How many requests may wait for a lane. */
  get waitingMax(): number {
    return this.#options.queueMax;
  }

  /** The requests that wait for a lane, in no particular order. */
  waitingRequests(): Iterable<PendingRequest> {
    return this.#queue.items();
  }

  /** The last handler of a chain. It returns the application's response, or 503 when too many requests wait. */
  readonly handle = (request: Request): HandlerResult => {
    if (this.#heir !== null) return this.#heir.handle(request);
    const id = this.#common.lastId === 0x7fffffff ? 1 : this.#common.lastId + 1;
    this.#common.lastId = id;
    const pending = new PendingRequest(id, request, this.outcomes);
    if (request.body === null) {
      this.#enter(pending);
      return pending;
    }
    if (this.#lanes.choose() === null && !this.#mayWait(pending, performance.now(), false)) return pending;
    const { trace } = request.record;
    const span = trace?.begin('content', 'content') ?? -1;
    receiveBody(
      request.body,
      this.#options,
      (received) => {
        trace?.end(span);
        pending.body = received;
        this.#enter(pending);
      },
      (error, isServerError) => {
        if (!isServerError) {
          request.onGone = () => drop(pending); // after the connection has answered the client
          if (request.gone) drop(pending);
          return;
        }
        this.#options.onError(`Cannot store a request's body: ${error.message}`, request);
        pending.refuse(bodyFailedResponse(), 'content not stored');
      },
    );
    return pending;
  };

  /** Allows `lane` to receive requests. */
  add(lane: Lane): void {
    this.#lanes.add(lane);
    this.#deadlines.add(lane);
    this.#lanesMax = Math.max(this.#lanesMax, this.#lanes.length);
    this.pump();
  }

  /** Stops new requests for `lane`; its current requests stay there. */
  remove(lane: Lane): void {
    this.#lanes.remove(lane);
  }

  /** Takes over `lane` of `old` with its current requests. It receives more only if `old` allowed that. */
  adopt(lane: Lane, old: Pool): void {
    const isUsed = old.#lanes.remove(lane);
    old.#deadlines.remove(lane);
    if (isUsed) this.add(lane);
    else this.#deadlines.add(lane);
    if (lane.inflight.length > 0 && this.#deadlines.isResting) this.#deadlines.wake();
  }

  /** Everything that waits here, and all that comes, goes to `heir` from now on. Requests in lanes finish there. */
  handOver(heir: Pool): void {
    this.#heir = heir;
    const waiting = this.#queue.clear();
    if (waiting.length > 0) heir.requeue(waiting);
    if (this.#isOverloaded) this.#setOverloaded(false, 0);
  }

  /** Ends a `handOver`: all that comes stays here again. */
  resume(): void {
    this.#heir = null;
  }

  /** Sends waiting requests to lanes with room. */
  pump(): void {
    while (this.#queue.length > 0) {
      const lane = this.#lanes.choose();
      if (lane === null) return;
      this.#delay.leave();
      this.#send(lane, this.#queue.shift() as PendingRequest);
    }
    if (this.#isOverloaded) this.#setOverloaded(false, 0);
  }

  /** Puts requests that were never started back at the head of the queue. */
  requeue(pendingRequests: readonly PendingRequest[]): void {
    if (this.#heir !== null) {
      this.#heir.requeue(pendingRequests);
      return;
    }
    const remaining = pendingRequests.filter((pending) => !this.#dropIfGone(pending));
    const now = performance.now();
    for (const pending of remaining) {
      pending.request.record.trace?.enterStage('queue', 'queue again');
      this.#watchClient(pending);
    }
    if (this.#queue.length === 0) this.#delay.begin(now);
    this.#queue.unshift(remaining);
    for (const pending of remaining) this.#deadlines.queued(pending);
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
      const { settled } = pending;
      const runsAgain =
        !settled && this.#options.retryIdempotent && !pending.retried && isIdempotent(pending.request.method);
      if (!settled || pending.stream !== null) this.#options.onWorkerDied(pending.request, runsAgain);
      if (settled) pending.breakOff('worker died');
      else if (runsAgain) {
        pending.retried = true;
        restarted.unshift(pending);
      } else pending.refuse(workerDiedResponse(), 'worker died');
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
    for (const pending of this.#queue.clear()) this.#refuse(pending, 'queueMax');
  }

  /** Refuses a request that must not wait, or not longer. */
  #refuse(pending: PendingRequest, why: Shed): void {
    pending.noteWait(performance.now());
    if (this.#stopped) {
      pending.refuse(queueFullResponse(this.#expectedMs), 'server stopping');
      return;
    }
    this.queueCounters.shed[why] += 1;
    const isLate = why === 'queueWaitMax' || why === 'deadline';
    const response = isLate ? waitedTooLongResponse(this.#expectedMs) : queueFullResponse(this.#expectedMs);
    pending.refuse(response, SHED_REASONS[why]);
  }

  #enter(pending: PendingRequest): void {
    if (this.#heir !== null) {
      this.#heir.#enter(pending);
      return;
    }
    if (this.#dropIfGone(pending)) return;
    const now = performance.now();
    pending.queuedAtMs = now;
    pending.request.record.trace?.enterStage('queue', 'queue');
    if (this.#queue.length === 0) {
      const lane = this.#lanes.choose();
      if (lane !== null) {
        this.#send(lane, pending);
        return;
      }
    }
    if (!this.#mayWait(pending, now)) return;
    if (this.#queue.length === 0) this.#delay.begin(now);
    this.#watchClient(pending);
    this.#queue.push(pending);
    this.queueCounters.entered += 1;
    this.#deadlines.queued(pending);
  }

  /**
   * Whether `pending` may wait in the queue. Otherwise it is refused, and its body need not be received first. It takes
   * the place of another one only if it `isComplete`.
   */
  #mayWait(pending: PendingRequest, now: number, isComplete = true): boolean {
    const why = this.#refusalOf(pending, now, isComplete);
    if (why !== null) this.#refuse(pending, why);
    return why === null;
  }

  /** Why `pending` may not wait in the queue; null if it may. */
  #refusalOf(pending: PendingRequest, now: number, isComplete: boolean): Shed | null {
    const { length } = this.#queue;
    const sure = SURE_PER_LANE * this.#lanesMax;
    if (this.#stopped) return 'queueMax';
    if (length >= this.#options.queueMax) {
      const mayEnter = isComplete ? this.#makeRoom(pending) : this.#queue.hasBelow(pending);
      return mayEnter ? null : 'queueMax';
    }
    if (length < sure) return null;
    const isOverloaded = this.#delay.isOverloaded(length, now);
    if (isOverloaded !== this.#isOverloaded) this.#setOverloaded(isOverloaded, now);
    const isClientOverloaded = this.#isClientOverloaded(pending, now);
    if (!isClientOverloaded) {
      if (!isOverloaded) return null;
      this.#refuseStale(now);
      const place = this.#queue.placeOf(pending);
      if (place < sure || this.#delay.expectedMs(place, now) <= this.#delay.delayMs) return null;
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
    const sure = SURE_PER_LANE * this.#lanesMax;
    if (client === undefined || client.requests.length < sure) return false;
    if (client.delay === null) {
      client.delay = new QueueDelay(this.#delay.delayMs);
      client.delay.begin(now);
    }
    if (!client.delay.isOverloaded(client.requests.length, now)) return false;
    const kept = Math.max(sure, client.delay.room);
    for (const newest of this.#queue.takeNewest(client, kept)) this.#refuseForDelay(newest, 'clientQueueDelay');
    return client.requests.length >= kept;
  }

  /** Refuses a request of the queue. The log counts those of an overload. */
  #refuseForDelay(pending: PendingRequest, why: 'queueDelay' | 'clientQueueDelay'): void {
    this.#refused += 1;
    this.#refuse(pending, why);
  }

  /** Refuses requests that have waited for too long under overload. */
  #refuseStale(now: number): void {
    const beforeMs = this.#delay.staleBeforeMs(now);
    if (beforeMs === 0) return;
    for (const pending of this.#queue.takeOlderThan(beforeMs, SURE_PER_LANE * this.#lanesMax))
      this.#refuseForDelay(pending, 'queueDelay');
  }

  /** The wait that a request may expect that comes now, in milliseconds. */
  get #expectedMs(): number {
    return this.#delay.expectedMs(this.#queue.length, performance.now());
  }

  #setOverloaded(isOverloaded: boolean, now: number): void {
    this.#isOverloaded = isOverloaded;
    const { length } = this.#queue;
    if (isOverloaded) this.#options.onOverload(length, this.#delay.expectedMs(length, now));
    else this.#options.onOverloadEnd(this.#refused);
    this.#refused = 0;
  }

  #send(lane: Lane, pending: PendingRequest): void {
    if (this.#options.queueTime) pending.waitedMs = performance.now() - pending.queuedAtMs;
    if (this.#options.requestId) requestIdOf(pending.request.record);
    lane.send(pending);
    if (this.#deadlines.isResting) this.#deadlines.wake();
    if (lane.inflight.length === 2) this.#recall.watch(lane);
  }

  /** When the client leaves while its request waits, the request is dropped and Python never sees it. */
  #watchClient(pending: PendingRequest): void {
    pending.request.onGone = () => {
      if (this.#queue.remove(pending)) this.#leave(pending);
    };
  }

  /** The client of a request that waited has left. */
  #leave(pending: PendingRequest): void {
    this.queueCounters.left += 1;
    pending.noteWait(performance.now());
    pending.refuse(clientLeftResponse(), 'client left the queue');
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
