import { type HandlerResult, mapResponse } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { refuse } from '../http/request-record.ts';
import type { Backend } from './backend.ts';
import { BackendPool } from './backend-pool.ts';
import type { BackendOverrides, BackendState } from './backend-state.ts';
import type { Balancer } from './balancer.ts';
import { roundRobin } from './balancers/round-robin.ts';
import { bufferRequest } from './buffering/buffered-request.ts';
import { bufferResponse } from './buffering/buffered-response.ts';
import type { CgiParam } from './cgi/request-params.ts';
import { type CreateClient, createClient } from './create-client.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { ForwardedMode } from './forwarded.ts';
import { type ActiveCheckOptions, ActiveChecks } from './health/active-checks.ts';
import { PassiveHealth } from './health/passive-health.ts';
import { type BackendStateName, LoadBalancer, type OnMeasured, stateNameOf, unavailable } from './load-balancer.ts';
import { withRepeatableContent } from './repeatable-content.ts';
import { RequestQueue } from './request-queue.ts';
import { RetryPolicy, type RetryReason } from './retry-policy.ts';
import { Sticky, type StickyOptions } from './sticky.ts';
import { TickClock } from './tick-clock.ts';

export interface ReverseProxyOptions {
  /** The configured backends. */
  readonly backends: readonly Backend[];
  /** Service discovery that finds more backends. */
  readonly discoveries?: readonly Discovery[];
  /** Chooses among the backends; round robin when absent. */
  readonly balancer?: Balancer;
  /** Keeps each client at the backend that answered it first. */
  readonly sticky?: StickyOptions;
  /** Health checks of the backends. */
  readonly checks?: ActiveCheckOptions;
  /**
   * Limit for connecting, including the TLS handshake. Afterwards the next backend is tried; without another backend
   * the status is 504.
   */
  readonly connectTimeoutMs: number;
  /** Limit from the end of the request to the end of the response's head. Afterwards: 504. */
  readonly responseTimeoutMs: number;
  /**
   * Limit between two blocks of a response while the client accepts content, or of a request while the backend accepts
   * none.
   */
  readonly idleTimeoutMs: number;
  /**
   * Limit without a byte in either direction of a WebSocket or another upgraded connection; 0, the default, for no
   * limit.
   */
  readonly tunnelIdleTimeoutMs?: number;
  /**
   * How long a failed backend counts as down; 0, the default, never marks a backend as down. The time doubles with each
   * failure.
   */
  readonly retryAfterMs?: number;
  /** Limit for that time. One minute by default. */
  readonly retryAfterMsMax?: number;
  /**
   * Number of failures of any kind in a row after which a backend is down; 0, the default, for never. It then receives
   * no requests even when no other backend is left.
   */
  readonly failuresMax?: number;
  /** Response statuses that count as failures. */
  readonly failedStatuses?: readonly number[];
  /**
   * How many other backends may receive a request that a backend received and failed, if the request is idempotent. 0
   * by default.
   */
  readonly retries?: number;
  /** Failures that allow a retry; `error` by default. */
  readonly retryOn?: readonly RetryReason[];
  /** The fraction of requests that may be retried; 0.2 by default. */
  readonly retryBudget?: number;
  /** Maximum number of concurrent requests at one backend; 0, the default, for no limit. */
  readonly connectionsMax?: number;
  /** How many requests may wait for room, and for how long. Beyond that: 503. */
  readonly queueMax?: number;
  readonly queueTimeoutMs?: number;
  /**
   * How long a new or recovered backend takes to reach its full share of the requests; 0, the default, gives the full
   * share at once.
   */
  readonly slowStartMs?: number;
  /** Overrides and check results by the backends' names. The proxy changes this map. */
  readonly overrides?: BackendOverrides;
  /**
   * Receives a request's content completely before a backend is chosen. Content of unknown length is always received
   * first when the backend's protocol requires the length.
   */
  readonly bufferRequest?: boolean;
  /** Takes a response's content as fast as the backend sends it. */
  readonly bufferResponse?: boolean;
  /**
   * Buffered content stays in memory up to this size and then goes to a file; the second limit is the file size for a
   * response. 64 KiB and 1 GiB by default.
   */
  readonly bufferMemoryBytesMax?: number;
  readonly bufferFileBytesMax?: number;
  /** Number of idle connections to keep for each backend; 0 opens a connection for each request. */
  readonly keepAliveMax: number;
  /** How long an idle connection is kept. It should be shorter than the backend's own timeout. */
  readonly keepAliveTimeoutMs: number;
  /** The Host field for backends: the client's, the backend's own, or this value. */
  readonly hostHeader: 'client' | 'backend' | string;
  /** Maximum size of a response's field section. Beyond that: 502. */
  readonly responseHeadBytesMax: number;
  /** Maximum number of a response's field lines. Beyond that: 502. */
  readonly responseHeadCountMax: number;
  /** Which fields describe the client to the backends. */
  readonly forwarded: ForwardedMode;
  /**
   * Passes on fields with an underscore in their name; false by default, because many applications confuse `X_User`
   * with `X-User`.
   */
  readonly underscores?: boolean;
  /**
   * Additional variables for backends with a CGI protocol, such as SCRIPT_FILENAME. They override the variables of the
   * request.
   */
  readonly params?: readonly CgiParam[];
  /** The port of each listener, in the server's order, for X-Forwarded-Port. A peer's `serverPort` takes precedence. */
  readonly listenerPorts?: readonly string[];
  /** Called once for each request that a backend failed, even when another backend then answers it. */
  readonly onError: (message: string, request: Request) => void;
  /** Called when a backend fails its checks, recovers, is down for a while, or writes to its error stream. */
  readonly onInfo?: (message: string) => void;
  /** Creates the client of each backend; `createClient` by default, which connects to it. */
  readonly createClient?: CreateClient;
}

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
