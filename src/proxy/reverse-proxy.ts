import { after, type HandlerResult } from '../http/handler.ts';
import type { HeaderList, Request } from '../http/message.ts';
import type { Member, Standings } from '../upstream/member.ts';
import { protocolOf } from '../upstream/protocol-of.ts';
import type { Backend } from './backend.ts';
import { Roster } from './backend-pool.ts';
import type { Balancer } from './balancer.ts';
import { roundRobin } from './balancers/round-robin.ts';
import { bufferRequest } from './buffering/buffered-request.ts';
import { bufferResponse } from './buffering/buffered-response.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { ForwardedMode } from './forwarded.ts';
import { type ActiveCheckOptions, ActiveChecks } from './health/active-checks.ts';
import { PassiveHealth } from './health/passive-health.ts';
import { Dispatcher, type MemberState, stateOf, unavailable } from './load-balancer.ts';
import { WaitingLine } from './request-queue.ts';
import { RetryPolicy, type RetryReason } from './retry-policy.ts';
import { Sticky, type StickyOptions } from './sticky.ts';
import { Clock } from './tick-clock.ts';

export interface ReverseProxyOptions {
  /** Those that are there from the beginning. */
  readonly backends: readonly Backend[];
  /** What finds further ones. */
  readonly discoveries?: readonly Discovery[];
  /** Chooses among them; one after the other when absent. */
  readonly balancer?: Balancer;
  /** Keeps clients with the backend that answered them first. */
  readonly sticky?: StickyOptions;
  /** Asks backends whether they are well. */
  readonly checks?: ActiveCheckOptions;
  /** Until a connection stands, with TLS until its handshake is over. Past it the next backend is tried, then: 504. */
  readonly connectTimeoutMs: number;
  /** From the end of the request to the end of the response's head. Past it: 504. */
  readonly responseTimeoutMs: number;
  /** Between two blocks of a response that the client waits for, or of a request that the backend does not take. */
  readonly idleTimeoutMs: number;
  /** Without a byte in either direction of a WebSocket or another upgraded connection; 0 allows it for ever. 0 when absent. */
  readonly tunnelIdleTimeoutMs?: number;
  /** How long a backend that failed is left alone; 0, the default, for not at all. It doubles with each failure. */
  readonly restMs?: number;
  /** The longest such time. A minute by default. */
  readonly restMsMax?: number;
  /** After so many failures in a row a backend rests whatever they were, also when no other is left; 0, the default, for never. */
  readonly failuresMax?: number;
  /** Statuses of responses that count as failures. */
  readonly failedStatuses?: readonly number[];
  /** So many other backends may get a request that one has got and failed, if asking twice is asking once. 0 by default. */
  readonly retries?: number;
  /** After which failures; `error` by default. */
  readonly retryOn?: readonly RetryReason[];
  /** The part of all requests that may be repeated; 0.2 by default. */
  readonly retryBudget?: number;
  /** Requests that may be with one backend at once; 0, the default, for as many as come. */
  readonly connectionsMax?: number;
  /** Requests that may wait for room, and for how long; then 503. */
  readonly queueMax?: number;
  readonly queueTimeoutMs?: number;
  /** How long a backend that has come, or has come back, takes to get its whole share; 0, the default, gives it at once. */
  readonly slowStartMs?: number;
  /** What is known of backends by their names. The proxy changes it. */
  readonly standings?: Standings;
  /** Content of a request is received whole before a backend is asked; so is that of unknown length where a backend's protocol needs the length. */
  readonly bufferRequest?: boolean;
  /** Content of a response is taken as fast as the backend sends it. */
  readonly bufferResponse?: boolean;
  /** Content that is buffered waits in memory up to so much, then in a file; a response's file may have so much. 64 KiB and 1 GiB by default. */
  readonly bufferMemoryBytesMax?: number;
  readonly bufferFileBytesMax?: number;
  /** Idle connections that are kept for each backend; 0 opens one for each request. */
  readonly keepAliveMax: number;
  /** How long one is kept: shorter than the backend keeps it. */
  readonly keepAliveTimeoutMs: number;
  /** The Host that backends get: the client's, the backend's own, or this one. */
  readonly hostHeader: 'client' | 'backend' | string;
  /** Bytes of a response's field lines. Past it: 502. */
  readonly responseHeadBytesMax: number;
  /** Field lines of a response. Past it: 502. */
  readonly responseHeadCountMax: number;
  /** Which fields tell backends about the client. */
  readonly forwarded: ForwardedMode;
  /** Fields with an underscore in their name are passed on; false by default, because many applications take `X_User` for `X-User`. */
  readonly underscores?: boolean;
  /** Further variables for backends of gateway protocols, `[name, value, …]`, such as SCRIPT_FILENAME; they win over those of the request. */
  readonly params?: HeaderList;
  /** The port of each listener, in the server's order, for X-Forwarded-Port; a peer's `serverPort` comes first. */
  readonly listenerPorts?: readonly string[];
  /** Told once for each request that a backend failed, also when another backend then answers it. */
  readonly onError: (message: string, request: Request) => void;
  /** Told when backends come, go, fail their checks or get no requests for a while. */
  readonly onInfo?: (message: string) => void;
}

