import { usableProcessors } from '../config/processors.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { requestIdOf } from '../http/request-id.ts';
import { Admission } from './admission.ts';
import { settleStarted } from './dead-lane.ts';
import { DeadlineWatch } from './deadline-watch.ts';
import { bodyFailedResponse, clientLeftResponse, queueFullResponse, waitedTooLongResponse } from './error-responses.ts';
import type { Lane } from './lane.ts';
import { LaneTable } from './lane-table.ts';
import type { Outcomes } from './outcomes.ts';
import { PendingRequest } from './pending-request.ts';
import { newPoolCommon, type PoolCommon, type PoolOptions } from './pool-options.ts';
import { Queue } from './queue.ts';
import { type QueueCounters, SHED_REASONS, type Shed } from './queue-counters.ts';
import { RecallWatch } from './recall.ts';
import { receiveBody } from './request-body.ts';

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
  readonly #admission: Admission;
  readonly #recall = new RecallWatch();
  readonly #deadlines: DeadlineWatch;
  /** The pool that gets all requests since `handOver`. */
  #heir: Pool | null = null;
  #stopped = false;

  constructor(options: PoolOptions, common: PoolCommon = newPoolCommon()) {
    this.#options = options;
    this.#common = common;
    this.#lanes = new LaneTable(options.laneDepthMax, options.processors ?? usableProcessors());
    this.#admission = new Admission(options, this.#queue, (pending, why) => this.#refuse(pending, why));
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
    return this.#queue.length === 0 ? 0 : this.#admission.expectedMs();
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
    this.#admission.noteLanes(this.#lanes.length);
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
    this.#admission.emptied();
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
      this.#admission.left();
      this.#send(lane, this.#queue.shift() as PendingRequest);
    }
    this.#admission.emptied();
  }

  /** Puts requests that were never started back at the head of the queue, unless they were answered meanwhile: too late. */
  requeue(pendingRequests: readonly PendingRequest[]): void {
    if (this.#heir !== null) {
      this.#heir.requeue(pendingRequests);
      return;
    }
    const remaining = pendingRequests.filter((pending) => !pending.settled && !this.#dropIfGone(pending));
    const now = performance.now();
    for (const pending of remaining) {
      pending.request.record.trace?.enterStage('queue', 'queue again');
      this.#watchClient(pending);
    }
    if (this.#queue.length === 0) this.#admission.begin(now);
    this.#queue.unshift(remaining);
    for (const pending of remaining) this.#deadlines.queued(pending);
    this.pump();
    if (this.#stopped) this.#refuseAll();
  }

  /** Settles the remaining requests of a dead lane, as `settleStarted` says. Those that may start again go to another worker. */
  settleDeadLane(lane: Lane, lastStarted: number): void {
    this.remove(lane);
    this.requeue(settleStarted(lane, lastStarted, this.#options));
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
      pending.refuse(queueFullResponse(this.#admission.expectedMs()), 'server stopping');
      return;
    }
    this.queueCounters.shed[why] += 1;
    const isLate = why === 'queueWaitMax' || why === 'deadline';
    const expectedMs = this.#admission.expectedMs();
    const response = isLate ? waitedTooLongResponse(expectedMs) : queueFullResponse(expectedMs);
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
    if (this.#queue.length === 0) this.#admission.begin(now);
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
    const why = this.#stopped ? 'queueMax' : this.#admission.refusalOf(pending, now, isComplete);
    if (why !== null) this.#refuse(pending, why);
    return why === null;
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
