import type { Lane } from './lane.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Queue } from './queue.ts';
import type { Shed } from './queue-counters.ts';

export interface DeadlineLimits {
  /** Time from a complete request to the start of its response; 0 for any. A request may have a limit of its own. */
  readonly requestTimeoutMs: number;
  /** Time that a request may wait in the queue; 0 for any. */
  readonly queueWaitMaxMs: number;
  /** Time between two blocks of a response that its client takes; 0 for any. */
  readonly streamTimeoutMs: number;
  /** Time for the thread of an overdue request to end it. */
  readonly requestGraceMs: number;
}

/** How often the deadlines are compared with the clock. */
const TICK_MS = 100;
/** The watch rests when nothing ran or waited for this many ticks. */
const QUIET_TICKS_MAX = 20;
/** A tick that comes so late shows that this process, or the whole machine, was stopped. */
const LATE_MS = 1000;

/**
 * Finds the requests that have exceeded their deadline, those that run and those that wait. It costs nothing for each
 * request: once in `TICK_MS` it looks at all lanes, and at the requests in the queue that have waited for as long as the least limit allows. A stop of this process does not count as time.
 */
export class DeadlineWatch {
  readonly #limits: DeadlineLimits;
  readonly #queue: Queue<PendingRequest>;
  readonly #onWaitedTooLong: (pending: PendingRequest, why: Shed) => void;
  readonly #lanes = new Set<Lane>();
  #timer: NodeJS.Timeout | null = null;
  /** The least limit of the requests that wait, or waited since the queue was last empty. */
  #waitMinMs = Number.POSITIVE_INFINITY;
  #quietTicks = 0;
  #lastTickMs = 0;
  /** When the last stop ended, and how long it was. */
  #stopEndMs = 0;
  #stopMs = 0;

  constructor(
    limits: DeadlineLimits,
    queue: Queue<PendingRequest>,
    onWaitedTooLong: (pending: PendingRequest, why: Shed) => void,
  ) {
    this.#limits = limits;
    this.#queue = queue;
    this.#onWaitedTooLong = onWaitedTooLong;
  }

  /** Whether `wake` must be called when a request comes. */
  get isResting(): boolean {
    return this.#timer === null;
  }

  /** Watches `lane` until it is closed and has no request. */
  add(lane: Lane): void {
    this.#lanes.add(lane);
  }

  /** Watches `lane` no longer. */
  remove(lane: Lane): void {
    this.#lanes.delete(lane);
  }

  /** Must be called when `pending` starts to wait in the queue. */
  queued(pending: PendingRequest): void {
    for (const limitMs of [this.#limits.queueWaitMaxMs, this.#limitOf(pending)])
      if (limitMs > 0 && limitMs < this.#waitMinMs) this.#waitMinMs = limitMs;
    if (this.isResting) this.wake();
  }

  wake(): void {
    this.#quietTicks = 0;
    this.#lastTickMs = performance.now();
    this.#timer ??= setInterval(setImmediate, TICK_MS, this.#check).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Runs in the check phase: responses that waited in the sockets while this process was busy have been read. */
  readonly #check = (): void => {
    const now = performance.now();
    const lateMs = now - this.#lastTickMs - TICK_MS;
    this.#lastTickMs = now;
    if (lateMs > LATE_MS) {
      this.#stopEndMs = now;
      this.#stopMs = lateMs;
    }
    this.#quietTicks += 1;
    for (const lane of this.#lanes) this.#checkLane(lane, now);
    if (this.#queue.length > 0) {
      this.#quietTicks = 0;
      const waitsTooLong = ({ queuedAtMs }: PendingRequest): boolean =>
        this.#isOver(this.#limits.queueWaitMaxMs, queuedAtMs, now);
      const isOverdue = (pending: PendingRequest): boolean =>
        this.#isOver(this.#limitOf(pending), pending.queuedAtMs, now);
      const beforeMs = now - this.#waitMinMs;
      const late = this.#queue.take(beforeMs, (pending) => waitsTooLong(pending) || isOverdue(pending));
      for (const pending of late) this.#onWaitedTooLong(pending, waitsTooLong(pending) ? 'queueWaitMax' : 'deadline');
    } else this.#waitMinMs = Number.POSITIVE_INFINITY;
    const isOver = this.#lanes.size === 0 && this.#queue.length === 0;
    if (isOver || this.#quietTicks > QUIET_TICKS_MAX) this.stop();
  };

  #checkLane(lane: Lane, now: number): void {
    const pending = lane.inflight[0];
    if (pending === undefined) {
      if (lane.state === 'closed') this.#lanes.delete(lane);
      return;
    }
    this.#quietTicks = 0;
    const overdue = lane.deadline.current;
    if (overdue !== null) {
      const { isStuck, expiredAtMs } = overdue;
      if (!isStuck && now - expiredAtMs >= this.#limits.requestGraceMs) lane.giveUp(overdue);
    } else if (pending.stream !== null) {
      if (this.#isOver(this.#limits.streamTimeoutMs, lane.streamSinceMs(now), now)) lane.expire(now);
    } else {
      const since = pending.queuedAtMs > 0 ? pending.queuedAtMs : lane.headSinceMs;
      if (this.#isOver(this.#limitOf(pending), since, now)) lane.expire(now);
    }
  }

  #limitOf({ request }: PendingRequest): number {
    return request.timeoutMs ?? this.#limits.requestTimeoutMs;
  }

  #isOver(limitMs: number, sinceMs: number, now: number): boolean {
    const stoppedMs = sinceMs < this.#stopEndMs ? this.#stopMs : 0;
    return limitMs > 0 && now - sinceMs - stoppedMs >= limitMs;
  }
}