/** What is known of one backend. */
export interface BackendStatus {
  readonly name: string;
  readonly state: MemberState;
  readonly weight: number;
  readonly backup: boolean;
  /** Requests that are with it now. */
  readonly active: number;
}

export interface ReverseProxy {
  /** Answers with what a backend answers, with 502 when it gives no proper response, with 504 when it is too slow. */
  readonly handle: (request: Request) => HandlerResult;
  /** All backends, in the order in which they came. */
  status(): readonly BackendStatus[];
  /** Requests that wait for room. */
  readonly waiting: number;
  /** To be called when the standing of a backend was changed. */
  refresh(): void;
  /** Begins to look for backends and to check them. Resolves when all that look have found out, or need too long. */
  start(): Promise<void>;
  /** Closes idle connections now and busy ones behind their response. Requests are still answered; tunnels go on. */
  stop(): void;
  /** Cuts all connections and tunnels. */
  destroy(): void;
}

const REST_MS_MAX = 60_000;
const QUEUE_MAX = 1024;
const QUEUE_TIMEOUT_MS = 10_000;
const RETRY_BUDGET = 0.2;
const BUFFER_MEMORY_BYTES = 64 * 1024;
const BUFFER_FILE_BYTES = 1024 * 1024 * 1024;
/** A server does not wait longer for an engine that may be down. */
const DISCOVERY_START_MS = 5000;

