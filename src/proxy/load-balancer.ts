import { type HandlerResult, mapResponse } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { RequestBodyError } from '../http/refusal.ts';
import { refuse } from '../http/request-record.ts';
import { Response } from '../http/response.ts';
import { reasonPhrase } from '../http/semantics/status.ts';
import type { BackendPool } from './backend-pool.ts';
import type { BackendState } from './backend-state.ts';
import type { Balancer } from './balancer.ts';
import { backendFailedResponse } from './client/error-responses.ts';
import type { ActiveChecks } from './health/active-checks.ts';
import type { PassiveHealth } from './health/passive-health.ts';
import type { RequestQueue } from './request-queue.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { Sticky } from './sticky.ts';
import type { Upstream, UpstreamClientOwner, UpstreamFailure } from './upstream.ts';

export interface LoadBalancerParts {
  readonly pool: BackendPool;
  readonly balancer: Balancer;
  readonly passive: PassiveHealth;
  readonly retries: RetryPolicy;
  /** Null without sticky sessions. */
  readonly sticky: Sticky | null;
  /** Null without health checks. */
  readonly checks: ActiveChecks | null;
  /** Null when the number of requests per backend is not limited. */
  readonly queue: RequestQueue | null;
  /** Maximum number of requests at one backend; 0 for no limit. */
  readonly connectionsMax: number;
  /** Response statuses that count as failures of a backend. */
  readonly failedStatuses: ReadonlySet<number>;
  readonly onError: (message: string, request: Request) => void;
  readonly onInfo: (message: string) => void;
}

/** Called with the time that a request was at a backend. */
export type OnMeasured = (backend: string, ms: number) => void;

const NO_UPSTREAMS: readonly Upstream[] = [];
const NO_BACKENDS: readonly BackendState[] = [];

/**
 * Chooses a backend for each request: it must be available and have room, and the balancer chooses among several. When
 * the backend fails, another one may be tried.
 */
export class LoadBalancer {
  readonly #parts: LoadBalancerParts;
  /** Null if nobody measures. */
  onMeasured: OnMeasured | null = null;

  constructor(parts: LoadBalancerParts) {
    this.#parts = parts;
  }

  handle(request: Request): HandlerResult {
    const { sticky, retries } = this.#parts;
    retries.countRequest();
    const result = this.#dispatch(request, NO_UPSTREAMS);
    return sticky === null ? result : mapResponse(result, (response) => sticky.addCookie(request, response));
  }

  /** The owner of the client of `state`. `state` may still be under construction here, so nothing is read from it. */
  ownerOf(state: BackendState): UpstreamClientOwner {
    return {
      recover: (failure, request, tried) => this.#recover(state, failure, request, tried as readonly BackendState[]),
      responded: (status, request, tried) => this.#responded(state, status, request, tried.length),
      left: (request) => this.#parts.passive.cancelled(state, request),
      contentFailed: (error, request) => this.#contentFailed(state, error, request),
      now: () => (this.onMeasured === null ? 0 : performance.now()),
      over: (request, startedMs) => {
        if (startedMs > 0 && this.#parts.checks?.isCheck(request) !== true)
          this.onMeasured?.(state.name, performance.now() - startedMs);
      },
      freed: () => this.#freed(state),
    };
  }

  #contentFailed(state: BackendState, error: Error, request: Request): void {
    const { passive, onError } = this.#parts;
    passive.cancelled(state, request);
    if (error instanceof RequestBodyError) return;
    onError(`Cannot read a request's content for a backend: ${error.message}`, request);
  }

