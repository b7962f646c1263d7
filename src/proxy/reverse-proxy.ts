import { type HandlerResult, mapResponse } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { refuse } from '../http/request-record.ts';
import { BackendPool } from './backend-pool.ts';
import type { BackendState } from './backend-state.ts';
import { roundRobin } from './balancers/round-robin.ts';
import { bufferRequest } from './buffering/buffered-request.ts';
import { bufferResponse } from './buffering/buffered-response.ts';
import { createClient } from './create-client.ts';
import { ActiveChecks } from './health/active-checks.ts';
import { PassiveHealth } from './health/passive-health.ts';
import { type BackendStateName, LoadBalancer, type OnMeasured, stateNameOf, unavailable } from './load-balancer.ts';
import { withRepeatableContent } from './repeatable-content.ts';
import { RequestQueue } from './request-queue.ts';
import { RetryPolicy } from './retry-policy.ts';
import type { ReverseProxyOptions } from './reverse-proxy-options.ts';
import { Sticky } from './sticky.ts';
import { TickClock } from './tick-clock.ts';

/** The state of one backend. */
export interface BackendStatus {
  readonly name: string;
  readonly state: BackendStateName;
  readonly weight: number;
  readonly backup: boolean;
  /** Number of requests in progress. */
  readonly active: number;
}

/** How often requests were sent to a backend, and how often it failed one. */
export type BackendCounts = Pick<BackendState, 'name' | 'requests' | 'failures'>;

export interface ReverseProxy {
  /**
   * Answers with the response of a backend, with 502 when the response is invalid or missing, with 504 when the backend
   * is too slow.
   */
  readonly handle: (request: Request) => HandlerResult;
  /** All backends in the order in which they joined. */
  status(): readonly BackendStatus[];
  /** What each backend has got and failed since it joined. */
  counts(): readonly BackendCounts[];
  /** Calls `report` for each request at a backend, those of health checks among them. */
  eachRequest(report: (request: Request, backend: string) => void): void;
  /** Calls `onMeasured` for each request that a backend has answered completely or failed, without those of health checks. */
  measure(onMeasured: OnMeasured): void;
  /** Number of requests that wait for room. */
  readonly waiting: number;
  /** Must be called when an override has changed. */
  refresh(): void;
  /**
   * Starts service discovery and health checks. Resolves when every discovery has returned its first result, after five
   * seconds at the latest.
   */
  start(): Promise<void>;
  /**
   * Closes idle connections now and busy ones after their response. New requests are still answered; tunnels stay open.
   */
  stop(): void;
  /** Closes all connections and tunnels at once. */
  destroy(): void;
}

const RETRY_AFTER_MS_MAX = 60_000;
const QUEUE_MAX = 1024;
const QUEUE_TIMEOUT_MS = 10_000;
const RETRY_BUDGET = 0.2;
const BUFFER_MEMORY_BYTES = 64 * 1024;
const BUFFER_FILE_BYTES = 1024 * 1024 * 1024;
/** How long the start waits for service discovery, which may be down. */
const DISCOVERY_START_MS = 5000;

