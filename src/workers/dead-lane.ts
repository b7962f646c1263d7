import type { Request } from '../http/message.ts';
import { isIdempotent } from '../http/semantics/idempotent.ts';
import { workerDiedResponse } from './error-responses.ts';
import type { Lane } from './lane.ts';
import type { PendingRequest } from './pending-request.ts';

export interface DeadLaneOptions {
  /**
   * Whether a GET, HEAD, OPTIONS, PUT, DELETE or TRACE is started once more when its worker died (RFC 9110 section
   * 9.2.2).
   */
  readonly retryIdempotent: boolean;
  /** A worker died while it ran `request`. The client gets 502, a response that breaks off, or that of another worker if it `runsAgain`. */
  readonly onWorkerDied: (request: Request, runsAgain: boolean) => void;
}

/**
 * Empties a dead lane. `lastStarted` is the last request that the worker started, as the scoreboard has it; 0 for none.
 * That request gets 502, or starts again where this is allowed. The same applies to requests before it, whose responses
 * did not arrive completely. Returns the requests that another worker must get, in order: these, and all behind it.
 */
export function settleStarted(
  { inflight }: Pick<Lane, 'inflight'>,
  lastStarted: number,
  { retryIdempotent, onWorkerDied }: DeadLaneOptions,
): PendingRequest[] {
  const pendingRequests = inflight.splice(0);
  const running = pendingRequests.findIndex((pending) => pending.id === lastStarted);
  const restarted = pendingRequests.slice(running + 1);
  for (const pending of pendingRequests.slice(0, running + 1).reverse()) {
    const { settled } = pending;
    const runsAgain = !settled && retryIdempotent && !pending.retried && isIdempotent(pending.request.method);
    if (!settled || pending.stream !== null) onWorkerDied(pending.request, runsAgain);
    if (settled) pending.breakOff('worker died');
    else if (runsAgain) {
      pending.retried = true;
      restarted.unshift(pending);
    } else pending.refuse(workerDiedResponse(), 'worker died');
  }
  return restarted;
}