  #dispatch(request: Request, tried: readonly Upstream[]): HandlerResult {
    const { queue, passive } = this.#parts;
    const eligible = this.#eligible(request, tried as readonly BackendState[]);
    if (eligible.length === 0) return this.#refuse(request, tried);
    const chosen = this.#choose(request, eligible);
    if (chosen === null) return queue?.join(request, tried) ?? refuse(request, 'backends busy', unavailable(1));
    chosen.requests += 1;
    passive.sending(chosen, request);
    return chosen.client.send(request, tried);
  }

  /**
   * The backends that may receive the request now. Sticky sessions keep their backend. Primaries come first, then
   * backups, and backends that are down only when no other is left.
   */
  #eligible(request: Request, tried: readonly BackendState[]): readonly BackendState[] {
    const { sticky, pool, passive } = this.#parts;
    const sessionBackend = sticky?.backendFor(request) ?? null;
    if (sessionBackend !== null && !tried.includes(sessionBackend) && !passive.isDown(sessionBackend))
      return [sessionBackend];
    const primaries = without(pool.primaries, tried);
    const available = passive.available(primaries);
    if (available.length > 0) return available as readonly BackendState[];
    const backups = without(pool.backups, tried);
    const availableBackups = passive.available(backups);
    if (availableBackups.length > 0) return availableBackups as readonly BackendState[];
    const last = passive.lastResort(primaries);
    return (last.length > 0 ? last : passive.lastResort(backups)) as readonly BackendState[];
  }

  /** One of `eligible` that has room; null when all are full. */
  #choose(request: Request, eligible: readonly BackendState[]): BackendState | null {
    const { connectionsMax, balancer } = this.#parts;
    const free = connectionsMax === 0 ? eligible : eligible.filter(({ client }) => client.active < connectionsMax);
    if (free.length <= 1) return free[0] ?? null;
    return balancer.pick(request, free.length === eligible.length ? eligible : free) as BackendState;
  }

  #recover(
    state: BackendState,
    failure: UpstreamFailure,
    request: Request,
    tried: readonly BackendState[],
  ): HandlerResult {
    const { pool, passive, retries, checks, onError, onInfo } = this.#parts;
    const { phase, reason, status } = failure;
    if (checks?.isCheck(request) === true) {
      checks.failed(request, `${phase}: ${reason}`);
      return backendFailedResponse(status);
    }
    state.failures += 1;
    onError(`Cannot get a response from backend "${state.name}": ${phase}: ${reason}`, request);
    if (passive.failed(state, phase === 'connect') && (pool.size > 1 || passive.isOpen(state))) {
      onInfo(`Backend "${state.name}" is down for ${Math.ceil(passive.downForMs(state))} ms: ${phase}: ${reason}`);
    }
    const failedBackends = [...tried, state];
    const isRetried =
      retries.allows(failure, request, tried.length) && this.#eligible(request, failedBackends).length > 0;
    if (isRetried) return this.#dispatch(request, failedBackends);
    return refuse(request, status === 504 ? 'backend timed out' : 'backend failed', backendFailedResponse(status));
  }

  /** Whether this response counts as a failure and the request goes to another backend. */
  #responded(state: BackendState, status: number, request: Request, failures: number): boolean {
    const { passive, sticky, retries, failedStatuses, checks } = this.#parts;
    if (checks?.isCheck(request) === true) return false;
    if (!failedStatuses.has(status)) passive.succeeded(state);
    else if (retries.isRepeatable(request, failures) && this.#eligible(request, [state]).length > 0) return true;
    else passive.failed(state, false);
    sticky?.onAnswered(request, state);
    return false;
  }

  #freed(state: BackendState): void {
    const { pool, queue } = this.#parts;
    pool.onFreed(state);
    if (queue === null || queue.length === 0) return;
    queue.advance((request, tried) => {
      const eligible = this.#eligible(request, tried as readonly BackendState[]);
      const chosen = this.#choose(request, eligible);
      if (chosen === null) return eligible.length === 0 ? this.#refuse(request, tried) : null;
      chosen.requests += 1;
      this.#parts.passive.sending(chosen, request);
      return chosen.client.send(request, tried);
    });
  }

  /** The response when no backend may receive the request. */
  #refuse(request: Request, tried: readonly Upstream[]): HandlerResult {
    const { pool, passive, onError } = this.#parts;
    const { states } = pool;
    const described = states.slice(0, 5).map((state) => `"${state.name}" ${stateNameOf(state, passive)}`);
    const why = states.length === 0 ? 'no backend is known' : described.join(', ') + (states.length > 5 ? ', …' : '');
    if (tried.length === 0) {
      onError(`Cannot choose a backend: ${why}`, request);
      request.record.trace?.fail(why);
    }
    const downMs = states.map((state) => passive.downForMs(state)).filter((ms) => ms > 0);
    const retryAfterS = downMs.length === 0 ? 1 : Math.ceil(Math.min(...downMs) / 1000);
    return refuse(request, 'no backend', unavailable(retryAfterS));
  }
}

/** The state of a backend in one word, as shown to operators. */
export type BackendStateName = 'up' | 'draining' | 'unhealthy' | 'down' | 'leaving';

export function stateNameOf(state: BackendState, passive: PassiveHealth): BackendStateName {
  if (state.gone) return 'leaving';
  if (state.draining) return 'draining';
  if (!state.healthy) return 'unhealthy';
  return passive.isDown(state) ? 'down' : 'up';
}

export function unavailable(retryAfterS: number): Response {
  return Response.text(503, `${reasonPhrase(503)}\n`, ['Retry-After', `${retryAfterS}`]);
}

/** The backends that have not yet failed this request. */
function without(states: readonly BackendState[], tried: readonly BackendState[]): readonly BackendState[] {
  if (tried.length === 0) return states;
  const remaining = states.filter((state) => !tried.includes(state));
  return remaining.length === 0 ? NO_BACKENDS : remaining;
}