/** Forwards requests to backends and returns their responses (RFC 9110 section 7.6). */
export function reverseProxy(options: ReverseProxyOptions): ReverseProxy {
  const { discoveries = [], connectionsMax = 0, onInfo = () => {}, overrides = new Map() } = options;
  const { createClient: create = createClient } = options;
  const now = (): number => performance.now();
  const clock = createClock(options);
  const clientOptions = {
    ...options,
    tunnelIdleTimeoutMs: options.tunnelIdleTimeoutMs ?? 0,
    listenerPorts: options.listenerPorts ?? [],
    params: options.params ?? [],
    underscores: options.underscores ?? false,
    onStderr: (backend: string, line: string) => onInfo(`Backend "${backend}" reports: ${line}`),
  };
  const passive = new PassiveHealth({
    retryAfterMs: options.retryAfterMs ?? 0,
    retryAfterMsMax: options.retryAfterMsMax ?? RETRY_AFTER_MS_MAX,
    failuresMax: options.failuresMax ?? 0,
    now,
  });
  const sticky = options.sticky === undefined ? null : new Sticky(options.sticky);
  const checks = options.checks === undefined ? null : new ActiveChecks(options.checks, { onChanged });
  const queue = connectionsMax === 0 ? null : createQueue(clock, options);
  let started = false;
  let repeatsContent = false;
  const pool = new BackendPool({
    overrides,
    slowStartMs: options.slowStartMs ?? 0,
    check: checks === null ? '' : (options.checks?.path ?? ''),
    createClient: (state) => create(state.backend, clock, clientOptions, loadBalancer.ownerOf(state)),
    onJoined(state) {
      sticky?.onJoined(state);
      repeatsContent ||= state.client.mayRefuse;
      if (started) checks?.onJoined(state);
    },
    onLeft(state) {
      sticky?.onLeft(state);
      checks?.onLeft(state);
      passive.forget(state);
    },
    now,
  });
  const loadBalancer = new LoadBalancer({
    pool,
    balancer: options.balancer ?? roundRobin(),
    passive,
    retries: new RetryPolicy({
      retries: options.retries ?? 0,
      retryOn: options.retryOn ?? ['error'],
      retryBudget: options.retryBudget ?? RETRY_BUDGET,
    }),
    sticky,
    checks,
    queue,
    connectionsMax,
    failedStatuses: new Set(options.failedStatuses),
    onError: options.onError,
    onInfo,
  });
  pool.update(0, options.backends);

  const { bufferRequest: buffersRequests = false, bufferMemoryBytesMax: memoryBytesMax = BUFFER_MEMORY_BYTES } =
    options;
  const limits = {
    memoryBytesMax,
    bytesMax: memoryBytesMax + (options.bufferFileBytesMax ?? BUFFER_FILE_BYTES),
  };
  const requestBuffer = {
    memoryBytesMax,
    onFailed: (error: Error, request: Request) =>
      options.onError(`Cannot store a request's content for a backend: ${error.message}`, request),
  };
  const needsLength = (): boolean => pool.states.some(({ client }) => client.needsLength);
  const balance = (request: Request): HandlerResult =>
    loadBalancer.handle(repeatsContent ? withRepeatableContent(request) : request);
  const dispatch =
    options.bufferResponse === true
      ? (request: Request) =>
          mapResponse(balance(request), (response) =>
            bufferResponse(response, { ...limits, onFileFailed: (error) => onResponseFileFailed(error, request) }),
          )
      : balance;

  function onResponseFileFailed(error: Error, request: Request): void {
    options.onError(`Cannot store a response of a backend, which now waits for the client: ${error.message}`, request);
  }

  async function start(): Promise<void> {
    started = true;
    for (const state of pool.states) checks?.onJoined(state);
    const firstResults = discoveries.map((discovery, index) => {
      return new Promise<void>((resolve) => {
        discovery.start((backends) => {
          pool.update(index + 1, backends);
          resolve();
        });
      });
    });
    await inTime(Promise.all(firstResults), DISCOVERY_START_MS);
  }

  function onChanged(state: BackendState, reason: string | null): void {
    onInfo(
      reason === null
        ? `Backend "${state.name}" is healthy`
        : `Backend "${state.name}" is unhealthy and receives no requests: ${reason}`,
    );
    if (reason === null) pool.startSlowly(state);
    pool.refresh();
  }

  function stop(): void {
    for (const discovery of discoveries) discovery.stop();
    checks?.stop();
    pool.stop();
  }

  return {
    handle(request) {
      const { body } = request;
      if (body === null || !(buffersRequests || (body.length < 0 && needsLength()))) return dispatch(request);
      return bufferRequest(request, requestBuffer, dispatch);
    },
    status: () =>
      pool.states.map((state) => ({
        name: state.name,
        state: stateNameOf(state, passive),
        weight: state.share,
        backup: state.backend.backup === true,
        active: state.client.active,
      })),
    counts: () => pool.states,
    eachRequest(report) {
      for (const { name, client } of pool.states) for (const request of client.requests()) report(request, name);
    },
    measure(onMeasured) {
      loadBalancer.onMeasured = onMeasured;
    },
    get waiting() {
      return queue?.length ?? 0;
    },
    refresh: () => pool.refresh(),
    start,
    stop,
    destroy() {
      stop();
      pool.destroy();
    },
  };
}

/** Resolves with `promise`, after `ms` at the latest. */
async function inTime(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}

/** The resolution of the clock depends on the shortest timeout. */
function createClock(options: ReverseProxyOptions): TickClock {
  const { connectTimeoutMs, responseTimeoutMs, idleTimeoutMs, keepAliveTimeoutMs } = options;
  const { tunnelIdleTimeoutMs = 0, connectionsMax = 0, queueTimeoutMs = QUEUE_TIMEOUT_MS } = options;
  return new TickClock([
    connectTimeoutMs,
    responseTimeoutMs,
    idleTimeoutMs,
    keepAliveTimeoutMs,
    tunnelIdleTimeoutMs,
    connectionsMax === 0 ? 0 : queueTimeoutMs,
  ]);
}

function createQueue(clock: TickClock, options: ReverseProxyOptions): RequestQueue {
  const { queueMax = QUEUE_MAX, queueTimeoutMs = QUEUE_TIMEOUT_MS, onError } = options;
  return new RequestQueue(clock, {
    queueMax,
    queueTimeoutMs,
    onTimeout(request) {
      onError(`Cannot choose a backend: all were busy for ${queueTimeoutMs} ms`, request);
      return refuse(request, 'backends busy', unavailable(1));
    },
  });
}
