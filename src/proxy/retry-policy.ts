import type { Request } from '../http/message.ts';
import { isIdempotent } from '../http/semantics/idempotent.ts';
import { RetryBudget } from './retry-budget.ts';
import type { UpstreamFailure } from './upstream.ts';

/**
 * A failure after which a request that was already sent may be retried at another backend: an invalid or missing
 * response, or a timeout.
 */
export type RetryReason = 'error' | 'timeout';

export interface RetryOptions {
  /** Maximum number of retries of a request that a backend received and failed. */
  readonly retries: number;
  readonly retryOn: readonly RetryReason[];
  /** The fraction of requests that may be retried: 0.2 is one in five. */
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

  /** Must be called for each request. */
  countRequest(): void {
    this.#budget.countRequest();
  }

  /**
   * Whether `request` may be sent again after a backend received it: only idempotent methods (RFC 9110 section 9.2.2)
   * without content.
   */
  isRepeatable(request: Request, failures: number): boolean {
    return failures < this.#options.retries && request.body === null && isIdempotent(request.method);
  }

  /**
   * Whether `request` is sent again; `failures` counts the earlier failures. A request that the backend did not receive
   * is always sent again.
   */
  allows({ unsent, status }: UpstreamFailure, request: Request, failures: number): boolean {
    if (unsent) return true;
    const reason = status === 504 ? 'timeout' : 'error';
    return this.#options.retryOn.includes(reason) && this.isRepeatable(request, failures) && this.#budget.take();
  }
}