/** Passes requests on to backends, and their responses back (RFC 9110 section 7.6). */
export function reverseProxy(options: ReverseProxyOptions): ReverseProxy {
  const { discoveries = [], connectionsMax = 0, onInfo = () => {}, standings = new Map() } = options;
  const now = (): number => performance.now();
  const clock = clockOf(options);
  const protocolOptions = {
    ...options,
    tunnelIdleTimeoutMs: options.tunnelIdleTimeoutMs ?? 0,
    listenerPorts: options.listenerPorts ?? [],
    params: options.params ?? [],
    underscores: options.underscores ?? false,
    onStderr: (backend: string, line: string) => onInfo(`Backend "${backend}" says: ${line}`),
  };
  const passive = new PassiveHealth({
    restMs: options.restMs ?? 0,
    restMsMax: options.restMsMax ?? REST_MS_MAX,
    failuresMax: options.failuresMax ?? 0,
    now,
  });
  const sticky = options.sticky === undefined ? null : new Sticky(options.sticky);
  const checks = options.checks === undefined ? null : new ActiveChecks(options.checks, { onChanged });
  const line = connectionsMax === 0 ? null : lineOf(clock, options);
  let started = false;
  const roster = new Roster({
    standings,
    slowStartMs: options.slowStartMs ?? 0,
    check: checks === null ? '' : (options.checks?.path ?? ''),
    protocolOf: (member) => protocolOf(member.backend, clock, protocolOptions, dispatcher.ownerOf(member)),
    onJoined(member) {
      sticky?.joined(member);
      if (started) checks?.joined(member);
    },
    onLeft(member) {
      sticky?.left(member);
      checks?.left(member);
      passive.forget(member);
    },
    now,
  });
  const dispatcher = new Dispatcher({
    roster,
    balancer: options.balancer ?? roundRobin(),
    passive,
    retries: new RetryPolicy({
      retries: options.retries ?? 0,
      retryOn: options.retryOn ?? ['error'],
      retryBudget: options.retryBudget ?? RETRY_BUDGET,
    }),
    sticky,
    checks,
    line,
    connectionsMax,
    failedStatuses: new Set(options.failedStatuses),
    onError: options.onError,
    onInfo,
  });
  roster.update(0, options.backends);

  const { bufferRequest: buffersRequests = false, bufferMemoryBytesMax: memoryBytesMax = BUFFER_MEMORY_BYTES } =
    options;
  const limits = { memoryBytesMax, fileBytesMax: options.bufferFileBytesMax ?? BUFFER_FILE_BYTES };
  const needsLength = (): boolean => roster.members.some(({ protocol }) => protocol.needsLength);
  const dispatch =
    options.bufferResponse === true
      ? (request: Request) => after(dispatcher.handle(request), (response) => bufferResponse(response, limits))
      : (request: Request) => dispatcher.handle(request);

  async function start(): Promise<void> {
    started = true;
    for (const member of roster.members) checks?.joined(member);
    const looking = discoveries.map((discovery, index) => {
      return new Promise<void>((resolve) => {
        discovery.start((backends) => {
          roster.update(index + 1, backends);
          resolve();
        });
      });
    });
    await inTime(Promise.all(looking), DISCOVERY_START_MS);
  }

  function onChanged(member: Member, reason: string | null): void {
    onInfo(
      reason === null
        ? `Backend "${member.name}" is healthy`
        : `Backend "${member.name}" is not healthy and gets no requests: ${reason}`,
    );
    if (reason === null) roster.startSlowly(member);
    roster.refresh();
  }

  function stop(): void {
    for (const discovery of discoveries) discovery.stop();
    checks?.stop();
    roster.stop();
  }

  return {
    handle(request) {
      const { body } = request;
      if (body === null || !(buffersRequests || (body.length < 0 && needsLength()))) return dispatch(request);
      return bufferRequest(request, memoryBytesMax, dispatch);
    },
    status: () =>
      roster.members.map((member) => ({
        name: member.name,
        state: stateOf(member, passive),
        weight: member.share,
        backup: member.backend.backup === true,
        active: member.protocol.active,
      })),
    get waiting() {
      return line?.length ?? 0;
    },
    refresh: () => roster.refresh(),
    start,
    stop,
    destroy() {
      stop();
      roster.destroy();
    },
  };
}

/** Resolves with `promise`, at the latest after `ms`. */
async function inTime(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/** The shortest time that is waited for anything decides how fine it is. */
function clockOf(options: ReverseProxyOptions): Clock {
  const { connectTimeoutMs, responseTimeoutMs, idleTimeoutMs, keepAliveTimeoutMs } = options;
  const { tunnelIdleTimeoutMs = 0, connectionsMax = 0, queueTimeoutMs = QUEUE_TIMEOUT_MS } = options;
  return new Clock([
    connectTimeoutMs,
    responseTimeoutMs,
    idleTimeoutMs,
    keepAliveTimeoutMs,
    tunnelIdleTimeoutMs,
    connectionsMax === 0 ? 0 : queueTimeoutMs,
  ]);
}

function lineOf(clock: Clock, options: ReverseProxyOptions): WaitingLine {
  const { queueMax = QUEUE_MAX, queueTimeoutMs = QUEUE_TIMEOUT_MS, onError } = options;
  return new WaitingLine(clock, {
    queueMax,
    queueTimeoutMs,
    late(request) {
      onError(`Cannot get a backend: all were busy for ${queueTimeoutMs} ms`, request);
      return unavailable(1);
    },
  });
}
