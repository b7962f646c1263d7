import type { PendingRequest } from './pending-request.ts';

/** A request that exceeded its deadline while it ran. Times are from `performance.now()`. */
export interface Overdue {
  readonly pending: PendingRequest;
  /** Milliseconds in the queue. */
  readonly queuedMs: number;
  /** Milliseconds in Python. */
  readonly ranMs: number;
  /** Whether a response had started, and its next block did not come. */
  readonly isStream: boolean;
  /** When its client got the answer. */
  readonly expiredAtMs: number;
  /** Whether the worker has told where the thread was. If not, C code holds the interpreter lock. */
  isAnswered: boolean;
  /** Whether the thread was given up. */
  isStuck: boolean;
}

/** Many more are only answered by a worker that says nothing on its control connection. */
const UNANSWERED_MAX = 64;

/** What one lane knows about the requests in it that exceeded their deadline. */
export class LaneDeadline {
  /** The running request, if it is overdue. */
  current: Overdue | null = null;
  /** Those that have left the lane, of which the worker has not told where they were. It tells so for all lanes in turn. */
  readonly #unanswered: Overdue[] = [];
  #last: Overdue | null = null;

  /** `pending`, which became the first request of the lane at `startedMs`, is overdue. */
  begin(pending: PendingRequest, startedMs: number, now: number): Overdue {
    const { queuedAtMs, stream } = pending;
    this.current = {
      pending,
      queuedMs: queuedAtMs > 0 ? Math.max(0, startedMs - queuedAtMs) : 0,
      ranMs: now - startedMs,
      isStream: stream !== null,
      expiredAtMs: now,
      isAnswered: false,
      isStuck: false,
    };
    return this.current;
  }

  /** The overdue request has left the lane. The worker may still report about it. */
  end(): void {
    this.#last = this.current;
    this.current = null;
    if (this.#last === null || this.#last.isAnswered) return;
    this.#unanswered.push(this.#last);
    if (this.#unanswered.length > UNANSWERED_MAX) this.#unanswered.shift();
  }

  /** The overdue request with this id, which may have left the lane just now; null if there was none. */
  find(request: number): Overdue | null {
    return [this.current, this.#last].find((overdue) => overdue?.pending.id === request) ?? null;
  }

  /** The worker has told where this request was. Returns it; null if nobody asked, or for a second answer. */
  answer(request: number): Overdue | null {
    const { current } = this;
    if (current?.pending.id === request && !current.isAnswered) {
      current.isAnswered = true;
      return current;
    }
    const place = this.#unanswered.findIndex(({ pending }) => pending.id === request);
    const [overdue = null] = place < 0 ? [] : this.#unanswered.splice(place, 1);
    if (overdue !== null) overdue.isAnswered = true;
    return overdue;
  }
}
