import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { isIdempotent } from '../http/semantics/idempotent.ts';
import { chooseLane } from './choose-lane.ts';
import type { Lane } from './lane.ts';
import { Job } from './pending-request.ts';
import { Queue } from './queue.ts';
import { RecallWatch } from './recall.ts';
import { receiveBody, type SpoolOptions } from './request-body.ts';

export interface PoolOptions extends SpoolOptions {
  /** Requests that may wait; past it the answer is 503. */
  readonly queueMax: number;
  /** Requests that may be with one worker thread at once. */
  readonly laneDepthMax: number;
  /** Whether a GET, HEAD, OPTIONS, PUT, DELETE or TRACE whose worker died is started once more (RFC 9110 section 9.2.2). */
  readonly retryIdempotent: boolean;
  readonly onError: (message: string, request: Request) => void;
}

const RETRY_AFTER_SECONDS = '1';

/**
 * The workers of one application and the queue before them. A request enters by `handle`, waits for its body, then for a lane;
 * *it is never started twice, and none is lost*: it is at any time in the queue, in one lane, or answered.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #lanes: Lane[] = [];
  readonly #queue = new Queue<Job>();
  readonly #recall: RecallWatch;
  #lastId = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#recall = new RecallWatch(this.#lanes);
  }

  /** Requests that wait for a lane. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The handler at the end of a chain: the application's answer, or 503 when too many wait. */
  readonly handle = (request: Request): HandlerResult => {
    this.#lastId = this.#lastId === 0x7fffffff ? 1 : this.#lastId + 1;
    const job = new Job(this.#lastId, request);
    if (request.body === null) return this.#enter(job) ? job : tooBusy();
    if (this.#isFull()) return tooBusy();
    receiveBody(
      request.body,
      this.#options,
      (received) => {
        job.body = received;
        if (!this.#enter(job)) job.settle(tooBusy());
      },
      (error, ours) => {
        if (!ours) {
          request.onGone = () => drop(job); // once the connection has told the client why
          if (request.gone) drop(job);
          return;
        }
        this.#options.onError(`Cannot keep a request's body: ${error.message}`, request);
        job.settle(Response.text(500, 'Internal Server Error\n'));
      },
    );
    return job;
  };

  /** Lets `lane` take requests. */
  add(lane: Lane): void {
    this.#lanes.push(lane);
    this.pump();
  }

  /** Gives `lane` no more requests; those that it has stay there. */
  remove(lane: Lane): void {
    const index = this.#lanes.indexOf(lane);
    if (index < 0) return;
    this.#lanes.splice(index, 1);
    this.#recall.keep(lane);
  }

  /** Sends what waits to lanes that have room. */
  pump(): void {
    while (this.#queue.length > 0) {
      const lane = chooseLane(this.#lanes, this.#options.laneDepthMax);
      if (lane === null) return;
      const job = this.#queue.shift() as Job;
      job.request.onGone = null;
      this.#send(lane, job);
    }
  }

  /** Puts jobs that were never started before all others again. */
  requeue(jobs: readonly Job[]): void {
    const wanted = jobs.filter((job) => !this.#dropIfGone(job));
    for (const job of wanted) this.#watchClient(job);
    if (wanted.length > 0) this.#queue.unshift(wanted);
    this.pump();
  }

  /**
   * Settles what a dead lane still had. The worker left on the scoreboard which request it started last: that one is answered with 502 (or
   * started again where that is allowed), and what is before it has not arrived whole; those behind it go to another worker.
   */
  bury(lane: Lane, lastStarted: number): void {
    this.remove(lane);
    const jobs = lane.inflight.splice(0);
    const running = jobs.findIndex((job) => job.id === lastStarted);
    const again = jobs.slice(running + 1);
    for (const job of jobs.slice(0, running + 1).reverse()) {
      if (job.settled) job.stream?.abort();
      else if (this.#options.retryIdempotent && !job.retried && isIdempotent(job.request.method)) {
        job.retried = true;
        again.unshift(job);
      } else job.settle(Response.text(502, 'Bad Gateway: the worker that ran this request died\n'));
    }
    this.requeue(again);
  }

  /** Answers everything that waits with 503: there will be no worker. */
  refuseAll(): void {
    for (const job of this.#queue.clear()) job.settle(tooBusy());
  }

  stop(): void {
    this.#recall.stop();
  }

  /** Whether there is no place for one more: a body that would be refused afterwards need not be received. */
  #isFull(): boolean {
    const { queueMax, laneDepthMax } = this.#options;
    return this.#queue.length >= queueMax && chooseLane(this.#lanes, laneDepthMax) === null;
  }

  #enter(job: Job): boolean {
    if (this.#queue.length === 0) {
      const lane = chooseLane(this.#lanes, this.#options.laneDepthMax);
      if (lane !== null) {
        this.#send(lane, job);
        return true;
      }
    }
    if (this.#dropIfGone(job)) return true;
    if (this.#queue.length >= this.#options.queueMax) return false;
    this.#watchClient(job);
    this.#queue.push(job);
    return true;
  }

  #send(lane: Lane, job: Job): void {
    lane.send(job);
    if (lane.inflight.length > 1) this.#recall.start();
  }

  /** A client that leaves while its request waits takes it along: Python never sees it. */
  #watchClient(job: Job): void {
    job.request.onGone = () => {
      if (this.#queue.remove(job)) drop(job);
    };
  }

  #dropIfGone(job: Job): boolean {
    if (job.request.gone) drop(job);
    return job.request.gone;
  }
}

/** Frees what `job` holds. Nobody is there to read the answer: 499 is what logs call that (nginx). */
function drop(job: Job): void {
  job.settle(Response.text(499, ''));
}

function tooBusy(): Response {
  return Response.text(503, 'Service Unavailable: too many requests are waiting\n', [
    'Retry-After',
    RETRY_AFTER_SECONDS,
  ]);
}
