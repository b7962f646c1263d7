import type { Request } from '../http/message.ts';
import { isIdempotent } from '../http/semantics/idempotent.ts';
import { RetryBudget } from './retry-budget.ts';
import type { UpstreamFailure } from './upstream.ts';

/** What a request that a backend has got may be repeated at another one after: it gave no proper response, or took too long. */
export type RetryReason = 'error' | 'timeout';

export interface RetryOptions {
  /** So many other backends may get a request that one has got already and failed. */
  readonly retries: number;
  readonly retryOn: readonly RetryReason[];
  /** The part of all requests that may be repeated: 0.2 is one in five. */
  readonly retryBudget: number;
}

/** Decides whether a request that a backend failed may go to another one. */
export class RetryPolicy {
  readonly #options: RetryOptions;
  readonly #budget: RetryBudget;

  constructor(options: RetryOptions) {
    this.#options = options;
    this.#budget = new RetryBudget(options.retryBudget);
  }

  /** A request has come. */
  requested(): void {
    this.#budget.requested();
  }

  /** Whether `request` could go to another backend after it was sent to one: to ask twice is to ask once (RFC 9110 section 9.2.2). */
  isRepeatable(request: Request, failures: number): boolean {
    return failures < this.#options.retries && request.body === null && isIdempotent(request.method);
  }

  /** Whether it goes; `failures` are those before this one. A request that the backend has not seen always does. */
  allows({ unsent, status }: UpstreamFailure, request: Request, failures: number): boolean {
    if (unsent) return true;
    const reason = status === 504 ? 'timeout' : 'error';
    return this.#options.retryOn.includes(reason) && this.isRepeatable(request, failures) && this.#budget.take();
  }
}
